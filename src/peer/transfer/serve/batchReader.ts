import { closeSync, fstatSync, readSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { PeershelfError, systemCode } from '../../../common/errors';
import { resolveLinks } from '../../paths';
import type { CatalogueEntry } from '../../catalogue/catalogue';
import { isSameStamp, stampOfDescriptor } from '../../hash/fileStamp';
import { openExactly } from '../../publish/exactPath';

/** Windows opens what a link leads to whatever it is told. */
const CAN_REFUSE_LINKS = process.platform !== 'win32';

/**
 * Reads small published files whole, with as few calls of the system as will do: the real path of a
 * folder is looked up once for all its files, until `forget`.
 */
export class BatchReader {
  private readonly realFolders = new Map<string, string>();

  /** Looks up every folder again from now on. To be called whenever something was waited for. */
  forget(): void {
    this.realFolders.clear();
  }

  /**
   * Fills `target`, which is as long as the published file, with its bytes.
   * @throws FILE_GONE, FILE_CHANGED, or the system's error.
   */
  read(entry: CatalogueEntry, target: Uint8Array): void {
    if (!this.leadsToRealPath(entry)) throw gone(entry);
    const descriptor = openFile(entry);
    try {
      // Before it is read: another file in its place is nobody's business, also not this program's.
      assertSame(descriptor, entry);
      const count = readSync(descriptor, target, 0, target.length, 0);
      // And behind it: a file that was written to while it was read is seen to be changed.
      assertSame(descriptor, entry);
      if (count !== target.length || count !== entry.sizeBytes) throw changed(entry);
    } catch (error) {
      throw systemCode(error) === 'EISDIR' ? gone(entry, error) : error;
    } finally {
      closeSync(descriptor);
    }
  }

  /** Whether a file's path leads to where it did; the file itself may have become a link. */
  private leadsToRealPath({ path, realPath }: CatalogueEntry): boolean {
    try {
      if (CAN_REFUSE_LINKS && join(this.realFolder(dirname(path)), basename(path)) === realPath)
        return true;
      return resolveLinks(path) === realPath;
    } catch (error) {
      if (isMissing(error)) return false;
      throw error;
    }
  }

  private realFolder(folder: string): string {
    const known = this.realFolders.get(folder);
    if (known !== undefined) return known;
    const real = resolveLinks(folder);
    this.realFolders.set(folder, real);
    return real;
  }
}

function openFile(entry: CatalogueEntry): number {
  try {
    return openExactly(entry.realPath);
  } catch (error) {
    throw isMissing(error) ? gone(entry, error) : error;
  }
}

/** The open file must be the very one that was published, as it was then. */
function assertSame(descriptor: number, entry: CatalogueEntry): void {
  if (isSameStamp(stampOfDescriptor(descriptor), entry.stamp)) return;
  throw fstatSync(descriptor).isFile() ? changed(entry) : gone(entry);
}

/** Nothing there, or a link (ELOOP), which is as good as nothing. */
function isMissing(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR', 'ELOOP', 'EMLINK'].includes(systemCode(error) ?? '');
}

function changed(entry: CatalogueEntry): PeershelfError {
  return new PeershelfError('FILE_CHANGED', `${entry.name} is not what was published`);
}

function gone(entry: CatalogueEntry, cause?: unknown): PeershelfError {
  return new PeershelfError('FILE_GONE', `${entry.name} is not there any more`, { cause });
}
