import { statSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import * as v from 'valibot';
import { DisposableBase } from '../../common/disposable';
import { Emitter } from '../../common/events';
import type { Logger } from '../../common/logger';
import { readJsonFile, writeJsonFile } from '../../common/jsonFile';
import { type ContentId, toContentId } from '../../protocol/contentId';
import { publishedNameProblem } from '../../protocol/names';
import { SECRET_KINDS, type SecretKind } from '../api/publishing';
import { type FileStamp, isSameStamp, stampOf, storedStamp } from '../hash/fileStamp';

/** 2: with the stamps of the files. */
const CATALOGUE_VERSION = 2;

/** Names remembered that are not offered any more; of more, those withdrawn longest ago are forgotten. */
const MAX_WITHDRAWN = 10_000;

/** A file that this peer offers, as it was when it was published. Replaced, never changed. */
export interface CatalogueEntry {
  readonly name: string;
  /** Absolute path of the file where it lies. */
  readonly path: string;
  /** Its path with all links resolved: if that changes, another file lies there. */
  readonly realPath: string;
  readonly sizeBytes: number;
  /** As it is announced: the time that the file had when its content was published. */
  readonly modifiedMs: number;
  /**
   * Stamp of the file when it was last known to hold this content. One that looks otherwise, also
   * because it is another file, is not served before it was read again.
   */
  readonly stamp: FileStamp;
  readonly publishedAtMs: number;
  /** What the file held when it was published; undefined in entries stored before this was known. */
  readonly contentId?: ContentId | undefined;
  /** Number of the content under this name, from 1 on. */
  readonly version?: number | undefined;
  /** Grows with every change of what is offered under this name, and never goes back. */
  readonly sequence?: number | undefined;
  /** Offered until this session ends: the next start does not offer it again. */
  readonly forSession?: boolean | undefined;
  /** Kinds of secrets that the user has agreed to offer under this name. */
  readonly consent?: readonly SecretKind[] | undefined;
}

/** A name that was offered once: its numbers go on from here when it is offered again. */
export interface WithdrawnEntry {
  readonly name: string;
  /** What was offered last. */
  readonly contentId: ContentId;
  readonly version: number;
  /** Of the withdrawal. */
  readonly sequence: number;
}

const absolutePath = v.pipe(v.string(), v.check(isAbsolute));
const amount = v.pipe(v.number(), v.finite(), v.minValue(0));

const contentId = v.pipe(
  v.object({ root: v.string(), sizeBytes: v.number() }),
  v.check(({ root, sizeBytes }) => toContentId(root, sizeBytes) !== undefined),
);

const storedCatalogue = v.object({
  version: v.literal(CATALOGUE_VERSION),
  files: v.array(
    v.object({
      name: v.pipe(
        v.string(),
        v.check((name) => publishedNameProblem(name) === undefined),
      ),
      path: absolutePath,
      realPath: absolutePath,
      sizeBytes: amount,
      // Before 1970 it is negative.
      modifiedMs: v.pipe(v.number(), v.finite()),
      stamp: storedStamp,
      publishedAtMs: amount,
      contentId: v.optional(contentId),
      version: v.optional(v.pipe(amount, v.integer())),
      sequence: v.optional(v.pipe(amount, v.integer())),
      consent: v.optional(v.array(v.picklist(SECRET_KINDS))),
    }),
  ),
  withdrawn: v.optional(
    v.array(
      v.object({
        name: v.string(),
        contentId,
        version: v.pipe(amount, v.integer()),
        sequence: v.pipe(amount, v.integer()),
      }),
    ),
    [],
  ),
});

/**
 * What this peer offers in one session, kept in one file. Only names in here are served.
 */
export class Catalogue extends DisposableBase {
  private readonly entries = new Map<string, CatalogueEntry>();
  /** By name; the one withdrawn longest ago comes first. */
  private readonly withdrawnEntries = new Map<string, WithdrawnEntry>();
  private readonly changeEmitter = this.register(new Emitter<void>());

  readonly onDidChange = this.changeEmitter.event;

  constructor(
    /** Undefined: nothing outlives this process. */
    private readonly file: string | undefined,
    private readonly logger: Logger,
  ) {
    super();
  }

  /** Reads what was stored. A damaged file is put aside and named in the log, never overwritten. */
  load(): void {
    if (this.file === undefined) return;
    const stored = readJsonFile(this.file, storedCatalogue, this.logger);
    for (const entry of stored?.files ?? []) this.entries.set(entry.name, entry);
    for (const entry of stored?.withdrawn ?? []) this.withdrawnEntries.set(entry.name, entry);
    this.changeEmitter.fire();
  }

  get(name: string): CatalogueEntry | undefined {
    return this.entries.get(name);
  }

  all(): CatalogueEntry[] {
    return [...this.entries.values()];
  }

  /** What was said last of a name that is not offered any more, as long as it is remembered. */
  withdrawn(name: string): WithdrawnEntry | undefined {
    return this.entries.has(name) ? undefined : this.withdrawnEntries.get(name);
  }

  /**
   * The sequence of the next thing that is said of a name: higher than all before.
   * By the clock, so that it grows even where the number before is not known any more.
   */
  nextSequence(name: string, nowMs: number): number {
    const before = this.entries.get(name) ?? this.withdrawnEntries.get(name);
    return Math.max(Math.floor(nowMs), (before?.sequence ?? 0) + 1);
  }

  /** Adds or replaces entries, and stores them before it returns. @throws DISK_FULL and others. */
  add(entries: readonly CatalogueEntry[]): void {
    if (entries.length === 0) return;
    const before = new Map(this.entries);
    for (const entry of entries) this.entries.set(entry.name, entry);
    try {
      this.save();
    } catch (error) {
      // What cannot be stored is not offered: it would be gone after the next start.
      this.entries.clear();
      before.forEach((entry, name) => this.entries.set(name, entry));
      throw error;
    }
  }

  /** Takes names out; those that are not in are passed over. They are out even when this throws. */
  remove(names: readonly string[], nowMs: number): void {
    const removed = names.flatMap((name) => this.entries.get(name) ?? []);
    for (const entry of removed) this.withdraw(entry, nowMs);
    if (removed.length > 0) this.save();
  }

  private withdraw({ name, contentId: content, version }: CatalogueEntry, nowMs: number): void {
    const sequence = this.nextSequence(name, nowMs);
    this.entries.delete(name);
    if (content === undefined) return;
    this.withdrawnEntries.delete(name);
    this.withdrawnEntries.set(name, { name, contentId: content, version: version ?? 1, sequence });
    for (const oldest of this.withdrawnEntries.keys()) {
      if (this.withdrawnEntries.size <= MAX_WITHDRAWN) break;
      this.withdrawnEntries.delete(oldest);
    }
  }

  private save(): void {
    this.changeEmitter.fire();
    if (this.file === undefined) return;
    const all = this.all();
    const files = all.filter(({ forSession }) => forSession !== true);
    const withdrawn = [
      ...[...this.withdrawnEntries.values()].filter(({ name }) => !this.entries.has(name)),
      // The next start knows of them only that they are not offered any more.
      ...all.filter(({ forSession }) => forSession === true).flatMap(asWithdrawn),
    ].slice(-MAX_WITHDRAWN);
    writeJsonFile(this.file, { version: CATALOGUE_VERSION, files, withdrawn });
  }
}

function asWithdrawn({
  name,
  contentId: content,
  version,
  sequence,
}: CatalogueEntry): WithdrawnEntry[] {
  if (content === undefined) return [];
  return [{ name, contentId: content, version: version ?? 1, sequence: (sequence ?? 0) + 1 }];
}

export type EntryCondition = 'same' | 'changed' | 'missing';

/** How the file of an entry is now. */
export function entryCondition(entry: CatalogueEntry): EntryCondition {
  const stamp = stampIfFile(entry.path);
  if (stamp === undefined) return 'missing';
  return isSameStamp(stamp, entry.stamp) ? 'same' : 'changed';
}

function stampIfFile(path: string): FileStamp | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isFile() === true ? stampOf(path) : undefined;
  } catch {
    return undefined; // A folder on the way may not be entered any more: as good as gone.
  }
}
