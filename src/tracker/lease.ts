import { readFile, stat } from 'node:fs/promises';
import type { Clock } from '../common/clock';
import { type Disposable, DisposableSlot } from '../common/disposable';

/** How often the lease is looked at: a word to stop is heard within a second. */
export const LEASE_TICK_MS = 1_000;

/**
 * Most that one tick adds to the age of a lease. A computer that slept through the lease wakes with
 * its editor asleep beside it, so the time that nobody was running must not count.
 */
export const MAX_TICK_AGE_MS = 5_000;

/** What a lease looks like now. `mark` differs whenever its holder has renewed it. */
export interface LeaseReading {
  readonly mark: string;
  readonly wantsStop: boolean;
}

export interface LeaseOptions {
  readonly clock: Clock;
  /** Undefined while the lease cannot be read, which is no renewal. Never rejects. */
  readonly read: () => Promise<LeaseReading | undefined>;
  readonly leaseMs: number;
  /** Called once, when nobody has renewed for `leaseMs` or the holder says stop. */
  readonly onEnd: (reason: LeaseEnd) => void;
}

export type LeaseEnd = 'expired' | 'stop';

/** Ends what depends on someone else's life when that one is gone, which no signal would tell. */
export class Lease implements Disposable {
  private readonly timer = new DisposableSlot();
  private mark: string | undefined;
  private ageMs = 0;
  private tickedAtMs = 0;
  private ended = false;

  constructor(private readonly options: LeaseOptions) {}

  /** Looks at the lease now and from now on. */
  start(): void {
    this.tickedAtMs = this.options.clock.monotonic();
    void this.tick();
  }

  dispose(): void {
    this.ended = true;
    this.timer.dispose();
  }

  private async tick(): Promise<void> {
    const { clock, read, leaseMs } = this.options;
    const reading = await read();
    if (this.ended) return;
    const nowMs = clock.monotonic();
    this.ageMs += Math.min(nowMs - this.tickedAtMs, MAX_TICK_AGE_MS);
    this.tickedAtMs = nowMs;
    if (reading !== undefined && reading.mark !== this.mark) {
      this.mark = reading.mark;
      this.ageMs = 0;
    }
    if (reading?.wantsStop === true) this.end('stop');
    else if (this.ageMs >= leaseMs) this.end('expired');
    else this.timer.set(clock.after(LEASE_TICK_MS, () => void this.tick()));
  }

  private end(reason: LeaseEnd): void {
    this.dispose();
    this.options.onEnd(reason);
  }
}

/** Reads a lease that is a file: touching it renews, and the word `stop` in it ends. */
export async function readLeaseFile(path: string): Promise<LeaseReading | undefined> {
  try {
    const [{ mtimeMs }, text] = await Promise.all([stat(path), readFile(path, 'utf8')]);
    return {
      mark: `${mtimeMs} ${text}`,
      wantsStop: /\bstop\b/u.test(text),
    };
  } catch {
    // Not there or not readable: whatever the reason, its holder has not renewed it.
    return undefined;
  }
}
