let live = 0;

/** What stores and slots of this thread hold now. A test that does something often looks for leaks by it. */
export function liveDisposables(): number {
  return live;
}

/** Something that must be given back. `dispose` may be called more than once. */
export interface Disposable {
  dispose(): void;
}

/** A disposable that runs `action` once. */
export function toDisposable(action: () => void): Disposable {
  let pending: (() => void) | undefined = action;
  return {
    dispose: () => {
      const run = pending;
      pending = undefined;
      run?.();
    },
  };
}

/** Holds disposables of one lifetime. What is added after `dispose` is disposed at once. */
export class DisposableStore implements Disposable {
  private readonly items = new Set<Disposable>();
  private disposed = false;

  add<T extends Disposable>(item: T): T {
    if (this.disposed) item.dispose();
    else if (!this.items.has(item)) {
      this.items.add(item);
      live += 1;
    }
    return item;
  }

  /** Disposes what is held and stays usable: for things that live as long as one connection. */
  clear(): void {
    const items = [...this.items];
    this.items.clear();
    live -= items.length;
    for (const item of items.reverse()) item.dispose();
  }

  dispose(): void {
    this.disposed = true;
    this.clear();
  }
}

/** One replaceable disposable, for subscriptions made by a method that runs repeatedly. */
export class DisposableSlot implements Disposable {
  private current: Disposable | undefined;
  private disposed = false;

  set(value: Disposable | undefined): void {
    const previous = this.current;
    this.current = value;
    live += count(value) - count(previous);
    previous?.dispose();
    if (this.disposed) this.dispose();
  }

  dispose(): void {
    this.disposed = true;
    const previous = this.current;
    this.current = undefined;
    live -= count(previous);
    previous?.dispose();
  }
}

function count(item: Disposable | undefined): number {
  return item === undefined ? 0 : 1;
}

/** Base of classes that own disposables for their whole life. */
export abstract class DisposableBase implements Disposable {
  private readonly store = new DisposableStore();

  dispose(): void {
    this.store.dispose();
  }

  protected register<T extends Disposable>(item: T): T {
    return this.store.add(item);
  }
}
