import { type Clock, systemClock } from '../../src/common/clock';

/** The system's time, `factor` times as fast: for waits that are not what a test is about. */
export function hurriedClock(factor: number): Clock {
  return {
    now: () => Date.now(),
    monotonic: () => performance.now() * factor,
    after: (delayMs, callback) => systemClock.after(delayMs / factor, callback),
  };
}
