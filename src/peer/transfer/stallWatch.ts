import type { Clock } from '../../common/clock';
import { type Disposable, DisposableSlot } from '../../common/disposable';

/** How often within the allowed time a transfer is looked at. */
const LOOKS = 4;

export interface StallWatchOptions {
  readonly clock: Clock;
  /** Bytes so far: what has to grow. */
  readonly progress: () => number;
  readonly stallMs: number;
  readonly onStall: () => void;
}

/**
 * Calls `onStall` when nothing has moved for `stallMs`, up to a quarter late. It looks now and then
 * instead of moving a timer with every block, of which there are thousands a second.
 */
export function watchForStall({
  clock,
  progress,
  stallMs,
  onStall,
}: StallWatchOptions): Disposable {
  const timer = new DisposableSlot();
  let seen = progress();
  let sinceMs = clock.monotonic();
  const look = (): void => {
    if (progress() !== seen) {
      seen = progress();
      sinceMs = clock.monotonic();
    } else if (clock.monotonic() - sinceMs >= stallMs) {
      onStall();
      return;
    }
    timer.set(clock.after(stallMs / LOOKS, look));
  };
  look();
  return timer;
}
