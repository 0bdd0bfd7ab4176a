import { type Dirent, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { PeershelfError } from '../common/errors';

/** Files of one folder that are published at once. */
const MAX_FILES = 100_000;

/** Half-fetched files, and what no one means when they share a folder. */
const LEFT_OUT = /^(?:\.git|\.peershelf-[0-9a-f]{16}\.part)$/u;

/**
 * All files below a folder, named by the folder and the way to them. Links are left out: they may
 * lead anywhere.
 * @throws LIMIT_EXCEEDED, FILE_UNREADABLE.
 */
export function listFolder(folder: string): { path: string; name: string }[] {
  const found: { path: string; name: string }[] = [];
  const waiting = [{ path: folder, name: basename(folder) }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    for (const entry of readFolder(next.path)) {
      if (LEFT_OUT.test(entry.name)) continue;
      const item = { path: join(next.path, entry.name), name: `${next.name}/${entry.name}` };
      if (entry.isDirectory()) waiting.push(item);
      else if (entry.isFile()) found.push(item);
      if (found.length > MAX_FILES)
        throw new PeershelfError('LIMIT_EXCEEDED', `${folder} has more than ${MAX_FILES} files`);
    }
  }
  return found.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function readFolder(path: string): Dirent[] {
  try {
    return readdirSync(path, { withFileTypes: true });
  } catch (cause) {
    throw new PeershelfError('FILE_UNREADABLE', `cannot read ${path}`, {
      cause,
      details: { path },
    });
  }
}
