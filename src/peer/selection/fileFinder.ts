import { type Dirent, readdirSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { throwIfAborted } from '../../common/abort';
import { type ErrorCode, PeershelfError } from '../../common/errors';
import type { FindFilesRequest, FoundAs, SecretKind } from '../peerApi';
import { judgeFile, LOOKED_INTO_IN_A_ROW_BYTES, lookedIntoBytes } from '../publish/fileVerdict';
import { OwnFolders } from '../publish/ownFolders';
import { isInside, resolvedOrSame } from '../paths';
import { globMatcher, IgnoreRules } from './ignoreRules';

/** Files that are published at once: as many as one peer may offer in all. */
export const MAX_FOUND_FILES = 100_000;
/** Folders and files that are looked at, wanted or not: a disk may hold millions. */
const MAX_ENTRIES = 1_000_000;
/** What could not be read; after that it is counted as nothing. */
const MAX_FAILURES = 1_000;
/** Errors that keep no other files from being found. */
const FAILURES_OF_ONE: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'FILE_UNREADABLE',
  'OUTSIDE_FOLDER',
  'OWN_KEYS',
]);
/** Files looked at in one go: others have their turn in between, for uploads go on meanwhile. */
const FILES_IN_A_ROW = 200;

/** Half-fetched files, and what no one means when they share a folder. */
const LEFT_OUT = /^(?:\.git|\.peershelf-[0-9a-f]{16}\..+)$/u;

type Place = FindFilesRequest['places'][number];
type LeavesOut = (path: string, entry: Dirent) => boolean;

interface Way {
  readonly path: string;
  /** As the system resolves it. Below a folder nothing is resolved again: links are not followed. */
  readonly realPath: string;
  readonly name: string;
}

interface Folder extends Way {
  readonly rules: IgnoreRules;
}

export interface FoundFile {
  readonly path: string;
  readonly name: string;
  readonly folder: string | undefined;
  /** 0 when it is not there or cannot be looked at: publishing says so. */
  readonly sizeBytes: number;
  /** Why it looks like something that nobody should see, the most telling reason first. */
  readonly secrets: readonly SecretKind[];
  /** The file itself, so that no other is published in its place. */
  readonly found: FoundAs;
}

export interface FoundFiles {
  /**
   * Each once, in the order of the places; files before folders, by name. What this product itself has
   * written is among the failures instead.
   */
  readonly files: readonly FoundFile[];
  /** Folders that could not be read, and what is never offered. */
  readonly failures: readonly { readonly name: string; readonly error: PeershelfError }[];
}

/**
 * The files that are chosen, and those of chosen folders that no rule leaves out. Links below a folder
 * are left out: they may lead anywhere.
 * @param ownFolders folders with data of this product, of which nothing is offered.
 * @throws TOO_MANY_FILES, INVALID_ARGUMENT for a glob pattern that is none, CANCELLED.
 */
export async function findFiles(
  { places }: FindFilesRequest,
  signal?: AbortSignal,
  ownFolders: readonly string[] = [],
): Promise<FoundFiles> {
  const finder = new FileFinder(signal, new OwnFolders(ownFolders.map(resolvedOrSame)));
  for (const place of places) await finder.add(place);
  return finder.result();
}

class FileFinder {
  private readonly found = new Map<string, FoundFile>();
  private readonly failures: { name: string; error: PeershelfError }[] = [];
  private entries = 0;
  private lookedInto = 0;

  constructor(
    private readonly signal: AbortSignal | undefined,
    private readonly ownFolders: OwnFolders,
  ) {}

  async add(place: Place): Promise<void> {
    if (!isFolder(place.path)) {
      this.keep(place, { ...place, realPath: resolvedOrSame(place.path) });
      return;
    }
    try {
      refuseOutside(place);
      await this.walk(place);
    } catch (error) {
      this.fail(place.name, error);
    }
  }

  result(): FoundFiles {
    return { files: [...this.found.values()], failures: this.failures };
  }

