import { throwIfAborted } from '../common/abort';
import type { Clock } from '../common/clock';
import { type Disposable, DisposableBase, DisposableSlot } from '../common/disposable';
import { PeershelfError, toPlainError } from '../common/errors';
import { Emitter } from '../common/events';
import type { Logger } from '../common/logger';
import { type ContentId, formatContentId, isSameContent } from '../protocol/contentId';
import {
  type Catalogue,
  type CatalogueEntry,
  type EntryCondition,
  entryCondition,
} from './catalogue/catalogue';
import type { ContentHasher } from './hash/contentHasher';
import {
  notConnected,
  type FetchOptions,
  type HeldBackFile,
  type HeldBackReason,
  type Notice,
  type PeerSettings,
  type PublishedFile,
  type PublishOutcome,
  type PublishRequest,
  type RenameRequest,
  type SecretKind,
} from './peerApi';
import { compare } from './network/networkModel';
import { isOnFor } from './folderRules';
import { type GateVerdict, heldBack, PublicationGate } from './publish/publicationGate';
import { toCatalogueEntry } from './publishing';
import { movedFiles } from './renames';
import type { TrackerSession } from './trackerSession';
import type { PeerServer } from './transfer/peerServer';
import { Upkeep } from './upkeep';

/** Changes of published files are told at most this often. */
const PUBLISHED_INTERVAL_MS = 50;
/** Files that are held back within this time are told in one notice: a switch of branches changes many. */
const HELD_BACK_INTERVAL_MS = 1_000;

export interface PublisherDependencies {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly settings: () => PeerSettings;
  readonly session: TrackerSession;
  readonly server: PeerServer;
  readonly hasher: ContentHasher;
  /** Folders with data of this product, of which nothing is offered. */
  readonly ownFolders: readonly string[];
}

interface Prepared {
  readonly name: string;
  readonly entry: CatalogueEntry | undefined;
  readonly error: PeershelfError | undefined;
}

/** What this peer offers: adds and takes back, and watches over what has become of it. */
export class Publisher extends DisposableBase {
  private readonly changeEmitter = this.register(new Emitter<readonly PublishedFile[]>());
  private readonly noticeEmitter = this.register(new Emitter<Notice>());
  private readonly upkeep: Upkeep;
  /** How the file of an entry was when it was last looked at. */
  private readonly conditions = new WeakMap<CatalogueEntry, EntryCondition>();
  private changeTimer: Disposable | undefined;
  private readonly changeTimers = this.register(new DisposableSlot());
  private readonly gate: PublicationGate;
  /** Changed files that were not published again, with the reason that was told. */
  private readonly heldBack = new WeakMap<CatalogueEntry, HeldBackReason>();
  private untoldHeldBack: HeldBackFile[] = [];
  private readonly heldBackTimer = this.register(new DisposableSlot());
  /** Entries by content, made when it is asked for; undefined after a change. */
  private byContent: Map<string, CatalogueEntry> | undefined;

  readonly onDidChange = this.changeEmitter.event;
  readonly onDidNotice = this.noticeEmitter.event;

  constructor(private readonly dependencies: PublisherDependencies) {
    super();
    const { clock, logger, session, settings } = dependencies;
    this.gate = new PublicationGate(dependencies.ownFolders);
    this.upkeep = this.register(
      new Upkeep({
        ...{ clock, logger, session },
        check: (entry) => this.check(entry),
        republishes: ({ path }) => isOnFor(path, settings().autoRepublish ?? []),
        confirm: (entries) => this.confirm(entries),
        republish: (entry) => this.republish(entry),
        unpublish: (entries) => this.unpublishMissing(entries.map(({ name }) => name)),
      }),
    );
    this.register(
      session.onDidChangeCatalogue(() => {
        this.byContent = undefined;
        this.fireSoon();
      }),
    );
  }

  /** As `PeerApi.publish`. */
  async publish(
    { files, anew }: PublishRequest,
    { signal, onProgress }: FetchOptions,
  ): Promise<PublishOutcome[]> {
    const catalogue = this.catalogue();
    const hashed = await this.hashAll(this.prepare(files, catalogue), {
      ...{ signal, onProgress, anew },
    });
    throwIfAborted(signal);
    const prepared = await this.judgeAll(hashed, files, catalogue);
    if (catalogue !== this.dependencies.session.catalogue)
      throw new PeershelfError('SESSION_CHANGED', 'the session was left meanwhile', {
        details: { isPublishing: true },
      });
    const entries = prepared.flatMap(({ entry }) => (entry === undefined ? [] : [entry]));
    await this.offer(entries, catalogue);
    return prepared.map(({ name, entry, error }) => {
      const failure = error ?? (entry && this.dependencies.session.refusalOf(entry));
      return { name, error: failure && toPlainError(failure) };
    });
  }

