import { type Stats, statSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { fromReadError, PeershelfError } from '../common/errors';
import { toPublishedName } from '../protocol/names';
import type { CatalogueEntry } from './catalogue/catalogue';
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
  const { realPath, stats } = resolve(path);
  if (folder !== undefined && !isInside(resolveLinks(folder), realPath))
    throw new PeershelfError('OUTSIDE_FOLDER', `${path} leads out of ${folder}`, {
      details: { path, folder },
    });
  return {
    name,
    path,
    realPath,
    sizeBytes: stats.size,
    modifiedMs: stats.mtimeMs,
    publishedAtMs,
    ...(forSession === true && { forSession }),
  };
}

function resolve(path: string): { realPath: string; stats: Stats } {
  try {
    const realPath = resolveLinks(path);
    const stats = statSync(realPath);
    if (!stats.isFile())
      throw new PeershelfError('NOT_A_FILE', `${path} is no file`, { details: { path } });
    return { realPath, stats };
  } catch (error) {
    throw fromReadError(error, path);
  }
}
