import {
  closeSync,
  fstatSync,
  lstatSync,
  mkdtempSync,
  readSync,
  rmSync,
  type Stats,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { type ContentKind, secretIn } from '../../common/secretContents';
import { looksLikeSecret } from '../../common/secretNames';
import type { FoundAs, SecretKind } from '../api/publishing';
import { type FileStamp, isSameStamp, isTooYoung, stampOfDescriptor } from '../hash/fileStamp';
import { openExactly } from './exactPath';
import type { OwnFolders } from './ownFolders';

/**
 * Files that are looked into as a whole. What holds a key is a configuration, a note, a record of a long
 * session or the key itself. To look through text takes 10 to 20 ms a MiB, ten times as long as to hash
 * it, which is why larger files, that are data or media, are not.
 */
export const MAX_LOOKED_INTO_BYTES = 1024 * 1024;
/** Bytes that are looked into in one go, which takes 30 ms: uploads have their turn in between. */
export const LOOKED_INTO_IN_A_ROW_BYTES = 2 * 1024 * 1024;
/** Bytes at the start and at the end of a larger file: a head with a key, and the last lines of a log. */
const END_BYTES = 64 * 1024;
/** Whoever is not the owner may read it. */
const OTHERS_MAY_READ = 0o044;
/** Names that only this product gives to files: records of sessions, and what is half written or fetched. */
const OWN_NAME =
  /^(?:session-[0-9a-f]{32}\.json|hostnames-[\w-]{20,}\.json|\.peershelf-[0-9a-f]{16}\..+|.+\.[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\.new)$/u;

/** Reads of a file that changes meanwhile: one that still does is not judged. */
const MAX_LOOKS = 3;

export interface FileVerdict extends FoundAs {
  /** Written by this product: never offered. */
  readonly isOwn: boolean;
  readonly sizeBytes: number;
}

/** Bytes of a file of this size that are looked into. */
export function lookedIntoBytes(sizeBytes: number): number {
  return sizeBytes <= MAX_LOOKED_INTO_BYTES ? sizeBytes : 2 * END_BYTES;
}

interface Look {
  readonly stamp: FileStamp;
  readonly stats: Stats;
  readonly content: ContentKind | undefined;
}

/**
 * Verdict on a file that was chosen: by its names, its mode, and its content. Mode,
 * content and stamp are of one open file, which lies at this very path.
 * @param realPath with its links resolved.
 */
export function judgeFile(
  { name, realPath }: { readonly name: string; readonly realPath: string },
  ownFolders: OwnFolders,
): FileVerdict {
  const look = isOwnPlace(realPath, ownFolders) ? 'own' : lookAt(realPath);
  if (look === 'own' || look?.content === 'own') return { ...NOTHING_SEEN, realPath, isOwn: true };
  const secrets: SecretKind[] = [];
  if (look?.content === 'secret') secrets.push('content');
  if (looksLikeSecret(name) || looksLikeSecret(realPath)) secrets.push('name');
  if (look === undefined) return { ...NOTHING_SEEN, realPath, secrets };
  const { stamp, stats } = look;
  if (isOwnersOnly(stats)) secrets.push('mode');
  const isSettled = !isTooYoung(stamp, Date.now());
  return { isOwn: false, realPath, stamp, sizeBytes: stats.size, secrets, isSettled };
}

const NOTHING_SEEN: Omit<FileVerdict, 'realPath'> = {
  ...{ isOwn: false, stamp: undefined, sizeBytes: 0, secrets: [], isSettled: false },
};

/** Whether a file is of this product by its name or its folder. */
export function isOwnPlace(realPath: string, ownFolders: OwnFolders): boolean {
  return OWN_NAME.test(basename(realPath)) || ownFolders.contain(dirname(realPath));
}

/** Undefined for what is no file or cannot be looked at: publishing it says what is wrong with it. */
function lookAt(path: string): Look | undefined {
  try {
    // Opening a device may do something.
    if (!lstatSync(path).isFile()) return undefined;
    const descriptor = openExactly(path);
    try {
      return lookInto(descriptor);
    } finally {
      closeSync(descriptor);
    }
  } catch {
    return undefined;
  }
}

function lookInto(descriptor: number): Look | undefined {
  for (let looks = 0; looks < MAX_LOOKS; looks += 1) {
    const stamp = stampOfDescriptor(descriptor);
    const stats = fstatSync(descriptor);
    if (!stats.isFile()) return undefined;
    const { size } = stats;
    const content =
      size <= MAX_LOOKED_INTO_BYTES
        ? secretIn(readAt(descriptor, 0, size))
        : (secretIn(readAt(descriptor, 0, END_BYTES)) ??
          secretIn(readAt(descriptor, size - END_BYTES, END_BYTES)));
    if (isSameStamp(stampOfDescriptor(descriptor), stamp)) return { stamp, stats, content };
  }
  return undefined;
}

function readAt(descriptor: number, position: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  let done = 0;
  while (done < length) {
    const count = readSync(descriptor, bytes, done, length - done, position + done);
    if (count === 0) break;
    done += count;
  }
  return bytes.subarray(0, done);
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
