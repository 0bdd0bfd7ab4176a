import { realpathSync, type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';

const GROUP_WRITES = 0o020;
const EVERYBODY_WRITES = 0o002;
/** In such a folder, as /tmp, only the owner of a file may rename or remove it. */
const STICKY = 0o1000;

/** The superuser and its group can write everywhere anyway. */
const ROOT = 0;

/**
 * The file itself, or the folder above it, that accounts other than this user and the superuser can
 * write; undefined when there is none, and on Windows, where modes say nothing. Every folder up to the
 * root counts: whoever can rename one can put another file in the place of this one. A group counts as
 * others, as nothing here says who is in it.
 * @param file path of the file. @param stats of the open file.
 * @throws what the system says.
 */
export function placeOthersCanWrite(file: string, stats: Stats): string | undefined {
  if (process.geteuid === undefined) return undefined;
  const own = process.geteuid();
  if (isWritableByOthers(stats, own)) return file;
  for (let folder = dirname(realpathSync.native(file)); ; folder = dirname(folder)) {
    const above = statSync(folder);
    const isSticky = (above.mode & STICKY) !== 0 && isOwned(above, own);
    if (!isSticky && isWritableByOthers(above, own)) return folder;
    if (dirname(folder) === folder) return undefined;
  }
}

function isWritableByOthers(stats: Stats, own: number): boolean {
  const byGroup = (stats.mode & GROUP_WRITES) !== 0 && stats.gid !== ROOT;
  return byGroup || (stats.mode & EVERYBODY_WRITES) !== 0 || !isOwned(stats, own);
}

function isOwned({ uid }: Stats, own: number): boolean {
  return uid === own || uid === ROOT;
}
