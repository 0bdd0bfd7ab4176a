import {
  lstatSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  type Stats,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { type ContentKind, secretIn } from '../../common/secretContents';
import { looksLikeSecret } from '../../common/secretNames';
import type { SecretKind } from '../api/publishing';
import { isInside } from '../paths';

/**
 * Files that are looked into. What holds a key is a configuration, a note or the key itself, and small;
 * reading more would double the time that a folder with many pictures takes to be looked through.
 */
export const MAX_LOOKED_INTO_BYTES = 64 * 1024;
/** Whoever is not the owner may read it. */
const OTHERS_MAY_READ = 0o044;
/** Names that only this product gives to files: records of sessions, and what is half written or fetched. */
const OWN_NAME =
  /^(?:session-[0-9a-f]{32}\.json|hostnames-[\w-]{20,}\.json|\.peershelf-[0-9a-f]{16}\..+|.+\.[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\.new)$/u;

export interface FileVerdict {
  /** Written by this product: never offered. */
  readonly isOwn: boolean;
  /** Why it is offered only with the user's consent, the most telling reason first. */
  readonly secrets: readonly SecretKind[];
}

const OWN: FileVerdict = { isOwn: true, secrets: [] };

/**
 * Verdict on a file that was chosen: by its names, its mode, and, when it is small, its content.
 * @param realPath with its links resolved.
 * @param ownFolders real paths of folders that hold nothing but data of this product.
 */
export function judgeFile(
  { name, realPath }: { readonly name: string; readonly realPath: string },
  ownFolders: readonly string[],
): FileVerdict {
  if (OWN_NAME.test(basename(realPath))) return OWN;
  if (ownFolders.some((folder) => isInside(folder, realPath))) return OWN;
  const stats = statsOf(realPath);
  const content = stats === undefined ? undefined : contentOf(realPath, stats);
  if (content === 'own') return OWN;
  const secrets: SecretKind[] = [];
  if (content === 'secret') secrets.push('content');
  if (looksLikeSecret(name) || looksLikeSecret(realPath)) secrets.push('name');
  if (stats?.isFile() === true && isOwnersOnly(stats)) secrets.push('mode');
  return { isOwn: false, secrets };
}

function contentOf(path: string, stats: Stats): ContentKind | undefined {
  if (!stats.isFile() || stats.size === 0 || stats.size > MAX_LOOKED_INTO_BYTES) return undefined;
  try {
    return secretIn(readFileSync(path));
  } catch {
    return undefined; // Publishing it says what is wrong with it.
  }
}

/** Says nothing where all files are made so, nor on Windows, which has no such modes. */
function isOwnersOnly({ mode }: Stats): boolean {
  if (process.platform === 'win32' || areAllOwnersOnly()) return false;
  return (mode & OTHERS_MAY_READ) === 0;
}

let allOwnersOnly: boolean | undefined;

/**
 * Whether every file that this user makes is for this user alone. Seen at a file, as asking the process
 * for its mask sets that for a moment, for all threads.
 */
function areAllOwnersOnly(): boolean {
  if (allOwnersOnly !== undefined) return allOwnersOnly;
  const folder = mkdtempSync(join(tmpdir(), 'peershelf-mode-'));
  try {
    const path = join(folder, 'file');
    writeFileSync(path, '', { mode: 0o666 });
    allOwnersOnly = (statSync(path).mode & OTHERS_MAY_READ) === 0;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return allOwnersOnly;
}

/** Undefined for a file that cannot be looked at: publishing it says what is wrong with it. */
function statsOf(path: string): Stats | undefined {
  try {
    return lstatSync(path);
  } catch {
    return undefined;
  }
}
