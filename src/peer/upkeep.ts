import { dirname } from 'node:path';
import { type Clock, every } from '../common/clock';
import { DisposableBase, DisposableSlot } from '../common/disposable';
import { describeError } from '../common/errors';
import type { Event } from '../common/events';
import type { Logger } from '../common/logger';
import type { Catalogue, CatalogueEntry, EntryCondition } from './catalogue/catalogue';
import { FolderWatcher, type WatchFolder } from './folderWatcher';
import { stampOf } from './hash/fileStamp';

/** Published files are looked at this often, for what no watcher tells. */
const LOOK_INTERVAL_MS = 30_000;
/** Files looked at each time; the others are looked at when they are served. */
const MAX_FILES_OF_A_LOOK = 2_000;
/** A file gone for this long is not in the middle of being saved by delete and rename. */
const MISSING_MS = 5_000;
/** A file that did not change for this long is taken for written. */
const QUIET_MS = 2_000;
/** A file is published again at most this often. */
const REPUBLISH_INTERVAL_MS = 10_000;
/** What comes due this soon is done together: one notice for a deleted folder. */
const TOGETHER_MS = 250;

export interface UpkeepDependencies {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly session: {
    readonly catalogue: Pick<Catalogue, 'all' | 'get'> | undefined;
    readonly onDidChangeCatalogue: Event<void>;
  };
  /** Looks at the file of an entry, and tells whoever shows it. */
  readonly check: (entry: CatalogueEntry) => EntryCondition;
  /** Whether the file of an entry is published again when it has changed. */
  readonly republishes: (entry: CatalogueEntry) => boolean;
  readonly republish: (entry: CatalogueEntry) => Promise<void>;
  /** Reads files that look otherwise: those that hold what they did are entered as they look now. */
  readonly confirm: (entries: readonly CatalogueEntry[]) => Promise<void>;
  /** Takes back entries whose files are gone. */
  readonly unpublish: (entries: readonly CatalogueEntry[]) => Promise<void>;
  readonly watchFolder?: WatchFolder | undefined;
}

/** An entry whose file is not as it was, until something is done about it. */
interface Deviation {
  readonly condition: Exclude<EntryCondition, 'same'>;
  /** How the file looked: as long as it goes on changing, the time begins anew. */
  readonly look: string;
  readonly dueMs: number;
}

/**
 * Keeps what is offered in line with the files: notices what has become of them, takes back what is
 * gone for good, and publishes again what has changed, if that is wished for.
 */
export class Upkeep extends DisposableBase {
  private readonly watcher: FolderWatcher;
  private readonly deviations = new Map<CatalogueEntry, Deviation>();
  private readonly seen = new WeakSet<CatalogueEntry>();
  /** Stamps of files that were read and held something else: they are not read again for that. */
  private readonly foundOther = new WeakMap<CatalogueEntry, string>();
  /** When names were read, or published again, last. */
  private readonly republishedMs = new Map<string, number>();
  private readonly dueTimer = this.register(new DisposableSlot());
  private work: 'idle' | 'acting' | 'ended' = 'idle';
  private hasNew = false;

  constructor(private readonly dependencies: UpkeepDependencies) {
    super();
    const { clock, logger, session, watchFolder } = dependencies;
    this.watcher = this.register(new FolderWatcher({ clock, logger, watchFolder }));
    this.register(this.watcher.onDidChange((paths) => this.lookAtPaths(paths)));
    this.register(every(clock, LOOK_INTERVAL_MS, () => this.lookAtAll()));
    this.register(session.onDidChangeCatalogue(() => this.lookAtNewSoon()));
  }

  override dispose(): void {
    this.work = 'ended';
    super.dispose();
  }

  /** Looks at everything, as far as that is not too much. */
  lookAtAll(): void {
    this.watchFolders();
    for (const entry of this.entries().slice(0, MAX_FILES_OF_A_LOOK)) this.look(entry);
  }

  /** Looks at the file of one entry. */
  look(entry: CatalogueEntry): void {
    this.seen.add(entry);
    const condition = this.dependencies.check(entry);
    const look = condition === 'changed' ? lookOf(entry.path) : condition;
    if (condition === 'same' || (condition === 'changed' && !this.isWorthReading(entry, look))) {
      this.deviations.delete(entry);
      return;
    }
    if (this.deviations.get(entry)?.look === look) return;
    const nowMs = this.dependencies.clock.monotonic();
    const lastMs = this.republishedMs.get(entry.name) ?? Number.NEGATIVE_INFINITY;
    const dueMs =
      condition === 'missing'
        ? nowMs + MISSING_MS
        : Math.max(nowMs + QUIET_MS, lastMs + REPUBLISH_INTERVAL_MS);
    this.deviations.set(entry, { condition, look, dueMs });
    this.arm();
  }

  /** Whether something may come of reading a changed file. */
  private isWorthReading(entry: CatalogueEntry, look: string): boolean {
    return this.dependencies.republishes(entry) || this.mayHoldTheSame(entry, look);
  }

  private mayHoldTheSame(entry: CatalogueEntry, look: string): boolean {
    return look.startsWith(`${entry.sizeBytes} `) && this.foundOther.get(entry) !== look;
  }

  private entries(): CatalogueEntry[] {
    return this.dependencies.session.catalogue?.all() ?? [];
  }

