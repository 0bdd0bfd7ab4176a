import { basename, dirname, join, relative, sep } from 'node:path';
import { PeershelfError } from '../../common/errors';
import { type Risk, riskOf } from '../../common/riskyPaths';
import { type ContentId, formatContentId } from '../../protocol/contentId';
import type { RealFolders } from './realFolders';

/** A file that is not placed unasked: what it is, and whose. */
export function riskyPlace(
  name: string,
  { family, reason }: Risk,
  owner: {
    readonly hostname?: string;
    readonly displayName?: string;
    readonly contentId?: ContentId | undefined;
  } = {},
): PeershelfError {
  const { hostname = '', displayName = '', contentId } = owner;
  // The answer to a question about it is for this content alone.
  const content = contentId && { contentId: formatContentId(contentId) };
  return new PeershelfError('RISKY_PLACE', `${name} could make programs run there: ${reason}`, {
    details: { name, family, hostname, displayName, ...content },
  });
}

/**
 * Why a file is not placed unasked, by the name of its place and by where that is: a folder of the user
 * may be a link to one whose files programs obey.
 * @param guardedAs the place as the user sees it. @param path the same place, absolute.
 */
export function riskOfPlace(guardedAs: string, path: string, real: RealFolders): Risk | undefined {
  const base = guardedAs.split(/[\\/]/u).reduce((folder) => dirname(folder), path);
  const place = join(real.realOf(dirname(path)), basename(path));
  const inBase = relative(real.realOf(base), place);
  // A link out of the base is looked at as a whole, without the folders that both are in.
  const names = inBase.split(sep).filter((name) => name !== '..');
  return riskOf(guardedAs) ?? riskOf(names.join('/'));
}
