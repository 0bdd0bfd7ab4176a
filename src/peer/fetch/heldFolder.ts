import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmdirSync,
  rmSync,
  statSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { PeershelfError, systemCode } from '../../common/errors';
import { isInside, resolveLinks } from '../paths';
import { pathOfDescriptor } from '../publish/exactPath';

/** `O_PATH` of Linux, which Node does not name: a folder is held without the right to list it. */
const O_PATH = 0o10000000;

/** For its user alone. */
const PRIVATE_MODE = 0o700;

export interface HeldFolderOptions {
  readonly path: string;
  /** Folder that it must lie in, if any must. */
  readonly within?: string | undefined;
  /** Whether it is made, with those above it, where it is not there. */
  readonly makes?: boolean;
}

/**
 * A folder that files are put into. Where the system can, it is held open: whatever its path leads to
 * meanwhile, a file goes into this very folder, which was seen to lie where it must. Elsewhere the path
 * is looked up again around every step: see {@link isInPlace}.
 */
export class HeldFolder {
  private descriptor: number | undefined;
  private isClosed = false;

  private constructor(
    /** Its path without links, as it was when it was opened. */
    readonly realPath: string,
    descriptor: number | undefined,
    private readonly identity: string,
  ) {
    this.descriptor = descriptor;
  }

  /** @throws OUTSIDE_FOLDER before anything is made outside, and what the system says. */
  static open(options: HeldFolderOptions): HeldFolder {
    return process.platform === 'linux' && pathOfDescriptorWorks()
      ? HeldFolder.hold(options)
      : HeldFolder.lookUp(options);
  }

  /** A new folder of this user alone in a held one. @throws what the system says. */
  static makePrivate(parent: HeldFolder, name: string): HeldFolder {
    const path = parent.at(name);
    mkdirSync(path, { mode: PRIVATE_MODE });
    const made = HeldFolder.open({ path });
    // Whoever may write into the folder around it could have put another one into its place.
    const isOurs =
      made.realPath === join(parent.realPath, name) &&
      (process.geteuid === undefined || statSync(made.at('.')).uid === process.geteuid());
    if (isOurs) return made;
    made.close();
    throw outside(path, parent.realPath);
  }

  private static hold({ path, within, makes = false }: HeldFolderOptions): HeldFolder {
    const descriptor = makes ? openMaking(path, within) : openFolder(path);
    try {
      assertInside(descriptor, path, within);
      return new HeldFolder(
        pathOf(descriptor),
        descriptor,
        identityOf(`/proc/self/fd/${descriptor}/.`),
      );
    } catch (error) {
      closeSync(descriptor);
      throw error;
    }
  }

  private static lookUp({ path, within, makes = false }: HeldFolderOptions): HeldFolder {
    const assertIsInside = (folder: string): void => {
      if (within !== undefined && !isInside(resolveLinks(within), resolveLinks(folder)))
        throw outside(path, within);
    };
    if (makes) {
      assertIsInside(nearestExisting(path));
      mkdirSync(path, { recursive: true });
    }
    assertIsInside(path);
    const realPath = resolveLinks(path);
    return new HeldFolder(realPath, undefined, identityOf(realPath));
  }

  /** A path for file calls on what has this name in the folder; of use until `close`. */
  at(name: string): string {
    if (this.descriptor === undefined) return join(this.realPath, name);
    return `/proc/self/fd/${this.descriptor}/${name}`;
  }

  /** Whether `at` is still of use. */
  get isOpen(): boolean {
    return !this.isClosed;
  }

  /**
   * Whether `at` still leads into this folder: always, where it is held open. Where not, it is asked
   * before and behind everything that makes something.
   */
  isInPlace(): boolean {
    if (this.descriptor !== undefined) return true;
    try {
      return (
        resolveLinks(this.realPath) === this.realPath && identityOf(this.realPath) === this.identity
      );
    } catch {
      return false;
    }
  }

  /** @throws OUTSIDE_FOLDER when its path leads elsewhere now. */
  assertInPlace(): void {
    if (!this.isInPlace()) throw outside(this.realPath, this.realPath);
  }

  /** Removes a file, a link, or a folder with all that is in it; links are not followed. */
  remove(name: string): void {
    const path = this.at(name);
    const isFolder = lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
    if (this.descriptor === undefined || !isFolder) {
      if (this.isInPlace()) rmSync(path, { force: true, recursive: true });
      return;
    }
    // Held, so that nobody can lead this astray between the look and the deed.
    const inner = openSync(path, O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW);
    try {
      for (const child of readdirSync(`/proc/self/fd/${inner}/.`))
        rmSync(`/proc/self/fd/${inner}/${child}`, { force: true, recursive: true });
    } finally {
      closeSync(inner);
    }
    rmdirSync(path);
  }

  close(): void {
    if (this.descriptor !== undefined) closeSync(this.descriptor);
    this.descriptor = undefined;
    this.isClosed = true;
  }
}

let worksHere: boolean | undefined;

/** Without /proc nothing can be held. */
function pathOfDescriptorWorks(): boolean {
  if (worksHere !== undefined) return worksHere;
  const descriptor = openFolder('/');
  worksHere = pathOfDescriptor(descriptor) === '/';
  closeSync(descriptor);
  return worksHere;
}

function openFolder(path: string): number {
  return openSync(path, O_PATH | constants.O_DIRECTORY);
}

/** Opens a folder and makes those that are missing, each in the held one above it. */
function openMaking(path: string, within: string | undefined): number {
  try {
    return openFolder(path);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT' || dirname(path) === path) throw error;
  }
  const above = openMaking(dirname(path), within);
  try {
    // Before anything is made: the folder around it must lie inside already.
    assertInside(above, path, within);
    const held = `/proc/self/fd/${above}/${basename(path)}`;
    try {
      mkdirSync(held);
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') throw error;
    }
    return openFolder(held);
  } finally {
    closeSync(above);
  }
}

function assertInside(descriptor: number, path: string, within: string | undefined): void {
  if (within === undefined) return;
  const outer = openFolder(within);
  try {
    if (!isInside(pathOf(outer), pathOf(descriptor))) throw outside(path, within);
  } finally {
    closeSync(outer);
  }
}

function pathOf(descriptor: number): string {
  const path = pathOfDescriptor(descriptor);
  if (path === undefined || fstatSync(descriptor).nlink === 0)
    throw new PeershelfError('FOLDER_NOT_WRITABLE', 'the folder is gone');
  return path;
}

function identityOf(path: string): string {
  const { dev, ino } = statSync(path, { bigint: true });
  return `${dev} ${ino}`;
}

function nearestExisting(folder: string): string {
  let path = folder;
  while (statSync(path, { throwIfNoEntry: false }) === undefined && dirname(path) !== path)
    path = dirname(path);
  return path;
}

function outside(path: string, folder: string): PeershelfError {
  return new PeershelfError('OUTSIDE_FOLDER', `${path} leads out of ${folder}`, {
    details: { path, folder },
  });
}
