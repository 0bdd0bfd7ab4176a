import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, isAbsolute, join } from 'node:path';
import * as v from 'valibot';
import { moveFile } from '../../common/busyFile';
import type { Clock } from '../../common/clock';
import { describeError, systemCode } from '../../common/errors';
import type { Logger } from '../../common/logger';
import { makePrivateFolder } from '../../common/privateFiles';
import { processExists } from '../../common/processExists';
import { type ContentId, formatContentId, parseContentId } from '../../protocol/contentId';
import { readJsonFile, writeJsonFile } from '../../common/jsonFile';
import { HeldFolder } from '../fetch/heldFolder';

const RECORD_NAME = /^([0-9a-f]{1,16})\.json$/u;
const TEMPORARY_NAME = /^\.peershelf-([0-9a-f]{16})\.part$/u;

/** A running download writes all the time or is given up: a file untouched for this long is dead. */
const DEAD_AFTER_MS = 3_600_000;

/** Parts of a content that nobody has asked for again in this time are removed. */
const KEEP_PARTS_MS = 7 * 24 * 3_600_000;

const recordSchema = v.object({
  /** 0: nobody works on it. */
  pid: v.number(),
  window: v.string(),
  // Only a file that has our kind of name is ever removed, whatever a record says.
  path: v.pipe(
    v.string(),
    v.check((path) => isAbsolute(path) && TEMPORARY_NAME.test(basename(path))),
  ),
  /** The content of which pieces lie there, if it can be gone on with. */
  content: v.optional(
    v.pipe(
      v.string(),
      v.check((text) => parseContentId(text) !== undefined),
    ),
  ),
});

type Leftover = v.InferOutput<typeof recordSchema>;

/** A temporary file that must not outlive its process. */
export interface TemporaryFile {
  /** Place without links, as it is recorded. */
  readonly path: string;
  /** A path for file calls that leads into its folder whatever is renamed meanwhile, until it ends. */
  readonly at: string;
  /** Removes the file, if it is still there, and its record. */
  release(): void;
}

/** A temporary file that may be gone on with later. */
export interface ResumableFile extends TemporaryFile {
  readonly id: string;
  /** Where the numbers of its verified pieces are noted. */
  readonly journal: string;
  /** Leaves everything for the next attempt, in whichever window it is made. */
  keep(): void;
  /** Ends the use of `at`; what is there stays. */
  close(): void;
}

export interface LeftoversOptions {
  /** Made when it is needed. */
  readonly folder: string;
  /** What this window has recorded before is left over from its engine's crash. */
  readonly windowId: string;
  readonly clock: Clock;
}

/** A folder for what is fetched, and the content of which parts are looked for. */
interface Wanted {
  readonly place: HeldFolder;
  readonly content: string;
}

/** A part that was taken over; whoever gets it closes its folder. */
interface Claimed {
  readonly id: string;
  readonly folder: HeldFolder;
  readonly name: string;
}

/**
 * Records of unfinished downloads, one small file each, written before the temporary file exists:
 * what a crash leaves behind is removed at the next start.
 */
export class Leftovers {
  /** Ids of what this engine works on. */
  private readonly active = new Set<string>();

  constructor(
    private readonly options: LeftoversOptions,
    private readonly logger: Logger,
  ) {}

  /** A name for a temporary file in a folder, recorded; it ends before the folder is closed. */
  reserve(folder: HeldFolder): TemporaryFile {
    const id = newId();
    return this.begin(id, folder, partName(id));
  }

  /**
   * Leftover of an earlier attempt at this content on the file system of a folder, or else a new name
   * in it. To be closed when the attempt ends.
   * @param resting what an attempt of the same download has left: used before any other, unless it
   * has rested for so long that another window has taken it for dead.
   */
  resume(place: HeldFolder, contentId: ContentId, resting?: ResumableFile): ResumableFile {
    const content = formatContentId(contentId);
    if (resting !== undefined) this.active.delete(resting.id);
    const found = this.claimAny(resting?.id, { place, content });
    const id = found?.id ?? newId();
    // A handle of its own, as the part may lie elsewhere, and outlives the place.
    const folder = found?.folder ?? HeldFolder.open({ path: place.at('.') });
    const file = this.begin(id, folder, found?.name ?? partName(id), content);
    return {
      ...file,
      id,
      journal: this.journal(file.path),
      close: () => folder.close(),
      release: () => {
        file.release();
        folder.close();
      },
      keep: () => {
        folder.close();
        this.active.delete(id);
        this.write(id, { pid: 0, window: '', path: file.path, content });
      },
    };
  }

