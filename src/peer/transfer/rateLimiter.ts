import { onAbort, throwIfAborted } from '../../common/abort';
import type { Clock } from '../../common/clock';
import { DisposableSlot } from '../../common/disposable';
import { PeershelfError } from '../../common/errors';

/** What may be sent at once after a pause: this much of a second. */
const BURST_SECONDS = 0.1;
/** Blocks of limited transfers take about this much of a second each, so that they flow evenly. */
const BLOCK_SECONDS = 0.125;
const MIN_BLOCK_BYTES = 1024;
const MAX_BLOCK_BYTES = 64 * 1024;
/** A changed rate counts at the latest after this time, also for those who wait already. */
const LONGEST_NAP_MS = 250;

interface Taker {
  readonly bytes: number;
  readonly start: () => void;
}

/**
 * Lets a number of bytes per second through, in the order in which they were asked for. Whoever is
 * first goes when there is any allowance at all and leaves a debt for the next, so that a block may
 * be larger than what a slow rate gives in one turn.
 */
export class RateLimiter {
  private readonly takers: Taker[] = [];
  private readonly nap = new DisposableSlot();
  /** Bytes that may go now; negative while a debt is paid off. */
  private allowance: number;
  private filledAtMs: number;

  constructor(
    private readonly clock: Clock,
    /** Asked again all the time: it may change while transfers run. 0 is no limit. */
    private readonly bytesPerSecond: () => number,
  ) {
    this.allowance = this.bytesPerSecond() * BURST_SECONDS;
    this.filledAtMs = clock.monotonic();
  }

  get isLimited(): boolean {
    return this.bytesPerSecond() > 0;
  }

  /** Most bytes to ask for at once; infinite without a limit. */
  get blockBytes(): number {
    const rate = this.bytesPerSecond();
    if (rate <= 0) return Number.POSITIVE_INFINITY;
    const even = Math.floor(rate * BLOCK_SECONDS);
    return Math.min(MAX_BLOCK_BYTES, Math.max(MIN_BLOCK_BYTES, even));
  }

  /** Resolves when `bytes` may be sent. @throws CANCELLED when aborted before. */
  async take(bytes: number, signal: AbortSignal): Promise<void> {
    throwIfAborted(signal);
    this.fill();
    if (this.takers.length === 0 && this.isOpen) {
      this.spend(bytes);
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const taker: Taker = {
        bytes,
        start: () => {
          abort.dispose();
          resolve();
        },
      };
      const abort = onAbort(signal, () => {
        this.takers.splice(this.takers.indexOf(taker), 1);
        if (this.takers.length === 0) this.nap.set(undefined);
        reject(new PeershelfError('CANCELLED', 'cancelled'));
      });
      this.takers.push(taker);
      if (this.takers.length === 1) this.sleep();
    });
  }

  private serve(): void {
    this.fill();
    while (this.isOpen) {
      const next = this.takers.shift();
      if (next === undefined) return;
      this.spend(next.bytes);
      next.start();
    }
    if (this.takers.length > 0) this.sleep();
  }

  private get isOpen(): boolean {
    return !this.isLimited || this.allowance > 0;
  }

  /** Without a limit nobody gets into debt: one that is set later starts from nothing. */
  private spend(bytes: number): void {
    if (this.isLimited) this.allowance -= bytes;
  }

  private fill(): void {
    const rate = this.bytesPerSecond();
    const nowMs = this.clock.monotonic();
    const earned = ((nowMs - this.filledAtMs) / 1000) * rate;
    this.filledAtMs = nowMs;
    this.allowance = rate > 0 ? Math.min(rate * BURST_SECONDS, this.allowance + earned) : 0;
  }

  private sleep(): void {
    const missingMs = ((1 - this.allowance) / this.bytesPerSecond()) * 1000;
    const napMs = Math.min(LONGEST_NAP_MS, Math.max(1, Math.ceil(missingMs)));
    this.nap.set(this.clock.after(napMs, () => this.serve()));
  }
}
