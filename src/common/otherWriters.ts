import { lstatSync, readlinkSync, type Stats } from 'node:fs';
import { isAbsolute, join, sep } from 'node:path';
import { cwd } from 'node:process';

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
  return unsafeOnTheWay(file, own);
}

/**
 * The first place on the way that others can write. Goes step by step as the system does: `..` is the
 * folder above the one that a link has led to, not above the link.
 */
function unsafeOnTheWay(file: string, own: number): string | undefined {
  const names = [...(isAbsolute(file) ? [] : stepsOf(cwd())), ...stepsOf(file)];
  let folder: string = sep;
  let links = 0;
  if (isUnsafeFolder(lstatSync(folder), own)) return folder;
  for (let name = names.shift(); name !== undefined; name = names.shift()) {
    const place = join(folder, name);
    const stats = lstatSync(place);
    if (stats.isSymbolicLink()) {
      links += 1;
      // In a folder such as /tmp, which passes, a link may be anybody's.
      if (!isOwned(stats, own) || links > MAX_LINKS) return place;
      const target = readlinkSync(place);
      names.unshift(...stepsOf(target));
      if (isAbsolute(target)) folder = sep;
    } else {
      // Anything but a folder is the file, which was looked at when it was open.
      if (stats.isDirectory() && isUnsafeFolder(stats, own)) return place;
      folder = place;
    }
  }
  return undefined;
}

function stepsOf(path: string): string[] {
  return path.split(sep).filter((name) => name !== '' && name !== '.');
}

function isUnsafeFolder(stats: Stats, own: number): boolean {
  const isSticky = (stats.mode & STICKY) !== 0 && isOwned(stats, own);
  return !isSticky && isWritableByOthers(stats, own);
}

function isWritableByOthers(stats: Stats, own: number): boolean {
  const byGroup = (stats.mode & GROUP_WRITES) !== 0 && stats.gid !== ROOT;
  return byGroup || (stats.mode & EVERYBODY_WRITES) !== 0 || !isOwned(stats, own);
}

function isOwned({ uid }: Stats, own: number): boolean {
  return uid === own || uid === ROOT;
}
