import { join } from 'node:path';
import { type Clock, systemClock } from '../common/clock';
import { type Disposable, DisposableBase, DisposableSlot } from '../common/disposable';
import { PeershelfError, toPlainError } from '../common/errors';
import { Emitter } from '../common/events';
import type { Logger } from '../common/logger';
import { type CatalogueEntry, type EntryCondition, entryCondition } from './catalogue/catalogue';
import { Slot } from './catalogue/slot';
import { heartbeatState } from './control/heartbeat';
import type { TrackerClient } from './control/trackerClient';
import { NetworkIndex, toFiles } from './networkIndex';
import type {
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
    this.settings = options.settings;
    this.lastActivityMs = clock.monotonic();
    const slot = this.register(Slot.acquire(options.storageFolder, clock, options.windowId));
    const leftovers = new Leftovers(join(options.storageFolder, 'leftovers'), logger);
    leftovers.sweep();
    this.transfers = this.register(new TransferList(clock));
    this.server = new PeerServer(
      {
        clock,
        logger: logger.child('server'),
        transfers: this.transfers,
        find: (name) => this.session.catalogue?.get(name),
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
        folder: slot.folder,
        keepCatalogue: options.keepCatalogue,
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

  async connect({ tracker }: ConnectRequest): Promise<void> {
    this.noteActivity();
    await this.session.join(tracker);
  }

  async disconnect(): Promise<void> {
    await this.session.leave();
  }

  async publish({ files }: PublishRequest): Promise<PublishOutcome[]> {
    this.noteActivity();
    const { catalogue } = this.session;
    if (catalogue === undefined) throw notConnected();
    const prepared = files.map((file) => this.prepare(file));
    const entries = prepared.flatMap(({ entry }) => (entry === undefined ? [] : [entry]));
    const before = entries.flatMap(({ name }) => catalogue.get(name) ?? []);
    catalogue.add(entries);
    try {
      const refused = await this.session.announce();
      return prepared.map(({ name, error }) => {
        const failure = error ?? refused.get(name);
        return { name, error: failure === undefined ? undefined : toPlainError(failure) };
      });
    } catch (error) {
      // Nothing can be served (no port): what was not offered before must not look as if it were.
      catalogue.remove(entries.map(({ name }) => name));
      catalogue.add(before);
      throw error;
    }
  }

  async unpublish({ names }: UnpublishRequest): Promise<void> {
    this.noteActivity();
    const { catalogue } = this.session;
    if (catalogue === undefined) throw notConnected();
    catalogue.remove(names);
    this.server.cancelUploadsOf(new Set(names));
    await this.session.announce();
  }

  async fetch(request: FetchRequest, options: FetchOptions = {}): Promise<FetchResult> {
    this.noteActivity();
    const sources = await this.client.sources(request.name);
    // Names are opaque to a tracker; who types one may compose its accents differently.
    const composed = request.name.normalize('NFC');
    const useComposed = sources.length === 0 && composed !== request.name;
    const name = useComposed ? composed : request.name;
    const found = useComposed ? await this.client.sources(name) : sources;
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

  private async stopOnce(): Promise<void> {
    this.network.watch(false);
    this.transfers.cancelAll();
    await this.session.leave();
    this.dispose();
  }

  private subscribe(): void {
    this.register(this.session.onDidChangeCatalogue(() => this.firePublished()));
    this.register(
      this.session.onDidChangeConnection(({ kind }) => {
        if (kind !== 'connected') this.network.clear();
        else if (this.network.isWatching) void this.network.refresh().catch(() => undefined);
      }),
    );
    this.register(
      this.transfers.onDidChangeRunning(() => {
        this.noteActivity();
        this.firePublished();
      }),
    );
  }

  private get client(): TrackerClient {
    const { client } = this.session;
    if (client === undefined) throw notConnected();
    return client;
  }

  private prepare(file: PublishRequest['files'][number]): Prepared {
    try {
      const entry = toCatalogueEntry(file, this.clock.now());
      return { name: entry.name, entry, error: undefined };
    } catch (error) {
      return { name: file.name, entry: undefined, error: PeershelfError.from(error) };
    }
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
    this.conditions.set(entry, entryCondition(entry));
    this.firePublished();
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

function notConnected(): PeershelfError {
  return new PeershelfError('NOT_CONNECTED', 'there is no connection to a tracker');
}
