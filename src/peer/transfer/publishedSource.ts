import { closeSync, constants, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { PeershelfError } from '../../common/errors';
import { resolveLinks } from '../paths';
import type { CatalogueEntry } from '../catalogue/catalogue';

/**
 * An open published file. It is certain to be the regular file at the very path that was published:
 * a link that was put in its place since, or on the way to it, is as good as gone.
 */
export class PublishedSource {
  private constructor(
    private readonly descriptor: number,
    /** Bytes at the time of opening. */
    readonly sizeBytes: number,
    private readonly modifiedMs: number,
    private readonly inode: number,
  ) {}

  /** @throws FILE_GONE, or FILE_UNREADABLE with the system's error as its cause. */
  static open(entry: CatalogueEntry): PublishedSource {
    const descriptor = openRegularFile(entry);
    try {
      const stats = fstatSync(descriptor);
      // Checked again behind the open: the path may have been changed in between.
      const behind = statSync(entry.path, { throwIfNoEntry: false });
      const isSameFile = behind?.ino === stats.ino && behind.dev === stats.dev;
      if (!stats.isFile() || !isSameFile || resolveLinks(entry.path) !== entry.realPath)
        throw gone(entry);
      return new PublishedSource(descriptor, stats.size, stats.mtimeMs, stats.ino);
    } catch (error) {
      closeSync(descriptor);
      throw PeershelfError.is(error) ? error : gone(entry, error);
    }
  }

  /** Fills `buffer` from `position` on; returns how many bytes it got, 0 at the end. */
  read(buffer: Uint8Array, position: number): number {
    return readSync(this.descriptor, buffer, 0, buffer.length, position);
  }

  /** Whether the file is still as it was when it was opened. */
  isUnchanged(): boolean {
    const stats = fstatSync(this.descriptor);
    return stats.size === this.sizeBytes && stats.mtimeMs === this.modifiedMs;
  }

  /** Whether it was, when it was opened, what has been published. */
  isAsPublished(entry: CatalogueEntry): boolean {
    return this.sizeBytes === entry.sizeBytes && this.modifiedMs === entry.modifiedMs;
  }

  /** Whether the path still leads to this very file, and that is as it was when it was opened. */
  isInPlace(entry: CatalogueEntry): boolean {
    try {
      const behind = statSync(entry.path, { throwIfNoEntry: false });
      return (
        behind?.ino === this.inode &&
        resolveLinks(entry.path) === entry.realPath &&
        this.isUnchanged()
      );
    } catch {
      return false; // A folder on the way is gone or closed: then the file is not in its place.
    }
  }

  close(): void {
    closeSync(this.descriptor);
  }
}

function openRegularFile(entry: CatalogueEntry): number {
  const stats = statSync(entry.path, { throwIfNoEntry: false });
  if (stats === undefined || !stats.isFile() || resolveLinks(entry.path) !== entry.realPath)
    throw gone(entry);
  // Without O_NONBLOCK, opening a pipe that took the file's place would wait for ever. Windows has
  // neither it nor O_NOFOLLOW; `|` takes undefined for 0.
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
  try {
    return openSync(entry.realPath, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (cause) {
    throw new PeershelfError('FILE_UNREADABLE', `cannot read ${entry.path}`, {
      cause,
      details: { path: entry.path },
    });
  }
}

function gone(entry: CatalogueEntry, cause?: unknown): PeershelfError {
  return new PeershelfError('FILE_GONE', `${entry.path} is not there any more`, {
    cause,
    details: { path: entry.path },
  });
}
