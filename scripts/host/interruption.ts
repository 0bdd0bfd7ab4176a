import { isAlive } from './processTree';

/** npm passes on a signal that the terminal has sent to all: that is one interruption, not two. */
const SAME_INTERRUPTION_MS = 1_000;
const PARENT_CHECK_MS = 1_000;

/**
 * Resolves at a signal to end, when the terminal goes away, or when the npm that runs this script
 * has ended without passing a signal on. A later signal ends this process at once.
 */
export function interruption(): Promise<void> {
  return new Promise((resolve) => {
    let firstMs: number | undefined;
    const onSignal = (): void => {
      const nowMs = performance.now();
      firstMs ??= nowMs;
      if (nowMs - firstMs > SAME_INTERRUPTION_MS) process.exit(1);
      resolve();
    };
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
    // Printing into a terminal that has gone fails; that must not keep us from cleaning up.
    for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
    if (process.env['npm_lifecycle_event'] !== undefined) whenParentEnds(resolve);
  });
}

function whenParentEnds(then: () => void): void {
  const parent = process.ppid;
  const timer = setInterval(() => {
    // A process whose parent has ended gets another one; on Windows it keeps the number.
    if (process.ppid === parent && isAlive(parent)) return;
    clearInterval(timer);
    then();
  }, PARENT_CHECK_MS);
  timer.unref();
}