  /** Removes what an earlier attempt has left of a content for this destination. */
  discard(destination: string, contentId: ContentId): void {
    const content = formatContentId(contentId);
    let place: HeldFolder;
    try {
      place = HeldFolder.open({ path: dirname(destination) });
    } catch {
      return; // The folder is gone, and with it what was in it.
    }
    try {
      const found = this.claimAny(undefined, { place, content });
      if (found === undefined) return;
      this.begin(found.id, found.folder, found.name, content).release();
      found.folder.close();
    } finally {
      place.close();
    }
  }

  /** Whether nobody else has taken the file over. */
  has({ id }: ResumableFile): boolean {
    return existsSync(this.record(id));
  }

  /** Removes what a crash left behind. What cannot be removed stays recorded, and never stops a start. */
  sweep(): void {
    for (const id of this.records()) {
      try {
        this.sweepOne(id);
      } catch (error) {
        this.logger.warn(`cannot remove the leftover ${id}: ${describeError(error)}`);
      }
    }
    this.sweepHalves();
  }

  /** Removes what a crash has left between two steps: a journal or a new record without its other half. */
  private sweepHalves(): void {
    const { folder, clock } = this.options;
    const known = new Set(this.records().flatMap((id) => this.journalOf(id) ?? []));
    for (const name of this.namesIn(folder)) {
      const path = join(folder, name);
      const isHalf = name.endsWith('.new') || (name.endsWith('.pieces') && !known.has(path));
      const touchedMs = isHalf ? statSync(path, { throwIfNoEntry: false })?.mtimeMs : undefined;
      if (touchedMs !== undefined && clock.now() - touchedMs > DEAD_AFTER_MS)
        rmSync(path, { force: true });
    }
  }

  private begin(id: string, folder: HeldFolder, name: string, content?: string): TemporaryFile {
    const { windowId: window } = this.options;
    const path = join(folder.realPath, name);
    this.active.add(id);
    this.write(id, {
      pid: process.pid,
      window,
      path,
      ...(content === undefined ? {} : { content }),
    });
    return {
      path,
      at: folder.at(name),
      release: () => {
        this.active.delete(id);
        this.remove(id, path, folder);
      },
    };
  }

