import { systemClock } from '../../src/common/clock';
import { nullLogger } from '../../src/common/logger';
import type { HostPort } from '../../src/protocol/address';
import { Tracker, type TrackerDependencies, type TrackerOptions } from '../../src/tracker/tracker';
import type { Cleanup } from '../../scripts/host/cleanup';

export interface TestTracker {
  readonly tracker: Tracker;
  readonly address: HostPort;
}

/** Starts a tracker on a free port of loopback; stopped after the test. */
export async function startTracker(
  cleanup: Cleanup,
  options: Partial<TrackerOptions> = {},
  dependencies: Partial<TrackerDependencies> = {},
): Promise<TestTracker> {
  const tracker = new Tracker(
    { clock: systemClock, logger: nullLogger, ...dependencies },
    { host: '127.0.0.1', port: 0, ...options },
  );
  cleanup.add(() => tracker.stop());
  return { tracker, address: await tracker.start() };
}
