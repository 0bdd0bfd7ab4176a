/** A value, or the promise of one: what is in memory answers without waiting for the next turn. */
export type MaybePromise<T> = T | Promise<T>;

/** `next` of the value: now when it is there, else as soon as it is. */
export function whenReady<T, R>(
  value: MaybePromise<T>,
  next: (value: T) => MaybePromise<R>,
): MaybePromise<R> {
  return value instanceof Promise ? value.then(next) : next(value);
}
