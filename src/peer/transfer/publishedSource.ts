import { closeSync, readSync, statSync } from 'node:fs';
import { PeershelfError, systemCode } from '../../common/errors';
import type { CatalogueEntry } from '../catalogue/catalogue';
import {
  type FileStamp,
  isSameFile,
  isSameStamp,
  stampOf,
  stampOfDescriptor,
} from '../hash/fileStamp';
import { resolveLinks } from '../paths';
import { openExactly } from '../publish/exactPath';

/**
 * An open published file. It is certain to be the very file that was published, by volume and number:
 * a link that was put in its place since, or on the way to it, is as good as gone, and another file
 * there is a changed one.
 */
export class PublishedSource {
  private constructor(
    private readonly descriptor: number,
    /** Stamp of the file when it was opened. */
    private readonly stamp: FileStamp,
  ) {}

  /** @throws FILE_GONE, FILE_CHANGED for another file, or FILE_UNREADABLE with its cause. */
  static open(entry: CatalogueEntry): PublishedSource {
    if (!isThere(entry)) throw gone(entry);
    const descriptor = openFile(entry);
    try {
      // Of the open file, before any byte is read: paths may lead elsewhere by now.
      const stamp = stampOfDescriptor(descriptor);
      if (!isSameFile(stamp, entry.stamp))
        throw new PeershelfError('FILE_CHANGED', `${entry.path} is another file now`, {
          details: { path: entry.path },
        });
      return new PublishedSource(descriptor, stamp);
    } catch (error) {
      closeSync(descriptor);
      throw PeershelfError.is(error) ? error : gone(entry, error);
    }
  }

  /** Bytes at the time of opening. */
  get sizeBytes(): number {
    return this.stamp.sizeBytes;
  }

  /** Fills `buffer` from `position` on; returns how many bytes it got, 0 at the end. */
  read(buffer: Uint8Array, position: number): number {
    return readSync(this.descriptor, buffer, 0, buffer.length, position);
  }

  /** Whether the file is still as it was when it was opened. */
  isUnchanged(): boolean {
    return isSameStamp(stampOfDescriptor(this.descriptor), this.stamp);
  }

  /** Whether it was, when it was opened, what has been published. */
  isAsPublished(entry: CatalogueEntry): boolean {
    return isSameStamp(this.stamp, entry.stamp);
  }

  /** Whether the path still leads to this very file, and that is as it was when it was opened. */
  isInPlace(entry: CatalogueEntry): boolean {
    try {
      return (
        isSameFile(stampOf(entry.path), this.stamp) &&
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

function isThere({ path, realPath }: CatalogueEntry): boolean {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats?.isFile() === true && resolveLinks(path) === realPath;
}

function openFile(entry: CatalogueEntry): number {
  try {
    return openExactly(entry.realPath);
  } catch (cause) {
    if (systemCode(cause) === 'ELOOP' || PeershelfError.is(cause)) throw gone(entry, cause);
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
