import { onAbort, throwIfAborted } from '../../common/abort';
import { PeershelfError } from '../../common/errors';

/** Lets a bounded number of tasks run at once; a bounded number waits in order. */
export class Semaphore {
  private running = 0;
  private readonly waiting: (() => void)[] = [];

  constructor(
    private readonly limit: number,
    private readonly maxWaiting: number,
  ) {}

  /** @throws LIMIT_EXCEEDED when too many wait, CANCELLED when aborted while waiting. */
  async run<T>(task: () => Promise<T>, signal: AbortSignal): Promise<T> {
    if (this.running >= this.limit) await this.waitForTurn(signal);
    else this.running += 1;
    try {
      return await task();
    } finally {
      const next = this.waiting.shift();
      if (next === undefined) this.running -= 1;
      else next(); // Hands over its place: `running` stays.
    }
  }

  private async waitForTurn(signal: AbortSignal): Promise<void> {
    if (this.waiting.length >= this.maxWaiting)
      throw new PeershelfError('LIMIT_EXCEEDED', 'too many tasks are waiting', {
        details: { limit: this.maxWaiting },
      });
    throwIfAborted(signal);
    await new Promise<void>((resolve, reject) => {
      const start = (): void => {
        abort.dispose();
        resolve();
      };
      const abort = onAbort(signal, () => {
        this.waiting.splice(this.waiting.indexOf(start), 1);
        reject(new PeershelfError('CANCELLED', 'cancelled'));
      });
      this.waiting.push(start);
    });
  }
}
