import type { Clock } from '../../../common/clock';

/**
 * Who is sent nothing of what the user has just ended. Long enough for the program of a fetcher, which
 * tries again at once, to give up; short enough that people who ask again are served.
 */
const DECLINE_MS = 30_000;
const MAX_DECLINED = 1_000;

/** In the place of a name: everything. */
const ALL = '';

/** What whom is declined for a while; the oldest is forgotten when there are too many. */
export class Declined {
  private readonly untilMs = new Map<string, number>();

  constructor(private readonly clock: Clock) {}

  /** @param names published names; of `everything`, what is in a batch is not even named. */
  add(address: string, names: Iterable<string> | 'everything'): void {
    const untilMs = this.clock.monotonic() + DECLINE_MS;
    for (const name of names === 'everything' ? [ALL] : names) {
      const key = keyOf(address, name);
      // The order is that of adding.
      this.untilMs.delete(key);
      this.untilMs.set(key, untilMs);
    }
    for (const key of this.untilMs.keys()) {
      if (this.untilMs.size <= MAX_DECLINED) break;
      this.untilMs.delete(key);
    }
  }

  has(address: string, name: string): boolean {
    return this.isRunning(keyOf(address, name)) || this.isRunning(keyOf(address, ALL));
  }

  private isRunning(key: string): boolean {
    const untilMs = this.untilMs.get(key);
    if (untilMs === undefined) return false;
    if (untilMs > this.clock.monotonic()) return true;
    this.untilMs.delete(key);
    return false;
  }
}

function keyOf(address: string, name: string): string {
  return JSON.stringify([address, name]);
}
