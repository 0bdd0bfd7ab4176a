import { join } from 'node:path';
import { abortable } from '../common/abort';
import { type Clock, systemClock } from '../common/clock';
import { DisposableBase } from '../common/disposable';
import { describeError, PeershelfError } from '../common/errors';
import { Emitter } from '../common/events';
import type { Logger } from '../common/logger';
import { type ContentId, formatContentId } from '../protocol/contentId';
import type { LocatedSource } from '../protocol/controlRepliesV2';
import { isTeamId } from '../protocol/teamKeys';
import { Slot } from './catalogue/slot';
import type { FindTracker } from './control/controlLink';
import { heartbeatState } from './control/heartbeat';
import type { TrackerClient } from './control/trackerClient';
import { compareFiles } from './comparison';
import { makeDataFolder } from '../common/privateFiles';
import { createFetchers } from './createFetchers';
import { createPeerServer } from './createPeerServer';
import type { Downloads } from './downloads';
import { findDuplicates } from './duplicates';
import type { ContentHasher } from './hash/contentHasher';
import { createHasher } from './hash/createHasher';
import type { HashPool } from './hash/hashPool';
import type { LayerStore } from './hash/layerStore';
import { NetworkIndex } from './network/networkIndex';
import { toNetworkFiles } from './network/networkFiles';
import type { Shown } from './network/networkQueries';
import { OwnNames } from './network/ownNames';
import { searchTracker } from './network/searchTracker';
import {
  type CallOptions,
  type ConnectRequest,
  type EngineOptions,
  type FetchRequest,
  type FetchResult,
  type FolderFetchRequest,
  type FolderFetchResult,
  type NetworkFile,
  notConnected,
  type Notice,
  type PeerApi,
  type PeerEvents,
  type PeerSettings,
  type PeerSnapshot,
} from './peerApi';
import { Previews } from './previews';
import { Publisher } from './publisher';
import { Selections } from './selection/selections';
import { shownFile } from './team/shownFile';
import { toSessionTarget } from './sessionTarget';
import { changeFor } from './settingsChange';
import { TrackerSession } from './trackerSession';
import { STALL_MS } from './transfer/download';
import type { StartOptions } from './transfer/fetcher';
import type { PeerServer } from './transfer/peerServer';
import { retry } from './transfer/retry';
import { TransferCalls } from './transferCalls';
import { TransferList } from './transfer/transferList';
import { UnfinishedTransfers } from './transfer/unfinished';

export interface PeerDependencies {
  readonly logger: Logger;
  readonly clock?: Clock;
  /** For tests: time without a byte after which a download is given up. */
  readonly stallMs?: number;
  /** For tests: time without progress after which an upload is given up. */
  readonly slowReaderMs?: number;
  /** Where else a team's tracker may be; without it only where the invite says. */
  readonly findTracker?: FindTracker;
}

/**
 * The one object that the editor, the command line and the tests talk to. It puts the parts together:
 * the session with its tracker, the network's index, the listening socket, the downloads.
 */
export class Peer extends DisposableBase implements PeerApi, PeerEvents {
  private readonly clock: Clock;
  private readonly logger: Logger;
  private readonly noticeEmitter = this.register(new Emitter<Notice>());
  private readonly transfers: TransferList;
  private readonly server: PeerServer;
  private readonly pool: HashPool;
  private readonly hasher: ContentHasher;
  private readonly downloads: Downloads;
  private readonly previews: Previews;
  private readonly session: TrackerSession;
  private readonly publisher: Publisher;
  private readonly network: NetworkIndex;
  private readonly selections: Selections;
  private readonly unfinished: UnfinishedTransfers;
  private readonly transferCalls: TransferCalls;
  private settings: PeerSettings;
  private lastActivityMs: number;
  private stopping: Promise<void> | undefined;

  readonly onDidChangeConnection: PeerEvents['onDidChangeConnection'];
  readonly onDidChangePublished: PeerEvents['onDidChangePublished'];
  readonly onDidChangeNetwork: PeerEvents['onDidChangeNetwork'];
  readonly onDidChangeTransfers: PeerEvents['onDidChangeTransfers'];
  readonly onDidChangeReachability: PeerEvents['onDidChangeReachability'];
  readonly onDidNotice = this.noticeEmitter.event;

