import { statSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { fromReadError, PeershelfError } from '../common/errors';
import { toPublishedName } from '../protocol/names';
import type { CatalogueEntry } from './catalogue/catalogue';
import { type FileStamp, isSameFile, stampOf } from './hash/fileStamp';
import { isInside, resolveLinks } from './paths';
import type { FoundAs, PublishRequest } from './peerApi';

/**
 * The catalogue entry for a file as it is now.
 * @throws INVALID_NAME, FILE_GONE, NOT_A_FILE, OUTSIDE_FOLDER,
 * FILE_UNREADABLE, FILE_CHANGED for another file than the one that was found.
 */
export function toCatalogueEntry(
  file: PublishRequest['files'][number],
  publishedAtMs: number,
): CatalogueEntry {
  const { path, folder, forSession, found } = file;
  const name = toPublishedName(file.name);
  if (!isAbsolute(path))
    throw new PeershelfError('INVALID_ARGUMENT', `${path} is not an absolute path`);
  const { realPath, stamp } = resolve(path);
  if (folder !== undefined && !isInside(resolveLinks(folder), realPath))
    throw new PeershelfError('OUTSIDE_FOLDER', `${path} leads out of ${folder}`, {
      details: { path, folder },
    });
  if (found !== undefined) refuseOther({ path, realPath, stamp }, found);
  return {
    name,
    path,
    realPath,
    sizeBytes: stamp.sizeBytes,
    modifiedMs: stamp.modifiedMs,
    stamp,
    publishedAtMs,
    ...(forSession === true && { forSession }),
  };
}

/**
 * Refuses a file that lies where the user has chosen another one: whoever else may write the folder can
 * put a link, or a file that was moved there, in its place. What was written into the same file is judged
 * again, and passes.
 * @throws FILE_CHANGED.
 */
export function refuseOther(
  { path, realPath, stamp }: Pick<CatalogueEntry, 'path' | 'realPath' | 'stamp'>,
  found: FoundAs,
): void {
  // One that could not be looked at: reading it says why.
  const isSame = found.stamp === undefined || isSameFile(stamp, found.stamp);
  if (realPath !== found.realPath || !isSame)
    throw new PeershelfError('FILE_CHANGED', `${path} is another file than was chosen`, {
      details: { path },
    });
}

function resolve(path: string): { realPath: string; stamp: FileStamp } {
  try {
    const realPath = resolveLinks(path);
    if (!statSync(realPath).isFile())
      throw new PeershelfError('NOT_A_FILE', `${path} is no file`, { details: { path } });
    return { realPath, stamp: stampOf(realPath) };
  } catch (error) {
    throw fromReadError(error, path);
  }
}
