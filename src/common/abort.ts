import { type Disposable, toDisposable } from './disposable';
import { PeershelfError } from './errors';

/** Throws `CANCELLED` when `signal` has aborted. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw new PeershelfError('CANCELLED', 'cancelled');
}

/** Runs `action` when `signal` aborts, at once if it already has. Dispose to stop listening. */
export function onAbort(signal: AbortSignal | undefined, action: () => void): Disposable {
  if (signal === undefined) return toDisposable(() => undefined);
  if (signal.aborted) {
    action();
    return toDisposable(() => undefined);
  }
  signal.addEventListener('abort', action, { once: true });
  return toDisposable(() => signal.removeEventListener('abort', action));
}

/** As `promise`, but rejects with `CANCELLED` at once when `signal` aborts. */
export async function abortable<T>(
  promise: Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  let abort: Disposable | undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    abort = onAbort(signal, () => reject(new PeershelfError('CANCELLED', 'cancelled')));
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    abort?.dispose();
  }
}