  private async walk(place: Place): Promise<void> {
    const { path, name, folder } = place;
    const isLeftOut = leftOutOf(place);
    const rules = IgnoreRules.of(path, folder);
    const waiting: Folder[] = [{ path, realPath: resolvedOrSame(path), name, rules }];
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      const folders: Folder[] = [];
      for (const entry of this.read(next)) {
        await this.count();
        const way = {
          path: join(next.path, entry.name),
          realPath: join(next.realPath, entry.name),
          name: below(next.name, entry.name),
        };
        if (isLeftOut(way.path, entry) || next.rules.leavesOut(way.path, entry.isDirectory()))
          continue;
        if (entry.isFile()) this.keep(place, way);
        else folders.push(...this.enter(way, next.rules));
      }
      waiting.push(...folders.reverse());
    }
  }

  /** A folder with its rules; nothing when they cannot be read. */
  private enter(way: Way, above: IgnoreRules): Folder[] {
    try {
      if (this.ownFolders.contain(way.realPath)) throw ownKeys(way);
      return [{ ...way, rules: IgnoreRules.read(way.path, above) }];
    } catch (error) {
      this.fail(way.name, error);
      return [];
    }
  }

  private read({ path, name }: Folder): Dirent[] {
    throwIfAborted(this.signal);
    try {
      const entries = readdirSync(path, { withFileTypes: true });
      return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
    } catch (cause) {
      const details = { path };
      const options = { cause, details };
      this.fail(name, new PeershelfError('FILE_UNREADABLE', `cannot read ${path}`, options));
      return [];
    }
  }

  private async count(): Promise<void> {
    if (++this.entries > MAX_ENTRIES) throw tooMany(MAX_ENTRIES);
    if (this.entries % FILES_IN_A_ROW !== 0 && this.lookedInto < LOOKED_INTO_IN_A_ROW_BYTES) return;
    this.lookedInto = 0;
    await setImmediate();
    throwIfAborted(this.signal);
  }

  private keep({ folder }: Place, { path, realPath, name }: Way): void {
    const { isOwn, sizeBytes, ...found } = judgeFile({ name, realPath }, this.ownFolders);
    this.lookedInto += lookedIntoBytes(sizeBytes);
    if (isOwn) {
      this.fail(name, ownKeys({ path, name }));
      return;
    }
    this.found.set(path, { path, name, folder, sizeBytes, secrets: found.secrets, found });
    if (this.found.size > MAX_FOUND_FILES) throw tooMany(MAX_FOUND_FILES);
  }

  /** Keeps what concerns one folder; what concerns all ends it. */
  private fail(name: string, error: unknown): void {
    const failure = PeershelfError.from(error);
    if (!FAILURES_OF_ONE.has(failure.code)) throw failure;
    if (this.failures.length < MAX_FAILURES) this.failures.push({ name, error: failure });
  }
}

/** What nobody means, what is neither file nor folder, and what the settings leave out. */
function leftOutOf({ path: chosen, folder, exclude = [], leaveOut = [] }: Place): LeavesOut {
  const isExcluded = globMatcher(exclude);
  const root = folder ?? chosen;
  return (path, entry) =>
    LEFT_OUT.test(entry.name) ||
    !(entry.isDirectory() || entry.isFile()) ||
    leaveOut.includes(path) ||
    isExcluded(toPosix(relative(root, path)));
}

/** A folder that was chosen may itself be a link that leads elsewhere. */
function refuseOutside({ path, folder }: Place): void {
  if (folder === undefined || isInside(resolvedOrSame(folder), resolvedOrSame(path))) return;
  throw new PeershelfError('OUTSIDE_FOLDER', `${path} leads out of ${folder}`, {
    details: { path, folder },
  });
}

/** What cannot be looked at counts as a file: publishing says what is wrong with it. */
function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

/** The root of a workspace has no name. */
function below(name: string, entry: string): string {
  return name === '' ? entry : `${name}/${entry}`;
}

function toPosix(path: string): string {
  return process.platform === 'win32' ? path.replaceAll('\\', '/') : path;
}

function ownKeys({ path, name }: Pick<Way, 'path' | 'name'>): PeershelfError {
  return new PeershelfError('OWN_KEYS', `${path} was written by this product`, {
    details: { path, name },
  });
}

function tooMany(limit: number): PeershelfError {
  return new PeershelfError('TOO_MANY_FILES', `more than ${limit} files`, { details: { limit } });
}
