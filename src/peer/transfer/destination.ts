import {
  closeSync,
  constants,
  fstatSync,
  linkSync,
  lstatSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statfsSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join, parse } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { throwIfAborted } from '../../common/abort';
import { moveFile, retryWhileBusyPatiently } from '../../common/busyFile';
import { fromWriteError, PeershelfError, systemCode } from '../../common/errors';
import { HeldFolder } from '../fetch/heldFolder';
import { inRepository, makingNoRepository, wouldBeRepository } from '../fetch/repositoryGuard';
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
    /** The folder of the destination; whoever has opened it closes it. */
    private readonly folder: HeldFolder,
    private readonly temporary: TemporaryFile,
  ) {}

  /**
   * Makes the folder of a destination, and checks that it really lies where it must; gives the path of
   * the destination without links on the way to it.
   */
  static prepareFolder(options: DestinationOptions): string {
    const place = Destination.openPlace(options);
    try {
      return join(place.realPath, basename(options.path));
    } finally {
      place.close();
    }
  }

  /** The folder of a destination, made where it is missing and known to lie where it must. */
  static openPlace({ path, folder }: Pick<DestinationOptions, 'path' | 'folder'>): HeldFolder {
    let place: HeldFolder;
    try {
      place = makingNoRepository(path, () =>
        HeldFolder.open({ path: dirname(path), within: folder, makes: true }),
      );
    } catch (error) {
      throw fromWriteError(error, dirname(path));
    }
    if (lstatSync(place.at(basename(path)), { throwIfNoEntry: false })?.isDirectory() !== true)
      return place;
    place.close();
    throw new PeershelfError('DESTINATION_IS_FOLDER', `${path} is a folder`, { details: { path } });
  }

  /**
   * Starts, or starts again, with an empty temporary file.
   * @throws DISK_FULL before anything is written when `lengthBytes` cannot fit.
   */
  begin(lengthBytes: number): void {
    this.close();
    const { path, at } = this.temporary;
    try {
      this.folder.assertInPlace();
      const space = statfsSync(dirname(at));
      // Some file systems report nothing at all; they fail by themselves when they are full.
      if (space.blocks > 0 && lengthBytes > space.bavail * space.bsize)
        throw new PeershelfError('DISK_FULL', `no space for ${lengthBytes} bytes`, {
          details: { path: dirname(path), sizeBytes: lengthBytes },
        });
      // Windows has no O_NOFOLLOW; `|` takes undefined for 0.
      const { O_CREAT, O_TRUNC, O_WRONLY, O_NOFOLLOW } = constants;
      this.descriptor = openSync(at, O_CREAT | O_TRUNC | O_WRONLY | O_NOFOLLOW, 0o666);
      this.folder.assertInPlace();
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
        await retryWhileBusyPatiently(
          () => this.name(basename(path), (from, to) => (renameSync(from, to), true)),
          signal,
        );
        return { outcome: 'fetched', path };
      }
      if (this.name(basename(path), moveWithoutReplacing)) return { outcome: 'fetched', path };
      if (await haveSameContent(this.temporary.at, this.folder.at(basename(path)), signal))
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
      const other = `${name} (${number})${ext}`;
      if (this.name(other, moveWithoutReplacing)) return join(dir, other);
    }
    throw destinationExists(this.options.path);
  }

  /**
   * Gives the temporary file a name in its folder; false when that is taken. Where the folder cannot be
   * held open its path is looked up before and behind: what went elsewhere is taken back, and so is what
   * has become part of a Git repository by what another process has placed meanwhile.
   */
  private name(name: string, move: (from: string, to: string) => boolean): boolean {
    const to = this.folder.at(name);
    const path = join(this.folder.realPath, name);
    this.folder.assertInPlace();
    if (wouldBeRepository(path)) throw inRepository(name);
    const isNamed = move(this.temporary.at, to);
    const isRepository = isNamed && wouldBeRepository(path);
    if (isRepository || (isNamed && !this.folder.isInPlace())) rmSync(to, { force: true });
    this.folder.assertInPlace();
    if (isRepository) throw inRepository(name);
    return isNamed;
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
export function moveWithoutReplacing(from: string, to: string): boolean {
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