  /** Takes a place in the storage folder and removes what a crash left there. Opens no socket. */
  constructor(
    private readonly dependencies: PeerDependencies,
    private readonly options: EngineOptions,
  ) {
    super();
    const { logger, clock = systemClock, stallMs = STALL_MS } = dependencies;
    this.clock = clock;
    this.logger = logger;
    this.settings = options.settings;
    this.lastActivityMs = clock.monotonic();
    const { storageFolder, windowId, keepCatalogue } = options;
    makeDataFolder(storageFolder);
    const folder = keepCatalogue
      ? this.register(Slot.acquire(storageFolder, clock, windowId)).folder
      : undefined;
    this.transfers = this.register(new TransferList(clock));
    const { pool, cache, layers, hasher } = createHasher({ clock, logger }, options);
    this.pool = pool;
    this.hasher = hasher;
    this.server = this.createServer(layers);
    this.session = this.register(this.createSession(folder, options));
    const { session, server } = this;
    this.publisher = this.register(
      new Publisher({
        ...{ clock, session, server, hasher },
        ownFolders: [storageFolder],
        logger: logger.child('published'),
        settings: () => this.settings,
      }),
    );
    const { fetcher, downloads, dialer } = createFetchers(
      {
        ...{ clock, logger, pool, hasher, layers, cache, stallMs, session },
        transfers: this.transfers,
        security: () => this.session.security,
        entryTrust: () => this.session.entryTrust,
        maxBytesPerSecond: () => this.settings.maxDownloadBytesPerSecond ?? 0,
        locate: (id) => this.locate(id),
        client: () => this.client,
        awayForMs: (hostname) => this.network.awayForMs(hostname),
        labelled: (host) => this.network.labelled(host),
      },
      options,
    );
    this.downloads = downloads;
    this.register(session.onDidEndEpoch(() => dialer.endAll()));
    this.register(session.onDidChangeAdmission(() => dialer.endRefused()));
    this.previews = new Previews({
      ...{ clock, hasher, logger: logger.child('preview') },
      folder: join(folder ?? storageFolder, 'previews'),
      locate: (id) => this.locate(id),
      fetchFrom: (request, sources, fetchOptions) => fetcher.fetch(request, sources, fetchOptions),
      fetchByName: (request, fetchOptions) => this.fetch(request, fetchOptions),
    });
    this.network = this.register(this.createNetwork());
    this.selections = new Selections({
      publish: (request, some) => this.publish(request, some),
      findDuplicates: (request, some) => this.findDuplicates(request, some),
      published: () => this.publisher.all(),
      consentOf: (name) => this.publisher.consentOf(name),
      ownFolders: [options.storageFolder],
    });
    this.unfinished = this.register(
      new UnfinishedTransfers({
        ...{ fetcher, transfers: this.transfers, logger: logger.child('transfers') },
        file: folder && join(folder, 'transfers.json'),
        ownFolder: storageFolder,
        session: () => this.session.key,
        start: (id) => retry(this.transfers, id, this),
      }),
    );
    this.transferCalls = new TransferCalls(this.transfers, this.unfinished, this);
    this.onDidChangeConnection = this.session.onDidChangeConnection;
    this.onDidChangePublished = this.publisher.onDidChange;
    this.onDidChangeNetwork = this.network.onDidChange;
    this.onDidChangeTransfers = this.transfers.onDidChange;
    this.onDidChangeReachability = this.session.reachability.onDidChange;
    this.subscribe();
  }

  async connect(request: ConnectRequest, { signal }: CallOptions = {}): Promise<void> {
    this.throwIfStopped();
    this.noteActivity();
    await abortable(this.session.join(toSessionTarget(request, this.clock)), signal).catch(
      async (error: unknown) => {
        if (signal?.aborted === true) await this.session.leave();
        throw error;
      },
    );
  }

  readonly disconnect: PeerApi['disconnect'] = () => this.session.leave();

  readonly publish: PeerApi['publish'] = (request, options = {}) => {
    this.noteActivity();
    return this.publisher.publish(request, options);
  };

  readonly findDuplicates: PeerApi['findDuplicates'] = async (request, options = {}) => {
    this.noteActivity();
    const entries = await this.publisher.identify(request, options);
    const questions = { client: this.client, own: this.session.registeredHostname };
    const found = await abortable(findDuplicates(entries, questions), options.signal);
    const labelled = this.network.labelled.bind(this.network);
    return found.map((file) => ({
      ...file,
      sameContent: file.sameContent.map(labelled),
      sameName: file.sameName.map(labelled),
    }));
  };

