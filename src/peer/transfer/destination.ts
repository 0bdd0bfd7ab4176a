import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  statfsSync,
  writeSync,
} from 'node:fs';
import { dirname, join, parse } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { throwIfAborted } from '../../common/abort';
import { moveFile, retryWhileBusyPatiently } from '../../common/busyFile';
import { fromWriteError, PeershelfError, systemCode } from '../../common/errors';
import { isInside, resolveLinks } from '../paths';
import type { TemporaryFile } from './leftovers';

/** `name (2).ext` up to `name (1000).ext` are tried. */
const MAX_KEPT = 1_000;
const COMPARE_BLOCK_BYTES = 1024 * 1024;

/** Where a file has ended up. */
export interface Placed {
  readonly outcome: 'fetched' | 'alreadyThere';
  readonly path: string;
}

export interface DestinationOptions {
  readonly path: string;
  /** Folder that must contain the real path, if any must. */
  readonly folder: string | undefined;
  readonly ifExists: 'fail' | 'overwrite' | 'keepBoth';
}

/**
 * Where a download ends: bytes go into a temporary file beside the destination, which appears under
 * its name only by `place`, whole. File calls are synchronous: the engine has its own thread, and
 * asynchronous ones would take the few threads that all extensions share.
 */
export class Destination {
  private descriptor: number | undefined;
  private written = 0;

  constructor(
    private readonly options: DestinationOptions,
    private readonly temporary: TemporaryFile,
  ) {}

  /** Makes the folder of a destination, and checks that it really lies where it must. */
  static prepareFolder(options: DestinationOptions): void {
    const folder = dirname(options.path);
    try {
      // Before anything is made: the nearest folder that exists must lie inside already.
      assertInside(nearestExisting(folder), options);
      mkdirSync(folder, { recursive: true });
      assertInside(folder, options);
    } catch (error) {
      throw fromWriteError(error, folder);
    }
    if (lstatSync(options.path, { throwIfNoEntry: false })?.isDirectory() === true)
      throw new PeershelfError('DESTINATION_IS_FOLDER', `${options.path} is a folder`, {
        details: { path: options.path },
      });
  }

  /**
   * Starts, or starts again, with an empty temporary file.
   * @throws DISK_FULL before anything is written when `lengthBytes` cannot fit.
   */
  begin(lengthBytes: number): void {
    this.close();
    const { path } = this.temporary;
    try {
      const space = statfsSync(dirname(path));
      // Some file systems report nothing at all; they fail by themselves when they are full.
      if (space.blocks > 0 && lengthBytes > space.bavail * space.bsize)
        throw new PeershelfError('DISK_FULL', `no space for ${lengthBytes} bytes`, {
          details: { path: dirname(path), sizeBytes: lengthBytes },
        });
      // Windows has no O_NOFOLLOW; `|` takes undefined for 0.
      const { O_CREAT, O_TRUNC, O_WRONLY, O_NOFOLLOW } = constants;
      this.descriptor = openSync(path, O_CREAT | O_TRUNC | O_WRONLY | O_NOFOLLOW, 0o666);
    } catch (error) {
      throw fromWriteError(error, dirname(path));
    }
    this.written = 0;
  }

  /** Bytes written since `begin`. */
  get writtenBytes(): number {
    return this.written;
  }

  write(bytes: Uint8Array): void {
    if (this.descriptor === undefined) throw new PeershelfError('INTERNAL', 'nothing was begun');
    try {
      for (let offset = 0; offset < bytes.length;)
        offset += writeSync(this.descriptor, bytes, offset, bytes.length - offset);
    } catch (error) {
      throw fromWriteError(error, this.options.path);
    }
    this.written += bytes.length;
  }

  /**
   * Gives the finished file its name.
   * @throws DESTINATION_EXISTS when other content is there and must stay.
   */
  async place(signal: AbortSignal): Promise<Placed> {
    this.close();
    const { path, ifExists } = this.options;
    try {
      if (ifExists === 'overwrite') {
        await retryWhileBusyPatiently(() => {
          // Before each attempt: the folder may become a link while this waits.
          assertInside(dirname(path), this.options);
          renameSync(this.temporary.path, path);
        }, signal);
        return { outcome: 'fetched', path };
      }
      assertInside(dirname(path), this.options);
      if (moveWithoutReplacing(this.temporary.path, path)) return { outcome: 'fetched', path };
      if (await haveSameContent(this.temporary.path, path, signal))
        return { outcome: 'alreadyThere', path };
      if (ifExists === 'keepBoth') return { outcome: 'fetched', path: this.placeBeside() };
    } catch (error) {
      throw fromWriteError(error, path);
    }
    throw destinationExists(path);
  }

  /** Closes and removes what is temporary. Must be called at the end, whatever happened. */
  dispose(): void {
    this.close();
    this.temporary.release();
  }

  private placeBeside(): string {
    const { dir, name, ext } = parse(this.options.path);
    for (let number = 2; number <= MAX_KEPT; number += 1) {
      const path = join(dir, `${name} (${number})${ext}`);
      if (moveWithoutReplacing(this.temporary.path, path)) return path;
    }
    throw destinationExists(this.options.path);
  }

  private close(): void {
    if (this.descriptor !== undefined) closeSync(this.descriptor);
    this.descriptor = undefined;
  }
}

export function destinationExists(path: string): PeershelfError {
  return new PeershelfError('DESTINATION_EXISTS', `${path} exists with other content`, {
    details: { path },
  });
}

/**
 * Whether two files hold the same bytes; false when either is no file. Others get their turn after
 * every block: large files take long to read.
 */
export async function haveSameContent(
  left: string,
  right: string,
  signal: AbortSignal,
): Promise<boolean> {
  const descriptors = [openSync(left, 'r')];
  try {
    if (lstatSync(right).isFile()) descriptors.push(openSync(right, 'r'));
    const [first, second] = descriptors;
    if (first === undefined || second === undefined) return false;
    if (fstatSync(first).size !== fstatSync(second).size) return false;
    const blocks = [Buffer.alloc(COMPARE_BLOCK_BYTES), Buffer.alloc(COMPARE_BLOCK_BYTES)] as const;
    for (;;) {
      throwIfAborted(signal);
      await setImmediate();
      const count = readSync(first, blocks[0]);
      if (count !== readSync(second, blocks[1])) return false;
      if (count === 0) return true;
      if (!blocks[0].subarray(0, count).equals(blocks[1].subarray(0, count))) return false;
    }
  } finally {
    descriptors.forEach(closeSync);
  }
}

/** False when something is there already; a check and a rename alone would replace it in between. */
function moveWithoutReplacing(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true; // The temporary name goes when the destination is disposed.
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false;
  }
  // File systems without hard links (FAT, some network shares).
  if (lstatSync(to, { throwIfNoEntry: false }) !== undefined) return false;
  moveFile(from, to);
  return true;
}

function assertInside(path: string, { folder }: DestinationOptions): void {
  if (folder === undefined || isInside(resolveLinks(folder), resolveLinks(path))) return;
  throw new PeershelfError('OUTSIDE_FOLDER', `${path} leads out of ${folder}`, {
    details: { path, folder },
  });
}

function nearestExisting(folder: string): string {
  let path = folder;
  while (!existsSync(path) && dirname(path) !== path) path = dirname(path);
  return path;
}
