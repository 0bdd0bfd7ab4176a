import { type Disposable, toDisposable } from './disposable';
import { PeershelfError } from './errors';

/** Where time comes from. Tests hand in one that they move by hand. */
export interface Clock {
  /** Wall clock in milliseconds since the epoch: for what is shown or sent. */
  now(): number;
  /** Milliseconds that only grow: for measuring how long something takes. */
  monotonic(): number;
  /** Runs `callback` once after `delayMs`; disposing it before cancels it. Does not keep the process alive. */
  after(delayMs: number, callback: () => void): Disposable;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after: (delayMs, callback) => {
    const timer = setTimeout(callback, delayMs);
    timer.unref();
    return toDisposable(() => clearTimeout(timer));
  },
};

/** Runs `callback` every `intervalMs` until disposed. */
export function every(clock: Clock, intervalMs: number, callback: () => void): Disposable {
  let disposed = false;
  let timer: Disposable;
  const arm = (): void => {
    timer = clock.after(intervalMs, () => {
      callback();
      if (!disposed) arm();
    });
  };
  arm();
  return toDisposable(() => {
    disposed = true;
    timer.dispose();
  });
}

/** Resolves after `delayMs`; rejects with `CANCELLED` as soon as `signal` aborts. */
export function delay(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(new PeershelfError('CANCELLED', 'cancelled'));
      return;
    }
    const onAbort = (): void => {
      timer.dispose();
      reject(new PeershelfError('CANCELLED', 'cancelled'));
    };
    const timer = clock.after(delayMs, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