  readonly findFiles: PeerApi['findFiles'] = (request, options = {}) =>
    this.selections.find(request, options);
  readonly compareSelection: PeerApi['compareSelection'] = (wish, options = {}) =>
    this.selections.compare(wish, options);
  readonly publishSelection: PeerApi['publishSelection'] = (wish, options = {}) =>
    this.selections.publish(wish, options);

  readonly unpublish: PeerApi['unpublish'] = async ({ names }) => {
    this.noteActivity();
    await this.publisher.unpublish(names);
  };

  readonly followRenames: PeerApi['followRenames'] = (request, options = {}) =>
    this.publisher.followRenames(request, options);

  async fetch(request: FetchRequest, options: StartOptions = {}): Promise<FetchResult> {
    this.noteActivity();
    return this.downloads.fetch(request, options);
  }

  fetchFolder(request: FolderFetchRequest, options: StartOptions = {}): Promise<FolderFetchResult> {
    this.noteActivity();
    return this.downloads.fetchFolder(request, options);
  }

  readonly preview: PeerApi['preview'] = async (request, options = {}) => {
    this.noteActivity();
    return { path: await this.previews.get(request, options) };
  };

  readonly cancelTransfer: PeerApi['cancelTransfer'] = (which) => this.transferCalls.cancel(which);
  readonly pauseTransfer: PeerApi['pauseTransfer'] = (which) => this.transferCalls.pause(which);
  readonly resumeTransfer: PeerApi['resumeTransfer'] = (which) => {
    this.noteActivity();
    return this.transferCalls.resume(which);
  };
  readonly retryTransfer: PeerApi['retryTransfer'] = (which) => this.transferCalls.retry(which);
  readonly clearTransfers: PeerApi['clearTransfers'] = () => this.transferCalls.clear();

  async refreshNetwork(): Promise<void> {
    if (this.session.client === undefined) throw notConnected(this.session.connection);
    await this.network.refresh();
  }

  watchNetwork({ watching }: { readonly watching: boolean }): Promise<void> {
    this.noteActivity();
    this.network.watch(watching);
    return Promise.resolve();
  }

  readonly networkPeers: PeerApi['networkPeers'] = () => Promise.resolve(this.network.peers());
  readonly networkPeerPage: PeerApi['networkPeerPage'] = (query) =>
    Promise.resolve(this.network.peerPage(query));
  readonly networkFiles: PeerApi['networkFiles'] = (query) =>
    Promise.resolve(this.network.files(query));
  readonly networkRows: PeerApi['networkRows'] = (query) =>
    Promise.resolve(this.network.rows(query));
  readonly networkFolder: PeerApi['networkFolder'] = (query) =>
    Promise.resolve(this.network.folder(query));

  readonly compareFiles: PeerApi['compareFiles'] = (request, options = {}) =>
    compareFiles(request, this.hasher, options);

  async discover({ hostname }: { readonly hostname: string }): Promise<NetworkFile[]> {
    const files = await this.client.discover(hostname);
    return toNetworkFiles(
      { hostname, displayName: hostname, ...this.network.whose(hostname) },
      files,
    ).flatMap((file) => this.shown(file) ?? []);
  }

  readonly searchNetwork: PeerApi['searchNetwork'] = async (query) => {
    const { client, network: index, shown } = this;
    return searchTracker({ client, index, own: this.session.registeredHostname, shown }, query);
  };

  readonly members: PeerApi['members'] = () => Promise.resolve(this.session.members);

  readonly countKept: PeerApi['countKept'] = ({ team }) =>
    Promise.resolve(isTeamId(team) ? this.session.countKept(team) : 0);

  readonly ping: PeerApi['ping'] = async ({ hostname }) => this.client.ping(hostname);

  snapshot(): Promise<PeerSnapshot> {
    return Promise.resolve({
      ...this.session.state,
      ownIdentity: this.session.member?.identity.fingerprint,
      isInviteCurrent: this.session.member?.isInviteCurrent,
      published: this.publisher.all(),
      network: this.network.summary,
      transfers: this.transfers.all(),
    });
  }

