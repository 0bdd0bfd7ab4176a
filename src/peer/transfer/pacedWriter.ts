import type { Writable } from 'node:stream';
import { onAbort } from '../../common/abort';
import type { Clock } from '../../common/clock';
import { deferred } from '../../common/deferred';
import { type Disposable, DisposableStore, toDisposable } from '../../common/disposable';
import { PeershelfError } from '../../common/errors';
import type { RateLimiter } from './rateLimiter';
import { watchForStall } from './stallWatch';

/** A reason of our own: the one that is made otherwise costs more than sending a small file. */
const STOPPED = 'stopped';

export interface PacedWriterOptions {
  readonly clock: Clock;
  readonly limiter: RateLimiter;
  readonly signal: AbortSignal;
  /** A reader that takes nothing for this long is given up. */
  readonly stallMs: number;
}

/** Writes at the speed of the reader and within the rate limit, as long as the reader takes anything. */
export class PacedWriter implements Disposable {
  private readonly resources = new DisposableStore();
  private readonly stopped = new AbortController();
  private readonly failure = deferred<never>();
  /** Grows with every block taken, and while nobody but the rate limit holds things up. */
  private progress = 0;
  private heldBack = 0;
  /** Resolves when the bytes of every call so far may be sent. */
  private lastAllowance: Promise<void> = Promise.resolve();

  constructor(
    private readonly target: Writable,
    private readonly options: PacedWriterOptions,
  ) {
    const { clock, signal, stallMs } = options;
    this.failure.promise.catch(() => undefined); // May fail when nobody waits any more.
    const onClose = (): void => this.failure.reject(connectionLost());
    target.once('close', onClose);
    if (target.destroyed) onClose(); // Closed while its turn was waited for.
    this.resources.add(toDisposable(() => target.off('close', onClose)));
    this.resources.add(
      onAbort(signal, () => this.failure.reject(new PeershelfError('CANCELLED', 'cancelled'))),
    );
    this.resources.add(
      watchForStall({
        clock,
        stallMs,
        progress: () => (this.heldBack > 0 ? (this.progress += 1) : this.progress),
        onStall: () => this.failure.reject(stalled(stallMs)),
      }),
    );
  }

  /** A method, as it may become true during any wait. */
  isStopped(): boolean {
    return this.stopped.signal.aborted;
  }

  /** As `work`, but rejects at once when writing has become pointless: CANCELLED, CONNECTION_LOST, STALLED. */
  run<T>(work: Promise<T>): Promise<T> {
    return Promise.race([work, this.failure.promise]);
  }

  /** Resolves when the bytes are on their way. Calls keep their order, also when the limit changes. */
  async write(bytes: Uint8Array): Promise<void> {
    // One behind the other: without a limit, a block would overtake those that still wait for one.
    this.lastAllowance = this.lastAllowance.then(() => this.waitForAllowance(bytes.length));
    await this.lastAllowance;
    await new Promise<void>((resolve, reject) => {
      this.target.write(bytes, (cause) => {
        if (cause) reject(connectionLost(cause));
        else resolve();
      });
    });
    this.progress += bytes.length;
  }

  /** As `write`, in blocks that the rate limit likes. No other call may run meanwhile. */
  async writeAll(bytes: Uint8Array): Promise<void> {
    for (let start = 0; start < bytes.length && !this.isStopped();) {
      const end = Math.min(bytes.length, start + this.options.limiter.blockBytes);
      await this.write(bytes.subarray(start, end));
      start = end;
    }
  }

  /** Ends what still waits for its turn. */
  dispose(): void {
    this.stopped.abort(STOPPED);
    this.resources.dispose();
  }

  private async waitForAllowance(bytes: number): Promise<void> {
    const { limiter } = this.options;
    if (!limiter.isLimited) return;
    this.heldBack += 1;
    try {
      await limiter.take(bytes, this.stopped.signal);
    } finally {
      this.heldBack -= 1;
    }
  }
}

/** For a reader that has gone before the end. */
export function connectionLost(cause?: unknown): PeershelfError {
  return new PeershelfError('CONNECTION_LOST', 'the reader closed the connection', { cause });
}

function stalled(stallMs: number): PeershelfError {
  return new PeershelfError('STALLED', `the reader took nothing for ${stallMs} ms`);
}
