import { join } from 'node:path';
import { abortable } from '../common/abort';
import { type Clock, every, systemClock } from '../common/clock';
import { type Disposable, DisposableBase, DisposableSlot } from '../common/disposable';
import { describeError, PeershelfError, toPlainError } from '../common/errors';
import { Emitter } from '../common/events';
import type { Logger } from '../common/logger';
import { type ContentId, isSameContent } from '../protocol/contentId';
import {
  type Catalogue,
  type CatalogueEntry,
  type EntryCondition,
  entryCondition,
} from './catalogue/catalogue';
import { Slot } from './catalogue/slot';
import { heartbeatState } from './control/heartbeat';
import type { TrackerClient } from './control/trackerClient';
import { NetworkIndex, toFiles } from './networkIndex';
import type {
  CallOptions,
  ConnectRequest,
  EngineOptions,
  FetchOptions,
  FetchRequest,
  FetchResult,
  NetworkFile,
  NetworkPage,
  NetworkPeer,
  NetworkQuery,
  PeerApi,
  PeerEvents,
  PeerSettings,
  PeerSnapshot,
  PublishedFile,
  PublishOutcome,
  PublishRequest,
  UnpublishRequest,
} from './peerApi';
import { toCatalogueEntry } from './publishing';
import { TrackerSession, type TrackerSessionDependencies } from './trackerSession';
import { Fetcher } from './transfer/fetcher';
import { Leftovers } from './transfer/leftovers';
import { PeerServer } from './transfer/peerServer';
import { TransferList } from './transfer/transferList';

/** Published files are looked at this often, to notice those that are gone or changed. */
const CONDITION_INTERVAL_MS = 30_000;
/** Files looked at each time; the others are looked at when they are served. */
const MAX_CHECKED_FILES = 2_000;
/** Changes of published files are told at most this often. */
const PUBLISHED_INTERVAL_MS = 50;

export interface PeerDependencies {
  readonly logger: Logger;
  readonly clock?: Clock;
  readonly dialTracker?: TrackerSessionDependencies['dialTracker'];
  /** For tests: time without a byte after which a download is given up. */
  readonly stallMs?: number;
  /** For tests: time without progress after which an upload is given up. */
  readonly slowReaderMs?: number;
}

/**
 * The one object that the editor, the command line and the tests talk to. It puts the parts together:
 * the session with its tracker, the network's index, the listening socket, the downloads.
 */
export class Peer extends DisposableBase implements PeerApi, PeerEvents {
  private readonly clock: Clock;
  private readonly logger: Logger;
  private readonly transfers: TransferList;
  private readonly server: PeerServer;
  private readonly fetcher: Fetcher;
  private readonly session: TrackerSession;
  private readonly network: NetworkIndex;
  private readonly publishedEmitter = this.register(new Emitter<readonly PublishedFile[]>());
  /** How the file of an entry was when it was last looked at. */
  private readonly conditions = new WeakMap<CatalogueEntry, EntryCondition>();
  private publishedTimer: Disposable | undefined;
  private readonly publishedTimers = this.register(new DisposableSlot());
  private settings: PeerSettings;
  private lastActivityMs: number;
  private stopping: Promise<void> | undefined;

  readonly onDidChangeConnection: PeerEvents['onDidChangeConnection'];
  readonly onDidChangePublished = this.publishedEmitter.event;
  readonly onDidChangeNetwork: PeerEvents['onDidChangeNetwork'];
  readonly onDidChangeTransfers: PeerEvents['onDidChangeTransfers'];

  /** Takes a place in the storage folder and removes what a crash left there. Opens no socket. */
  constructor(dependencies: PeerDependencies, options: EngineOptions) {
    super();
    const { logger, clock = systemClock, stallMs, slowReaderMs, dialTracker } = dependencies;
    this.clock = clock;
    this.logger = logger;
    this.settings = options.settings;
    this.lastActivityMs = clock.monotonic();
    const { storageFolder, windowId, keepCatalogue } = options;
    const folder = keepCatalogue
      ? this.register(Slot.acquire(storageFolder, clock, windowId)).folder
      : undefined;
    const leftovers = new Leftovers(
      { folder: join(storageFolder, 'leftovers'), windowId, clock },
      logger,
    );
    leftovers.sweep();
    this.transfers = this.register(new TransferList(clock));
    this.server = new PeerServer(
      {
        clock,
        logger: logger.child('server'),
        transfers: this.transfers,
        find: (name) => this.session.catalogue?.get(name),
        findContent: (id) => this.session.catalogue?.all().find((entry) => holds(entry, id)),
        layerOf: () => undefined,
        onSeen: (entry) => this.checkCondition(entry),
      },
      {
        maxUploads: options.settings.maxUploads,
        ...(slowReaderMs === undefined ? {} : { slowReaderMs }),
      },
    );
    this.fetcher = new Fetcher({
      clock,
      logger: logger.child('fetch'),
      transfers: this.transfers,
      leftovers,
      stallMs,
    });
    this.session = this.register(
      new TrackerSession({
        clock,
        logger: logger.child('control'),
        folder,
        windowId,
        server: this.server,
        settings: () => this.settings,
        heartbeatState: () =>
          heartbeatState(this.transfers.running, clock.monotonic() - this.lastActivityMs),
        ...(dialTracker === undefined ? {} : { dialTracker }),
      }),
    );
    this.network = this.register(
      new NetworkIndex({
        clock,
        logger: logger.child('network'),
        list: async () => this.session.client?.list(),
        ownHostname: () => this.session.registeredHostname,
      }),
    );
    this.onDidChangeConnection = this.session.onDidChangeConnection;
    this.onDidChangeNetwork = this.network.onDidChange;
    this.onDidChangeTransfers = this.transfers.onDidChange;
    this.subscribe();
  }

