import { type Disposable, toDisposable } from './disposable';

/** Subscribes until the returned disposable is disposed. Same shape as VS Code's, so views take both. */
export type Event<T> = (listener: (value: T) => void) => Disposable;

/**
 * Publishes values to listeners in the order of subscription. A listener that throws does not keep
 * the others from being called: its error goes to `onError`, or is thrown when the others are done.
 */
export class Emitter<T> implements Disposable {
  private readonly listeners = new Set<(value: T) => void>();

  constructor(private readonly onError?: (error: unknown) => void) {}

  readonly event: Event<T> = (listener) => {
    // A wrapper of its own, so that the same function can subscribe twice.
    const entry = (value: T): void => listener(value);
    this.listeners.add(entry);
    return toDisposable(() => this.listeners.delete(entry));
  };

  fire(value: T): void {
    const failures: unknown[] = [];
    for (const listener of [...this.listeners]) {
      try {
        listener(value);
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length === 0) return;
    if (this.onError === undefined) throw failures[0];
    failures.forEach(this.onError);
  }

  get listenerCount(): number {
    return this.listeners.size;
  }

  dispose(): void {
    this.listeners.clear();
  }
}
