import type { Clock } from '../../common/clock';

const WINDOW_MS = 60_000;
/** Addresses remembered; the oldest one is forgotten for another. */
const MAX_ADDRESSES = 1_024;

/**
 * Where somebody else was than the one looked for. A tracker can send peers to any address: by this
 * table they do not come back there again and again.
 */
export class PinFailures {
  /** Times of failures by address; the address that failed last stands last. */
  private readonly failures = new Map<string, readonly number[]>();

  /** @param maxFailures attempts at an address within the window, when none has found whom it looked for. */
  constructor(
    private readonly clock: Clock,
    private readonly maxFailures: number,
  ) {}

  /** Whether no further attempt may be made for now. */
  isSpent(address: string): boolean {
    return this.recent(address).length >= this.maxFailures;
  }

  add(address: string): void {
    const times = [...this.recent(address), this.clock.monotonic()];
    this.failures.delete(address);
    this.failures.set(address, times);
    for (const oldest of this.failures.keys()) {
      if (this.failures.size <= MAX_ADDRESSES) break;
      this.failures.delete(oldest);
    }
  }

  private recent(address: string): readonly number[] {
    const sinceMs = this.clock.monotonic() - WINDOW_MS;
    return (this.failures.get(address) ?? []).filter((timeMs) => timeMs > sinceMs);
  }
}
