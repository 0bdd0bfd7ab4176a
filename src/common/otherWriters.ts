import { lstatSync, readlinkSync, type Stats } from 'node:fs';
import { join, parse, resolve, sep } from 'node:path';

const GROUP_WRITES = 0o020;
const EVERYBODY_WRITES = 0o002;
/** In such a folder, as /tmp, only the owner of a file may rename or remove it. */
const STICKY = 0o1000;

/** The superuser and its group can write everywhere anyway. */
const ROOT = 0;

/** Links that the system follows at most on the way to a file. */
const MAX_LINKS = 40;

/**
 * The file itself, or the folder or link on the way to it, that accounts other than this user and the
 * superuser can write; undefined when there is none, and on Windows, where modes say nothing. Every
 * folder from the root on counts, of the path as it is written and of what each link leads to: whoever can
 * rename one can put another file, or a link to one, in the place of this one. A group counts as others,
 * as nothing here says who is in it.
 * @param file path of the file. @param stats of the open file.
 * @throws what the system says.
 */
export function placeOthersCanWrite(file: string, stats: Stats): string | undefined {
  if (process.geteuid === undefined) return undefined;
  const own = process.geteuid();
  if (isWritableByOthers(stats, own)) return file;
  let path = resolve(file);
  for (let links = 0; links <= MAX_LINKS; links += 1) {
    const step = unsafeOrLink(path, own);
    if (typeof step !== 'object') return step;
    path = step.path;
  }
  return file;
}

/** The first place on a path that others can write, or the path behind its first link. */
function unsafeOrLink(path: string, own: number): string | { readonly path: string } | undefined {
  const { root } = parse(path);
  let way = root;
  for (const name of ['', ...path.slice(root.length).split(sep)]) {
    const place = join(way, name);
    const stats = lstatSync(place);
    if (stats.isSymbolicLink()) {
      // In a folder such as /tmp, which passes, a link may be anybody's.
      if (!isOwned(stats, own)) return place;
      return { path: join(resolve(way, readlinkSync(place)), path.slice(place.length)) };
    }
    if (!stats.isDirectory()) return undefined;
    const isSticky = (stats.mode & STICKY) !== 0 && isOwned(stats, own);
    if (!isSticky && isWritableByOthers(stats, own)) return place;
    way = place;
  }
  return undefined;
}

function isWritableByOthers(stats: Stats, own: number): boolean {
  const byGroup = (stats.mode & GROUP_WRITES) !== 0 && stats.gid !== ROOT;
  return byGroup || (stats.mode & EVERYBODY_WRITES) !== 0 || !isOwned(stats, own);
}

function isOwned({ uid }: Stats, own: number): boolean {
  return uid === own || uid === ROOT;
}