  async connect({ tracker }: ConnectRequest, { signal }: CallOptions = {}): Promise<void> {
    this.throwIfStopped();
    this.noteActivity();
    await abortable(this.session.join(tracker), signal).catch(async (error: unknown) => {
      if (signal?.aborted === true) await this.session.leave();
      throw error;
    });
  }

  async disconnect(): Promise<void> {
    await this.session.leave();
  }

  async publish({ files }: PublishRequest): Promise<PublishOutcome[]> {
    this.noteActivity();
    const catalogue = this.catalogue();
    const prepared = this.prepare(files, catalogue);
    const entries = prepared.flatMap(({ entry }) => (entry === undefined ? [] : [entry]));
    const before = entries.flatMap(({ name }) => catalogue.get(name) ?? []);
    const takeBack = (taken: readonly CatalogueEntry[]): void => {
      const names = new Set(taken.map(({ name }) => name));
      catalogue.remove([...names]);
      catalogue.add(before.filter(({ name }) => names.has(name)));
    };
    catalogue.add(entries);
    try {
      await this.session.announce();
    } catch (error) {
      // Nothing can be served (no port): what was not offered before must not look as if it were.
      takeBack(entries);
      throw error;
    }
    takeBack(entries.filter((entry) => this.session.refusalOf(entry) !== undefined));
    return prepared.map(({ name, entry, error }) => {
      const failure = error ?? (entry && this.session.refusalOf(entry));
      return { name, error: failure && toPlainError(failure) };
    });
  }

  async unpublish({ names }: UnpublishRequest): Promise<void> {
    this.noteActivity();
    const catalogue = this.catalogue();
    this.server.cancelUploadsOf(new Set(names));
    try {
      catalogue.remove(names);
    } finally {
      // Also when it cannot be stored (a full disk): what was taken back is not offered any more.
      await this.session.announce();
    }
  }

  async fetch(request: FetchRequest, options: FetchOptions = {}): Promise<FetchResult> {
    this.noteActivity();
    const { signal } = options;
    const sources = await abortable(this.client.sources(request.name), signal);
    // Names are opaque to a tracker; who types one may compose its accents differently.
    const composed = request.name.normalize('NFC');
    const useComposed = sources.length === 0 && composed !== request.name;
    const name = useComposed ? composed : request.name;
    const found = useComposed ? await abortable(this.client.sources(name), signal) : sources;
    const own = this.session.registeredHostname;
    const others = found.filter(({ hostname }) => hostname !== own);
    return this.fetcher.fetch({ ...request, name }, others, options);
  }

  cancelTransfer({ id }: { readonly id: string }): Promise<void> {
    this.transfers.cancel(id);
    return Promise.resolve();
  }

  async refreshNetwork(): Promise<void> {
    if (this.session.client === undefined) throw notConnected();
    await this.network.refresh();
  }

  watchNetwork({ watching }: { readonly watching: boolean }): Promise<void> {
    this.noteActivity();
    this.network.watch(watching);
    return Promise.resolve();
  }

  networkPeers(): Promise<NetworkPeer[]> {
    return Promise.resolve(this.network.peers());
  }

  networkFiles(query: NetworkQuery): Promise<NetworkPage> {
    return Promise.resolve(this.network.files(query));
  }

  async discover({ hostname }: { readonly hostname: string }): Promise<NetworkFile[]> {
    const files = await this.client.discover(hostname);
    return toFiles(hostname, { displayName: hostname, files });
  }

  async ping({ hostname }: { readonly hostname: string }): Promise<boolean> {
    return this.client.ping(hostname);
  }

  snapshot(): Promise<PeerSnapshot> {
    return Promise.resolve({
      connection: this.session.connection,
      serving: this.session.serving,
      published: this.published(),
      network: this.network.summary,
      transfers: this.transfers.all(),
    });
  }

