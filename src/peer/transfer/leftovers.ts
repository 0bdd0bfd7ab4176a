import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, isAbsolute, join } from 'node:path';
import * as v from 'valibot';
import { moveFile } from '../../common/busyFile';
import type { Clock } from '../../common/clock';
import { describeError, systemCode } from '../../common/errors';
import type { Logger } from '../../common/logger';
import { processExists } from '../../common/processExists';
import { type ContentId, formatContentId, parseContentId } from '../../protocol/contentId';
import { readJsonFile, writeJsonFile } from '../../common/jsonFile';

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
  readonly path: string;
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
}

export interface LeftoversOptions {
  /** Made when it is needed. */
  readonly folder: string;
  /** What this window has recorded before is left over from its engine's crash. */
  readonly windowId: string;
  readonly clock: Clock;
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

  /** A name for a temporary file beside `destination`, recorded. Nothing is there yet. */
  reserve(destination: string): TemporaryFile {
    const id = newId();
    return this.begin(id, partBeside(destination, id));
  }

  /**
   * What an earlier attempt has left of this content on the destination's file system, or else a new
   * name beside the destination.
   * @param resting what an attempt of the same download has left: used before any other, unless it
   * has rested for so long that another window has taken it for dead.
   */
  resume(destination: string, contentId: ContentId, resting?: ResumableFile): ResumableFile {
    const content = formatContentId(contentId);
    if (resting !== undefined) this.active.delete(resting.id);
    const found = this.claimAny(resting?.id, { destination, content });
    const id = found?.id ?? newId();
    const file = this.begin(id, found?.path ?? partBeside(destination, id), content);
    return {
      ...file,
      id,
      journal: this.journal(file.path),
      keep: () => {
        this.active.delete(id);
        this.write(id, { pid: 0, window: '', path: file.path, content });
      },
    };
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

  private begin(id: string, path: string, content?: string): TemporaryFile {
    const { windowId: window } = this.options;
    this.active.add(id);
    this.write(id, {
      pid: process.pid,
      window,
      path,
      ...(content === undefined ? {} : { content }),
    });
    return {
      path,
      release: () => {
        this.active.delete(id);
        this.remove(id, path);
      },
    };
  }

  private claimAny(
    preferred: string | undefined,
    wanted: { readonly destination: string; readonly content: string },
  ): { id: string; path: string } | undefined {
    const all = this.records();
    const ids = all.filter((id) => id === preferred).concat(all.filter((id) => id !== preferred));
    for (const id of ids) {
      const found = this.claim(id, wanted);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** Takes over what nobody works on; undefined when it is something else, or somebody does. */
  private claim(
    id: string,
    wanted: { readonly destination: string; readonly content: string },
  ): { id: string; path: string } | undefined {
    const found = this.read(id);
    if (found === undefined || found.content !== wanted.content || this.isInUse(id, found))
      return undefined;
    if (isPlaced(found.path)) return undefined;
    if (!areOnSameVolume(found.path, dirname(wanted.destination))) return undefined;
    const own = newId();
    try {
      moveFile(this.record(id), this.record(own));
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') throw error;
      return undefined; // Somebody else wanted it too, and was first.
    }
    return { id: own, path: found.path };
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

  private remove(id: string, path: string): void {
    rmSync(path, { force: true, recursive: true });
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
    private readonly destination: string,
    private readonly contentId: ContentId,
  ) {}

  /** For the next attempt, with what the one before or an earlier download has left. */
  open(): ResumableFile {
    const file = this.leftovers.resume(this.destination, this.contentId, this.resting);
    this.resting = undefined;
    return file;
  }

  /** The attempt has ended with something that is worth to be gone on with. */
  rest(file: ResumableFile): void {
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

function partBeside(destination: string, id: string): string {
  return join(dirname(destination), `.peershelf-${id}.part`);
}

/**
 * The file has its final name too: its process ended before it took the temporary one away. Whoever
 * went on with it would write into the finished file.
 */
function isPlaced(part: string): boolean {
  return (statSync(part, { throwIfNoEntry: false })?.nlink ?? 0) > 1;
}

/** A part on another volume could not be renamed to its place. */
function areOnSameVolume(part: string, folder: string): boolean {
  const stats = statSync(part, { throwIfNoEntry: false });
  return stats?.dev === statSync(folder).dev;
}
