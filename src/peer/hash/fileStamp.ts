import { type BigIntStats, fstatSync, statSync } from 'node:fs';
import * as v from 'valibot';

/** A stamp as it is stored. */
export const storedStamp = v.object({
  sizeBytes: v.pipe(v.number(), v.finite(), v.minValue(0)),
  // Before 1970 it is negative.
  modifiedMs: v.pipe(v.number(), v.finite()),
  changedNs: v.string(),
  device: v.string(),
  inode: v.string(),
});

/**
 * How a file looks from outside. As long as it stays the same, the content is taken for the same.
 */
export interface FileStamp {
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  /**
   * Time of the last change of content, name or mode, in nanoseconds as text. Programs can set the time
   * of modification back, but not this one.
   */
  readonly changedNs: string;
  /** Volume that it lies on. */
  readonly device: string;
  /** Which file of its volume it is. Text, as Windows has numbers beyond those of JavaScript. */
  readonly inode: string;
}

/** A clock that counts whole seconds writes times like this one; so do some network shares. */
const COARSE_CLOCK_MS = 1_000;
/** Two writes this close may leave the same time behind, on a coarse clock and on a fine one. */
const COARSE_DOUBT_MS = 2_100;
const FINE_DOUBT_MS = 50;

/** @throws what the system says. */
export function stampOf(path: string): FileStamp {
  return toStamp(statSync(path, { bigint: true }));
}

export function stampOfDescriptor(descriptor: number): FileStamp {
  return toStamp(fstatSync(descriptor, { bigint: true }));
}

export function isSameStamp(left: FileStamp, right: FileStamp): boolean {
  return (
    left.sizeBytes === right.sizeBytes &&
    left.modifiedMs === right.modifiedMs &&
    left.changedNs === right.changedNs &&
    isSameFile(left, right)
  );
}

/** Whether two stamps are of one file, whatever has become of its content in between. */
export function isSameFile(
  left: Pick<FileStamp, 'device' | 'inode'>,
  right: Pick<FileStamp, 'device' | 'inode'>,
): boolean {
  return left.device === right.device && left.inode === right.inode;
}

/**
 * Whether a file read at `nowMs` may be written once more without its stamp showing it, because it
 * was written a moment ago.
 */
export function isTooYoung({ modifiedMs }: FileStamp, nowMs: number): boolean {
  const isCoarse = modifiedMs % COARSE_CLOCK_MS === 0;
  return nowMs - modifiedMs < (isCoarse ? COARSE_DOUBT_MS : FINE_DOUBT_MS);
}

/** For a file whose looks say nothing yet: the stamp of no file at all. */
export function inDoubt(stamp: FileStamp): FileStamp {
  return { ...stamp, inode: '' };
}

function toStamp(stats: BigIntStats): FileStamp {
  return {
    sizeBytes: Number(stats.size),
    // As the plain `stat` gives it: milliseconds with a fraction.
    modifiedMs: Number(stats.mtimeNs / 1_000_000n) + Number(stats.mtimeNs % 1_000_000n) / 1e6,
    changedNs: stats.ctimeNs.toString(),
    device: deviceOf(stats.dev).toString(),
    inode: stats.ino.toString(),
  };
}

/** Windows has a serial number of 64 bits for a path and its lower half for an open file. */
function deviceOf(device: bigint): bigint {
  return process.platform === 'win32' ? BigInt.asUintN(32, device) : device;
}