  private watchFolders(): void {
    this.watcher.watch(new Set(this.entries().map(({ realPath }) => dirname(realPath))));
  }

  private lookAtPaths(paths: ReadonlySet<string>): void {
    const changed = new Set([...paths].map(composed));
    const isConcerned = ({ realPath }: CatalogueEntry): boolean =>
      changed.has(composed(realPath)) || changed.has(composed(dirname(realPath)));
    for (const entry of this.entries().filter(isConcerned).slice(0, MAX_FILES_OF_A_LOOK))
      this.look(entry);
    this.watchFolders();
  }

  /** Behind the change of the catalogue, once for all changes of one act. */
  private lookAtNewSoon(): void {
    if (this.hasNew) return;
    this.hasNew = true;
    queueMicrotask(() => {
      this.hasNew = false;
      if (!this.hasEnded) this.lookAtNew();
    });
  }

  private lookAtNew(): void {
    // Watched first: nothing that happens after the look is overlooked.
    this.watchFolders();
    const unseen = this.entries().filter((entry) => !this.seen.has(entry));
    for (const entry of unseen.slice(0, MAX_FILES_OF_A_LOOK)) this.look(entry);
  }

  /** Wakes up when the first deviation is due. */
  private arm(): void {
    if (this.work !== 'idle') return;
    let firstMs = Number.POSITIVE_INFINITY;
    for (const { dueMs } of this.deviations.values()) firstMs = Math.min(firstMs, dueMs);
    const { clock } = this.dependencies;
    const waitMs = Math.max(0, firstMs - clock.monotonic());
    const act = (): void => void this.act();
    this.dueTimer.set(Number.isFinite(waitMs) ? clock.after(waitMs, act) : undefined);
  }

  /** Does what is due, one file after the other: publishing again may take long. */
  private async act(): Promise<void> {
    this.work = 'acting';
    const due = this.takeDue();
    const gone = due.filter(({ condition }) => condition === 'missing');
    if (gone.length > 0) {
      const entries = gone.map(({ entry }) => entry);
      await this.attempt('unpublish', () => this.dependencies.unpublish(entries));
    }
    const changed = due.flatMap(({ entry, condition }) => (condition === 'changed' ? [entry] : []));
    await this.confirm(changed);
    for (const entry of changed)
      if (!this.hasEnded && this.isCurrent(entry) && this.dependencies.republishes(entry))
        await this.republish(entry);
    if (this.hasEnded) return;
    this.work = 'idle';
    this.arm();
  }

  private get hasEnded(): boolean {
    return this.work === 'ended';
  }

  /** What is due and still is as it was when it was seen. */
  private takeDue(): { entry: CatalogueEntry; condition: EntryCondition }[] {
    const { clock } = this.dependencies;
    const untilMs = clock.monotonic() + TOGETHER_MS;
    return [...this.deviations].flatMap(([entry, deviation]) => {
      const isCurrent = this.isCurrent(entry);
      if (!isCurrent) this.deviations.delete(entry);
      if (!isCurrent || deviation.dueMs > untilMs) return [];
      this.look(entry);
      if (this.deviations.get(entry) !== deviation) return [];
      this.deviations.delete(entry);
      return [{ entry, condition: deviation.condition }];
    });
  }

  private isCurrent(entry: CatalogueEntry): boolean {
    return this.dependencies.session.catalogue?.get(entry.name) === entry;
  }

  /** Reads those of the changed files that may hold what they did, all at once. */
  private async confirm(changed: readonly CatalogueEntry[]): Promise<void> {
    const looks = new Map(
      changed.flatMap((entry) => {
        const look = lookOf(entry.path);
        return this.mayHoldTheSame(entry, look) ? [[entry, look]] : [];
      }),
    );
    if (looks.size === 0) return;
    for (const entry of looks.keys()) this.noteRead(entry);
    const hasRead = await this.attempt('read changed files', () =>
      this.dependencies.confirm([...looks.keys()]),
    );
    if (!hasRead) return;
    for (const [entry, look] of looks) if (this.isCurrent(entry)) this.foundOther.set(entry, look);
  }

  private noteRead(entry: CatalogueEntry): void {
    const nowMs = this.dependencies.clock.monotonic();
    for (const [name, atMs] of this.republishedMs)
      if (nowMs - atMs >= REPUBLISH_INTERVAL_MS) this.republishedMs.delete(name);
    this.republishedMs.set(entry.name, nowMs);
  }

  private async republish(entry: CatalogueEntry): Promise<void> {
    this.noteRead(entry);
    await this.attempt(`publish ${entry.name} again`, () => this.dependencies.republish(entry));
  }

  /** What fails is tried again when its file is looked at next. */
  private async attempt(what: string, act: () => Promise<void>): Promise<boolean> {
    try {
      await act();
      return true;
    } catch (error) {
      this.dependencies.logger.warn(`cannot ${what}: ${describeError(error)}`);
      return false;
    }
  }
}

/** Systems spell accents in their own way. */
function composed(path: string): string {
  return path.normalize('NFC');
}

function lookOf(path: string): string {
  try {
    const { sizeBytes, modifiedMs, changedNs, device, inode } = stampOf(path);
    return `${sizeBytes} ${modifiedMs} ${changedNs} ${device} ${inode}`;
  } catch {
    return 'missing'; // Gone in this very moment: seen with the next look.
  }
}