  async configure(change: Partial<PeerSettings>): Promise<void> {
    const before = this.settings;
    this.settings = { ...this.settings, ...change };
    this.server.options.maxUploads = this.settings.maxUploads;
    this.server.options.maxUploadBytesPerSecond = this.settings.maxUploadBytesPerSecond ?? 0;
    this.publisher.onSettingsChanged();
    const changed = changeFor(before, this.settings);
    if (changed === 'place') await this.session.offerAnew();
    else if (changed === 'name') await this.session.registerAgain();
  }

  stop(): Promise<void> {
    this.stopping ??= this.stopOnce();
    return this.stopping;
  }

  private readonly shown: Shown = (file) => shownFile(file, this.session.entryTrust);

  private throwIfStopped(): void {
    if (this.stopping !== undefined)
      throw new PeershelfError('ENGINE_STOPPED', 'the engine has been stopped');
  }

  private async stopOnce(): Promise<void> {
    this.network.watch(false);
    this.unfinished.stop();
    this.transfers.stopAll();
    await this.session.leave();
    await this.pool.stop();
    this.dispose();
  }

  private createNetwork(): NetworkIndex {
    const { clock, session, logger } = this;
    const ownNames = new OwnNames(() => ({
      hostname: session.registeredHostname,
      displayName: this.settings.displayName,
      identity: session.member?.identity.fingerprint,
      sessionName: session.member?.sessionName,
    }));
    return new NetworkIndex({
      ...{ clock, logger: logger.child('network') },
      list: async () => session.client?.list(),
      ownHostname: () => session.registeredHostname,
      ownNames: () => ownNames.get(),
      formerMembers: () => session.formerMembers,
      shown: this.shown,
    });
  }

  private createServer(layers: LayerStore): PeerServer {
    const { clock, logger, transfers } = this;
    const { slowReaderMs } = this.dependencies;
    return createPeerServer(
      {
        ...{ clock, logger, layers, transfers, slowReaderMs },
        session: () => this.session,
        publisher: () => this.publisher,
        network: () => this.network,
      },
      this.settings,
    );
  }

  private createSession(
    folder: string | undefined,
    { windowId, storageFolder: sharedFolder, presence }: EngineOptions,
  ): TrackerSession {
    const { clock, logger } = this;
    return new TrackerSession({
      ...{ clock, folder, sharedFolder, windowId, presence: presence ?? false },
      ...{ logger: logger.child('control'), findTracker: this.dependencies.findTracker },
      onIdentityChanged: (hostname) =>
        this.noticeEmitter.fire({ kind: 'identityChanged', hostname }),
      onLeave: (reason) => this.unfinished.park(reason),
      server: this.server,
      settings: () => this.settings,
      heartbeatState: () =>
        heartbeatState(this.transfers.running, clock.monotonic() - this.lastActivityMs),
    });
  }

  /** Who has a content now, this peer left out. */
  private async locate(id: ContentId): Promise<LocatedSource[]> {
    const located = await this.client.locate([id]);
    const own = this.session.registeredHostname;
    return (located.get(formatContentId(id)) ?? [])
      .filter(({ hostname }) => hostname !== own)
      .map((source) => this.network.labelled(source));
  }

  private subscribe(): void {
    this.register(this.publisher.onDidNotice((notice) => this.noticeEmitter.fire(notice)));
    this.register(
      this.session.onDidChangeConnection(({ kind }) => {
        if (kind !== 'connected') this.network.clear();
        else this.onConnected();
      }),
    );
    this.register(this.session.onDidReceiveEvent((event) => this.network.receive(event)));
    this.register(
      this.transfers.onDidChangeRunning(() => {
        this.noteActivity();
        this.publisher.fireSoon();
      }),
    );
  }

  private onConnected(): void {
    void this.unfinished.restore();
    if (this.options.lazyNetwork === true) return;
    // Views show how many others there are, whether the list is looked at or not.
    const { client } = this.session;
    const tracker = client?.version === 2 ? client.network : undefined;
    this.network
      .connected(tracker)
      .catch((error: unknown) => this.logger.debug(`refresh: ${describeError(error)}`));
  }

  private get client(): TrackerClient {
    const { client } = this.session;
    if (client === undefined) throw notConnected(this.session.connection);
    return client;
  }

  private noteActivity(): void {
    this.lastActivityMs = this.clock.monotonic();
    this.session.updateHeartbeat();
  }
}
