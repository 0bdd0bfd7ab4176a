import { PeershelfError } from './errors';

/** Ends an exhaustive `switch`: the compiler refuses it while a case is missing. */
export function assertNever(value: never): never {
  throw new PeershelfError('INTERNAL', `unexpected value ${JSON.stringify(value)}`);
}
