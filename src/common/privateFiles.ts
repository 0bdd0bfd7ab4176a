import { chmodSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Files and folders of this program: its user may read and write them, and nobody else. Windows has no
 * such modes; there the folder of the user's profile keeps others out.
 */
export const PRIVATE_FILE_MODE = 0o600;
export const PRIVATE_FOLDER_MODE = 0o700;

/** File that marks a folder of this program, also in a copy of it, so that nothing in it is shared. */
export const FOLDER_MARK = '.peershelf-data';
const MARK_TEXT = 'Data of Peershelf, with keys and files of others. Do not share this folder.\n';

/** Rights of the group and of everybody else. */
const OF_OTHERS = 0o077;

/**
 * Makes a folder of ours, and those above it, for its user alone. One that others could enter is closed,
 * and so are the files in it, which an earlier version has made. Only for folders that hold nothing but
 * what is ours.
 * @throws what the system says.
 */
export function makePrivateFolder(path: string): void {
  mkdirSync(path, { recursive: true, mode: PRIVATE_FOLDER_MODE });
  if (process.geteuid === undefined) return;
  const { mode, uid } = statSync(path);
  if ((mode & OF_OTHERS) === 0 || uid !== process.geteuid()) return;
  chmodSync(path, PRIVATE_FOLDER_MODE);
  for (const entry of readdirSync(path, { withFileTypes: true }))
    if (entry.isFile()) chmodSync(join(path, entry.name), PRIVATE_FILE_MODE);
}

/** As `makePrivateFolder`, for one that programs of this user other than this one recognise as ours. */
export function makeDataFolder(path: string): void {
  makePrivateFolder(path);
  try {
    writePrivateFile(join(path, FOLDER_MARK), MARK_TEXT, { flag: 'wx' });
  } catch {
    // It is there; or nothing can be written, which whoever has data to keep says.
  }
}

/**
 * Writes a file of ours, for its user alone if it is new.
 * @param options `wx` as the flag fails where something is.
 * @throws what the system says.
 */
export function writePrivateFile(
  path: string,
  data: string | Uint8Array,
  options: { readonly flag?: 'w' | 'wx' } = {},
): void {
  writeFileSync(path, data, { mode: PRIVATE_FILE_MODE, ...options });
}