  /** These files as they would be published; those that cannot be are left out. */
  async identify({ files }: PublishRequest, options: FetchOptions): Promise<CatalogueEntry[]> {
    const prepared = await this.hashAll(this.prepare(files, this.catalogue()), options);
    return prepared.flatMap(({ entry }) => entry ?? []);
  }

  /** Takes names back; running uploads of them end. */
  async unpublish(names: readonly string[]): Promise<void> {
    const { clock, server, session } = this.dependencies;
    const catalogue = this.catalogue();
    server.cancelUploadsOf(new Set(names));
    try {
      catalogue.remove(names, clock.now());
    } finally {
      // Also when it cannot be stored (a full disk): what was taken back is not offered any more.
      await session.announce();
    }
  }

  /** As `PeerApi.followRenames`. */
  async followRenames(
    { renames }: RenameRequest,
    options: FetchOptions,
  ): Promise<PublishOutcome[]> {
    const { session } = this.dependencies;
    const moved = movedFiles(session.catalogue?.all() ?? [], renames);
    if (moved.length === 0) return [];
    const files = moved.map(({ file }) => file);
    const outcomes = await this.publish({ files }, options);
    const published = outcomes.filter(({ error }) => error === undefined);
    const current = new Set(published.map(({ name }) => name));
    // In a swap, the old name of one file is the new name of another.
    const left = moved.filter(
      ({ entry }, index) => outcomes[index]?.error === undefined && !current.has(entry.name),
    );
    if (left.length > 0) await this.unpublish(left.map(({ entry }) => entry.name));
    return outcomes;
  }

  /** In the order of their names, as the files of others are. */
  all(): PublishedFile[] {
    const entries = [...(this.dependencies.session.catalogue?.all() ?? [])];
    entries.sort((one, other) => compare(one.name, other.name));
    return entries.map((entry) => ({
      name: entry.name,
      path: entry.path,
      sizeBytes: entry.sizeBytes,
      modifiedMs: entry.modifiedMs,
      publishedAtMs: entry.publishedAtMs,
      state: this.stateOf(entry),
      forSession: entry.forSession === true,
      uploads: this.dependencies.server.uploadsOf(entry.name),
      heldBack: this.heldBack.get(entry),
    }));
  }

  /** A published entry with this content. */
  findContent(id: ContentId): CatalogueEntry | undefined {
    this.byContent ??= new Map(
      (this.dependencies.session.catalogue?.all() ?? []).flatMap((entry) =>
        entry.contentId === undefined ? [] : [[formatContentId(entry.contentId), entry]],
      ),
    );
    return this.byContent.get(formatContentId(id));
  }

  /** Somebody asked for the file of an entry: it may not be as it was. */
  onSeen(entry: CatalogueEntry): void {
    this.upkeep.look(entry);
  }

  /** The settings have changed: files may have to be published again. */
  onSettingsChanged(): void {
    this.upkeep.lookAtAll();
  }

  /** Soon: publishing a folder, or many uploads at once, would fire for every file. */
  fireSoon(): void {
    if (this.changeTimer !== undefined || this.changeEmitter.listenerCount === 0) return;
    this.changeTimer = this.dependencies.clock.after(PUBLISHED_INTERVAL_MS, () => {
      this.changeTimer = undefined;
      this.changeEmitter.fire(this.all());
    });
    this.changeTimers.set(this.changeTimer);
  }

  /** Looks at the file of an entry, and tells when it is not as it was. */
  private check(entry: CatalogueEntry): EntryCondition {
    const condition = entryCondition(entry);
    if (condition !== this.conditions.get(entry)) {
      this.conditions.set(entry, condition);
      this.fireSoon();
    }
    return condition;
  }

  /**
   * Reads files that look otherwise than they did, which a touch, a copy back or a change of mode does,
   * too. Those that hold what was published are offered on, as if nothing had been.
   */
  private async confirm(entries: readonly CatalogueEntry[]): Promise<void> {
    const { clock, session } = this.dependencies;
    const catalogue = this.catalogue();
    const current = entries.flatMap((before) => {
      const entry = entryIfThere(before, clock.now());
      return entry?.realPath === before.realPath ? [{ before, entry }] : [];
    });
    const prepared = await this.hashAll(
      current.map(({ entry }) => ({ name: entry.name, entry, error: undefined })),
      {},
    );
    if (catalogue !== session.catalogue) return;
    catalogue.add(
      current.flatMap(({ before }, index) => {
        const found = prepared[index]?.entry;
        const isSame =
          found?.contentId !== undefined &&
          before.contentId !== undefined &&
          isSameContent(found.contentId, before.contentId) &&
          catalogue.get(before.name) === before;
        return isSame ? [{ ...before, stamp: found.stamp }] : [];
      }),
    );
  }

