import { InvalidArgumentError } from 'commander';

const BYTES_PER_MEGABYTE = 1_000_000;
const MAX_MEGABYTES = 100_000;

/** Megabytes a second, as an option has them, in bytes a second. */
export function parseMegabytes(text: string): number {
  const megabytes = /^\d{1,6}(?:\.\d{1,3})?$/u.test(text) ? Number(text) : 0;
  if (megabytes <= 0 || megabytes > MAX_MEGABYTES)
    throw new InvalidArgumentError('It must be a number of megabytes above 0.');
  return megabytes * BYTES_PER_MEGABYTE;
}
