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