  /** Publishes what the file of an entry holds now, if it still is the same file. */
  private async republish(entry: CatalogueEntry): Promise<void> {
    const { clock, session } = this.dependencies;
    const { name, path, forSession } = entry;
    const catalogue = this.catalogue();
    const current = toCatalogueEntry({ name, path, forSession }, clock.now());
    // Nobody chose what a link leads to that was put in the place of a published file.
    if (current.realPath !== entry.realPath)
      throw new PeershelfError('FILE_GONE', `${path} leads elsewhere now`, { details: { path } });
    const [prepared] = await this.hashAll([{ name, entry: current, error: undefined }], {});
    if (prepared?.entry === undefined) throw PeershelfError.from(prepared?.error);
    // Taken back, published anew, or the session left meanwhile: that holds.
    if (catalogue !== session.catalogue || catalogue.get(name) !== entry) return;
    const verdict = this.gate.judge({ entry: prepared.entry, given: entry.consent ?? [] });
    if ('error' in verdict) throw verdict.error;
    if ('reason' in verdict) {
      this.holdBack(entry, verdict.reason);
      return;
    }
    await this.offer([verdict.entry], catalogue);
    const refusal = session.refusalOf(verdict.entry);
    if (refusal !== undefined) throw refusal;
  }

  /** Leaves the entry as it was published, which nobody is served any more, and says why, once. */
  private holdBack(entry: CatalogueEntry, reason: HeldBackReason): void {
    if (this.heldBack.get(entry) === reason) return;
    this.heldBack.set(entry, reason);
    this.fireSoon();
    const { clock, logger } = this.dependencies;
    logger.warn(`${entry.name} is not published again: it looks like a secret (${reason})`);
    if (this.untoldHeldBack.length === 0)
      this.heldBackTimer.set(clock.after(HELD_BACK_INTERVAL_MS, () => this.tellHeldBack()));
    this.untoldHeldBack.push({ name: entry.name, reason });
  }

  private tellHeldBack(): void {
    const files = this.untoldHeldBack;
    this.untoldHeldBack = [];
    this.noticeEmitter.fire({ kind: 'heldBack', files });
  }

  /** Kinds of secrets that the user has agreed to offer under this name. */
  consentOf(name: string): readonly SecretKind[] {
    return this.dependencies.session.catalogue?.get(name.normalize('NFC'))?.consent ?? [];
  }

  /** Refuses what the user has not consented to, given now or with the entry of the same name. */
  private async judgeAll(
    prepared: readonly Prepared[],
    files: PublishRequest['files'],
    catalogue: Catalogue,
  ): Promise<Prepared[]> {
    const asked = prepared.flatMap(({ entry }, index) => {
      if (entry === undefined) return [];
      const before = catalogue.get(entry.name)?.consent ?? [];
      const { consent = [], found } = files[index] ?? {};
      return [{ entry, given: [...before, ...consent], found }];
    });
    const verdicts = (await this.gate.judgeAll(asked))[Symbol.iterator]();
    return prepared.map((one): Prepared => {
      if (one.entry === undefined) return one;
      const { value: verdict } = verdicts.next() as { value: GateVerdict };
      if ('entry' in verdict) return { ...one, entry: verdict.entry };
      const error = 'error' in verdict ? verdict.error : heldBack(one.name, verdict.reason);
      return { ...one, entry: undefined, error };
    });
  }

  private async unpublishMissing(names: readonly string[]): Promise<void> {
    try {
      await this.unpublish(names);
    } finally {
      // Also when it cannot be stored or told: they are not offered any more.
      this.noticeEmitter.fire({ kind: 'unpublishedMissing', names });
    }
  }

  private catalogue(): Catalogue {
    const { catalogue } = this.dependencies.session;
    if (catalogue === undefined) throw notConnected(this.dependencies.session.connection);
    return catalogue;
  }

