import { onAbort, throwIfAborted } from '../../../common/abort';
import { type Disposable, toDisposable } from '../../../common/disposable';
import { PeershelfError } from '../../../common/errors';

export interface FairQueueOptions {
  /** How many run at once in all; asked again all the time, as it may change. 0 is no limit. */
  readonly limit: () => number;
  /** How many of one key run at once. */
  readonly limitPerKey: number;
  /** How many wait at once, of all keys. */
  readonly maxWaiting: number;
}

/**
 * Hands out places to run. When places are short, keys (addresses) take turns, however many each of
 * them asks for; within one key it is first come, first served.
 */
export class FairQueue {
  private total = 0;
  private readonly runningOfKey = new Map<string, number>();
  /** In the order of their turns; no key stands here without anybody waiting. */
  private readonly waiting = new Map<string, (() => void)[]>();

  constructor(private readonly options: FairQueueOptions) {}

  get running(): number {
    return this.total;
  }

  get waitingCount(): number {
    let count = 0;
    for (const queue of this.waiting.values()) count += queue.length;
    return count;
  }

  /** A place at once or not at all, for those who never wait: only the limit in all counts. */
  tryEnter(): Disposable | undefined {
    if (this.isFull) return undefined;
    this.total += 1;
    return toDisposable(() => {
      this.total -= 1;
      this.startNext();
    });
  }

  /**
   * Resolves to a place; disposing it hands it on.
   * @throws LIMIT_EXCEEDED when too many wait, CANCELLED when aborted while waiting.
   */
  async enter(key: string, signal: AbortSignal): Promise<Disposable> {
    throwIfAborted(signal);
    this.startNext(); // The limit may have been raised: nobody overtakes those who wait.
    if (this.canRun(key) && !this.waiting.has(key)) this.occupy(key);
    else await this.waitForTurn(key, signal);
    return toDisposable(() => this.leave(key));
  }

  private get isFull(): boolean {
    const limit = this.options.limit();
    return limit > 0 && this.total >= limit;
  }

  private canRun(key: string): boolean {
    return !this.isFull && (this.runningOfKey.get(key) ?? 0) < this.options.limitPerKey;
  }

  private occupy(key: string): void {
    this.total += 1;
    this.runningOfKey.set(key, (this.runningOfKey.get(key) ?? 0) + 1);
  }

  private leave(key: string): void {
    this.total -= 1;
    const left = (this.runningOfKey.get(key) ?? 1) - 1;
    if (left === 0) this.runningOfKey.delete(key);
    else this.runningOfKey.set(key, left);
    this.startNext();
  }

  private startNext(): void {
    for (const [key, queue] of [...this.waiting]) {
      if (this.isFull) return;
      if (!this.canRun(key)) continue;
      const start = queue.shift();
      // Its next turn comes after everybody else's.
      this.waiting.delete(key);
      if (queue.length > 0) this.waiting.set(key, queue);
      this.occupy(key);
      start?.();
    }
  }

  private async waitForTurn(key: string, signal: AbortSignal): Promise<void> {
    if (this.waitingCount >= this.options.maxWaiting)
      throw new PeershelfError('LIMIT_EXCEEDED', 'too many requests are waiting', {
        details: { limit: this.options.maxWaiting },
      });
    await new Promise<void>((resolve, reject) => {
      const start = (): void => {
        abort.dispose();
        resolve();
      };
      const abort = onAbort(signal, () => {
        this.forget(key, start);
        reject(new PeershelfError('CANCELLED', 'cancelled'));
      });
      const queue = this.waiting.get(key) ?? [];
      queue.push(start);
      this.waiting.set(key, queue);
    });
  }

  private forget(key: string, start: () => void): void {
    const queue = this.waiting.get(key) ?? [];
    queue.splice(queue.indexOf(start), 1);
    if (queue.length === 0) this.waiting.delete(key);
  }
}