  async configure(change: Partial<PeerSettings>): Promise<void> {
    const { hostname, displayName } = this.settings;
    this.settings = { ...this.settings, ...change };
    this.server.options.maxUploads = this.settings.maxUploads;
    if (this.settings.hostname !== hostname || this.settings.displayName !== displayName)
      await this.session.registerAgain();
  }

  stop(): Promise<void> {
    this.stopping ??= this.stopOnce();
    return this.stopping;
  }

  private throwIfStopped(): void {
    if (this.stopping !== undefined)
      throw new PeershelfError('ENGINE_STOPPED', 'the engine has been stopped');
  }

  private async stopOnce(): Promise<void> {
    this.network.watch(false);
    this.transfers.cancelAll();
    await this.session.leave();
    this.dispose();
  }

  private subscribe(): void {
    this.register(every(this.clock, CONDITION_INTERVAL_MS, () => this.checkConditions()));
    this.register(this.session.onDidChangeCatalogue(() => this.firePublished()));
    this.register(
      this.session.onDidChangeConnection(({ kind }) => {
        if (kind !== 'connected') this.network.clear();
        // Views show how many others there are, whether the list is looked at or not.
        else this.network.refresh().catch((error: unknown) => this.onRefreshFailed(error));
      }),
    );
    this.register(
      this.transfers.onDidChangeRunning(() => {
        this.noteActivity();
        this.firePublished();
      }),
    );
  }

  private onRefreshFailed(error: unknown): void {
    this.logger.debug(`refresh: ${describeError(error)}`);
  }

  private get client(): TrackerClient {
    const { client } = this.session;
    if (client === undefined) throw notConnected();
    return client;
  }

  private catalogue(): Catalogue {
    const { catalogue } = this.session;
    if (catalogue === undefined) throw notConnected();
    return catalogue;
  }

  /** One name means one file: within a call, and against what is published already. */
  private prepare(files: PublishRequest['files'], catalogue: Catalogue): Prepared[] {
    const seen = new Map<string, CatalogueEntry>();
    return files.map((file) => {
      try {
        const entry = toCatalogueEntry(file, this.clock.now());
        const other = seen.get(entry.name) ?? catalogue.get(entry.name);
        if (other !== undefined) refuseClash(entry, other);
        seen.set(entry.name, entry);
        return { name: entry.name, entry, error: undefined };
      } catch (error) {
        return { name: file.name, entry: undefined, error: PeershelfError.from(error) };
      }
    });
  }

  private published(): PublishedFile[] {
    const entries = this.session.catalogue?.all() ?? [];
    return entries.map((entry) => ({
      name: entry.name,
      path: entry.path,
      sizeBytes: entry.sizeBytes,
      modifiedMs: entry.modifiedMs,
      publishedAtMs: entry.publishedAtMs,
      state: this.stateOf(entry),
      uploads: this.server.uploadsOf(entry.name),
    }));
  }

  private checkCondition(entry: CatalogueEntry): void {
    const condition = entryCondition(entry);
    if (condition === this.conditions.get(entry)) return;
    this.conditions.set(entry, condition);
    this.firePublished();
  }

  private checkConditions(): void {
    const entries = this.session.catalogue?.all() ?? [];
    for (const entry of entries.slice(0, MAX_CHECKED_FILES)) this.checkCondition(entry);
  }

  private stateOf(entry: CatalogueEntry): PublishedFile['state'] {
    const condition = this.conditions.get(entry) ?? entryCondition(entry);
    this.conditions.set(entry, condition);
    if (condition !== 'same') return condition;
    return this.session.isAnnounced(entry) ? 'offered' : 'pending';
  }

  /** Soon: publishing a folder, or many uploads at once, would fire for every file. */
  private firePublished(): void {
    if (this.publishedTimer !== undefined) return;
    this.publishedTimer = this.clock.after(PUBLISHED_INTERVAL_MS, () => {
      this.publishedTimer = undefined;
      this.publishedEmitter.fire(this.published());
    });
    this.publishedTimers.set(this.publishedTimer);
  }

  private noteActivity(): void {
    this.lastActivityMs = this.clock.monotonic();
    this.session.updateHeartbeat();
  }
}

interface Prepared {
  readonly name: string;
  readonly entry: CatalogueEntry | undefined;
  readonly error: PeershelfError | undefined;
}

/** A name may move on to another file only when the one that had it is gone. */
function refuseClash(entry: CatalogueEntry, other: CatalogueEntry): void {
  if (other.path === entry.path || entryCondition(other) === 'missing') return;
  throw new PeershelfError('NAME_CLASH', `${entry.name} is published from ${other.path} already`, {
    details: { name: entry.name, path: other.path },
  });
}

function holds({ contentId }: CatalogueEntry, id: ContentId): boolean {
  return contentId !== undefined && isSameContent(contentId, id);
}

function notConnected(): PeershelfError {
  return new PeershelfError('NOT_CONNECTED', 'there is no connection to a tracker');
}