  private claimAny(preferred: string | undefined, wanted: Wanted): Claimed | undefined {
    const all = this.records();
    const ids = all.filter((id) => id === preferred).concat(all.filter((id) => id !== preferred));
    for (const id of ids) {
      const found = this.claim(id, wanted);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** Takes over what nobody works on; undefined when it is something else, or somebody does. */
  private claim(id: string, wanted: Wanted): Claimed | undefined {
    const found = this.read(id);
    if (found === undefined || found.content !== wanted.content || this.isInUse(id, found))
      return undefined;
    const folder = holdExactly(dirname(found.path));
    if (folder === undefined) return undefined;
    const name = basename(found.path);
    const own = newId();
    try {
      if (isResumable(folder.at(name), wanted.place)) {
        moveFile(this.record(id), this.record(own));
        return { id: own, folder, name };
      }
    } catch (error) {
      folder.close();
      if (systemCode(error) !== 'ENOENT') throw error;
      return undefined; // Somebody else wanted it too, and was first.
    }
    folder.close();
    return undefined;
  }

  private sweepOne(id: string): void {
    const found = this.read(id);
    if (found === undefined || this.isInUse(id, found)) return;
    const touchedMs = statSync(found.path, { throwIfNoEntry: false })?.mtimeMs;
    const isKept = found.content !== undefined && touchedMs !== undefined && !isPlaced(found.path);
    if (isKept && this.options.clock.now() - touchedMs < KEEP_PARTS_MS) return;
    this.remove(id, found.path);
    this.logger.info(`removed the leftover ${found.path}`);
  }

  /** A file whose path leads elsewhere now stays recorded for the next sweep. */
  private remove(id: string, path: string, held?: HeldFolder): void {
    const folder = held?.isOpen === true ? held : holdExactly(dirname(path));
    if (folder === undefined && existsSync(path)) return;
    try {
      folder?.remove(basename(path));
    } finally {
      if (folder !== held) folder?.close();
    }
    rmSync(this.journal(path), { force: true });
    rmSync(this.record(id), { force: true });
  }

  private isInUse(id: string, { pid, window, path }: Leftover): boolean {
    const { windowId, clock } = this.options;
    if (this.active.has(id)) return true;
    if (pid === 0 || window === windowId || !processExists(pid)) return false;
    // The number may belong to another process by now.
    const touchedMs = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
    return touchedMs === undefined || clock.now() - touchedMs < DEAD_AFTER_MS;
  }

  private read(id: string): Leftover | undefined {
    return readJsonFile(this.record(id), recordSchema, this.logger);
  }

  private write(id: string, leftover: Leftover): void {
    makePrivateFolder(this.options.folder);
    writeJsonFile(this.record(id), leftover);
  }

  private record(id: string): string {
    return join(this.options.folder, `${id}.json`);
  }

  /** Named by the part: who claims one has a single name to change, and a kill finds both together. */
  private journal(part: string): string {
    const [, id = ''] = TEMPORARY_NAME.exec(basename(part)) ?? [];
    return join(this.options.folder, `${id}.pieces`);
  }

  private journalOf(id: string): string | undefined {
    const found = this.read(id);
    return found === undefined ? undefined : this.journal(found.path);
  }

  private records(): string[] {
    return this.namesIn(this.options.folder).flatMap((name) => RECORD_NAME.exec(name)?.[1] ?? []);
  }

  private namesIn(folder: string): string[] {
    try {
      return readdirSync(folder);
    } catch (error) {
      if (systemCode(error) !== 'ENOENT')
        this.logger.warn(`cannot look for leftovers: ${describeError(error)}`);
      return [];
    }
  }
}

/**
 * The part of one download over all its attempts. Between them it rests: nobody works on it, and
 * nobody else of this engine may take it.
 */
export class DownloadPart {
  private resting: ResumableFile | undefined;

  constructor(
    private readonly leftovers: Leftovers,
    private readonly contentId: ContentId,
  ) {}

  /** For the next attempt, with what the one before or an earlier download has left. */
  open(place: HeldFolder): ResumableFile {
    const file = this.leftovers.resume(place, this.contentId, this.resting);
    this.resting = undefined;
    return file;
  }

  /** The attempt has ended with something that is worth to be gone on with. */
  rest(file: ResumableFile): void {
    file.close();
    this.resting = file;
  }

  /** The download has ended. What is wanted stays for the next one, in whichever window it is made. */
  end(isWanted: boolean): void {
    const file = this.resting;
    this.resting = undefined;
    // Another window may have taken it over after a long rest, and works on it.
    if (file === undefined || !this.leftovers.has(file)) return;
    if (isWanted) file.keep();
    else file.release();
  }
}

function newId(): string {
  return randomBytes(8).toString('hex');
}

function partName(id: string): string {
  return `.peershelf-${id}.part`;
}

/** A folder whose path leads to it and nowhere else, or undefined. */
function holdExactly(path: string): HeldFolder | undefined {
  let folder: HeldFolder;
  try {
    folder = HeldFolder.open({ path });
  } catch {
    return undefined;
  }
  if (folder.realPath === path) return folder;
  folder.close();
  return undefined;
}

/**
 * The file has its final name too: its process ended before it took the temporary one away. Whoever
 * went on with it would write into the finished file.
 */
function isPlaced(part: string): boolean {
  return (statSync(part, { throwIfNoEntry: false })?.nlink ?? 0) > 1;
}

/** A part on another volume could not be renamed to its place. */
function isResumable(part: string, place: HeldFolder): boolean {
  const stats = statSync(part, { throwIfNoEntry: false });
  return stats?.dev === statSync(place.at('.')).dev && !isPlaced(part);
}
