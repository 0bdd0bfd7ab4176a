import { statSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { fromReadError, PeershelfError } from '../common/errors';
import { toPublishedName } from '../protocol/names';
import type { CatalogueEntry } from './catalogue/catalogue';
import { type FileStamp, stampOf } from './hash/fileStamp';
import { isInside, resolveLinks } from './paths';
import type { PublishRequest } from './peerApi';

/**
 * The catalogue entry for a file as it is now.
 * @throws INVALID_NAME, FILE_GONE, NOT_A_FILE, OUTSIDE_FOLDER,
 * FILE_UNREADABLE.
 */
export function toCatalogueEntry(
  file: PublishRequest['files'][number],
  publishedAtMs: number,
): CatalogueEntry {
  const { path, folder, forSession } = file;
  const name = toPublishedName(file.name);
  if (!isAbsolute(path))
    throw new PeershelfError('INVALID_ARGUMENT', `${path} is not an absolute path`);
  const { realPath, stamp } = resolve(path);
  if (folder !== undefined && !isInside(resolveLinks(folder), realPath))
    throw new PeershelfError('OUTSIDE_FOLDER', `${path} leads out of ${folder}`, {
      details: { path, folder },
    });
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
