import type { Event } from '../../src/common/events';

/** Only what fails waits for so long: a busy machine must not make it fail. */
const DEADLINE_MS = 40_000;
const POLL_MS = 5;
const MAX_POLL_MS = 100;
/** Asking takes time from what is waited for: what takes long is asked after less often. */
const POLL_SHARE = 0.05;

/** Resolves to the first value of `event` that `accept` takes; rejects after a deadline. */
export function nextEvent<T>(
  event: Event<T>,
  accept: (value: T) => boolean = () => true,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      subscription.dispose();
      reject(new Error('the event did not come in time'));
    }, DEADLINE_MS);
    const subscription = event((value) => {
      if (!accept(value)) return;
      clearTimeout(timer);
      subscription.dispose();
      resolve(value);
    });
  });
}

/** Resolves to the first defined result of `probe`, asked again and again; rejects after a deadline. */
export async function eventually<T>(
  probe: () => T | undefined | Promise<T | undefined>,
  what: string,
  deadlineMs = DEADLINE_MS,
): Promise<T> {
  const startMs = performance.now();
  for (;;) {
    const found = await probe();
    if (found !== undefined && found !== false) return found;
    const waitedMs = performance.now() - startMs;
    if (waitedMs > deadlineMs) throw new Error(`not in time: ${what}`);
    const pauseMs = Math.min(MAX_POLL_MS, Math.max(POLL_MS, waitedMs * POLL_SHARE));
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}