  /** One name means one file: within a call, and against what is published already. */
  private prepare(files: PublishRequest['files'], catalogue: Catalogue): Prepared[] {
    const seen = new Map<string, CatalogueEntry>();
    return files.map((file) => {
      try {
        const entry = toCatalogueEntry(file, this.dependencies.clock.now());
        const other = seen.get(entry.name) ?? catalogue.get(entry.name);
        if (other !== undefined) refuseClash(entry, other);
        seen.set(entry.name, entry);
        return { name: entry.name, entry, error: undefined };
      } catch (error) {
        return { name: file.name, entry: undefined, error: PeershelfError.from(error) };
      }
    });
  }

  /** Finds out what the files hold; those that cannot be read are not offered. */
  private async hashAll(
    prepared: readonly Prepared[],
    { signal, onProgress, anew }: FetchOptions & Pick<PublishRequest, 'anew'>,
  ): Promise<Prepared[]> {
    const paths = prepared.flatMap(({ entry }) => (entry === undefined ? [] : [entry.realPath]));
    const sizes = prepared.map(({ entry }) => entry?.sizeBytes ?? 0);
    const totalBytes = sizes.reduce((sum, size) => sum + size, 0);
    let bytes = 0;
    const hashed = await this.dependencies.hasher.hashAll(paths, {
      ...{ signal, anew },
      onBytes: (count) => {
        bytes += count;
        onProgress?.({ bytes: Math.min(bytes, totalBytes), totalBytes });
      },
    });
    const results = hashed[Symbol.iterator]();
    return prepared.map((one): Prepared => {
      if (one.entry === undefined) return one;
      const { value: result } = results.next() as { value: (typeof hashed)[number] };
      if (result instanceof PeershelfError) return { ...one, entry: undefined, error: result };
      return { ...one, entry: this.withContent(one.entry, result) };
    });
  }

  private withContent(
    entry: CatalogueEntry,
    { stamp, contentId }: Pick<CatalogueEntry, 'stamp'> & { readonly contentId: ContentId },
  ): CatalogueEntry {
    const { sizeBytes, modifiedMs } = stamp;
    const { catalogue } = this.dependencies.session;
    const before = catalogue?.get(entry.name) ?? catalogue?.withdrawn(entry.name);
    const isSame = before?.contentId !== undefined && isSameContent(before.contentId, contentId);
    return {
      ...entry,
      sizeBytes,
      modifiedMs,
      stamp,
      contentId,
      version: (before?.version ?? 0) + (isSame ? 0 : 1) || 1,
      sequence: catalogue?.nextSequence(entry.name, entry.publishedAtMs),
    };
  }

  /** Puts entries into the catalogue and tells the tracker; what cannot be offered is taken out. */
  private async offer(entries: readonly CatalogueEntry[], catalogue: Catalogue): Promise<void> {
    const { clock, session } = this.dependencies;
    const before = new Map(
      entries.flatMap(({ name }) => {
        const entry = catalogue.get(name);
        return entry === undefined ? [] : [[name, entry]];
      }),
    );
    const takeBack = (taken: readonly CatalogueEntry[]): void => {
      const names = taken.map(({ name }) => name);
      catalogue.remove(names, clock.now());
      // Said anew: who has been told of what is taken back goes to no lower sequence.
      const restored = names.flatMap((name) => before.get(name) ?? []);
      catalogue.add(
        restored.map((entry) => ({
          ...entry,
          sequence: catalogue.nextSequence(entry.name, clock.now()),
        })),
      );
    };
    catalogue.add(entries);
    try {
      await session.announce();
    } catch (error) {
      // Nothing can be served (no port): what was not offered before must not look as if it were.
      takeBack(entries);
      throw error;
    }
    const refused = entries.filter((entry) => session.refusalOf(entry) !== undefined);
    takeBack(refused);
    if (refused.some(({ name }) => before.has(name))) await session.announce();
  }

  private stateOf(entry: CatalogueEntry): PublishedFile['state'] {
    const condition = this.conditions.get(entry) ?? entryCondition(entry);
    this.conditions.set(entry, condition);
    if (condition !== 'same') return condition;
    return this.dependencies.session.isAnnounced(entry) ? 'offered' : 'pending';
  }
}

/** A name may move on to another file only when the one that had it is gone. */
function refuseClash(entry: CatalogueEntry, other: CatalogueEntry): void {
  if (other.path === entry.path || entryCondition(other) === 'missing') return;
  throw new PeershelfError('NAME_CLASH', `${entry.name} is published from ${other.path} already`, {
    details: { name: entry.name, path: other.path },
  });
}

function entryIfThere(
  { name, path }: CatalogueEntry,
  publishedAtMs: number,
): CatalogueEntry | undefined {
  try {
    return toCatalogueEntry({ name, path }, publishedAtMs);
  } catch {
    return undefined; // It is gone meanwhile, which the next look tells.
  }
}
