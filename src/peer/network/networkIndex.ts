import type { Clock } from '../../common/clock';
import { DisposableBase, DisposableSlot } from '../../common/disposable';
import { describeError } from '../../common/errors';
import { Emitter } from '../../common/events';
import type { Logger } from '../../common/logger';
import { queryWords } from '../../common/searchText';
import type { ListedHost } from '../../protocol/controlReplies';
import type { ControlEvent } from '../../protocol/controlRepliesV2';
import { hostLabel, type HostIdentity } from '../../protocol/hostLabel';
import type { SubscribableNetwork } from '../control/networkRequests';
import type {
  FolderQuery,
  NetworkFolderPage,
  NetworkPage,
  NetworkPeer,
  NetworkPeerPage,
  NetworkQuery,
  NetworkRowPage,
  NetworkSummary,
  PeerQuery,
} from '../peerApi';
import { compare, type FormerMembers, type IndexedHost, NetworkModel } from './networkModel';
import {
  awayFor,
  countByHost,
  findFiles,
  findRows,
  listFolder,
  type Shown,
} from './networkQueries';
import type { NameHolder } from './lookAlikes';
import { NetworkSubscription } from './networkSubscription';

/** In version 1, while somebody looks, the network is asked for anew after this long … */
const REFRESH_INTERVAL_MS = 3_000;
/** … or after this many times what the last answer took, so that a large network is not kept busy. */
const REFRESH_REST_FACTOR = 20;
/** Changes are told this often: a view that is drawn more often is not read. */
const CHANGE_INTERVAL_MS = 200;
/** Records get old while nothing is told: how often it is looked at who is still known. */
const REVIEW_INTERVAL_MS = 60_000;

export interface NetworkIndexDependencies {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Asks a tracker of version 1, or resolves to undefined while there is no connection. */
  readonly list: () => Promise<ReadonlyMap<string, ListedHost> | undefined>;
  /** The hostname of this peer: its own files are not the network's. */
  readonly ownHostname: () => string | undefined;
  /** Names beside those of others' hosts, for which a host could be taken; by an id for each. */
  readonly ownNames?: () => ReadonlyMap<string, NameHolder>;
  /** Members of a team that this user has seen before; undefined outside of one. */
  readonly formerMembers?: () => FormerMembers | undefined;
  readonly shown: Shown;
}

/**
 * What everyone else offers. A tracker of version 2 tells what changes; one of version 1 is asked
 * again and again while somebody looks.
 */
export class NetworkIndex extends DisposableBase {
  private readonly model: NetworkModel;
  private refreshedAtMs: number | undefined;
  /** Revision of the model, and whether it was asked for, as of the last event. */
  private told = '';
  private lastToldMs = Number.NEGATIVE_INFINITY;
  private watching = false;
  private refreshing: Promise<void> | undefined;
  private subscription: NetworkSubscription | undefined;
  private tracker: SubscribableNetwork | undefined;
  private readonly subscriptionSlot = this.register(new DisposableSlot());
  private readonly pollTimer = this.register(new DisposableSlot());
  private readonly tellTimer = this.register(new DisposableSlot());
  private readonly reviewTimer = this.register(new DisposableSlot());
  private readonly changeEmitter = this.register(new Emitter<NetworkSummary>());

  readonly onDidChange = this.changeEmitter.event;

  constructor(private readonly dependencies: NetworkIndexDependencies) {
    super();
    const { clock, logger, ownHostname, ownNames, formerMembers } = dependencies;
    this.model = new NetworkModel({
      logger,
      ownHostname,
      ownNames,
      formerMembers,
      nowMs: () => clock.monotonic(),
    });
    this.told = this.state;
  }

  get summary(): NetworkSummary {
    const { refreshedAtMs } = this;
    const online = this.shownHosts().filter(({ facts }) => facts.awayMs === undefined);
    return { peers: online.length, files: this.model.fileCount, refreshedAtMs };
  }

  get isWatching(): boolean {
    return this.watching;
  }

  /** Everyone who is here, with files and without, by display name. */
  peers(): NetworkPeer[] {
    return this.shownHosts()
      .sort(compareHosts)
      .map((host) => this.toPeer(host));
  }

  /** Those with files that match, by display name. */
  peerPage({ text = '', limit, offset = 0 }: PeerQuery): NetworkPeerPage {
    const counts = queryWords(text).length === 0 ? undefined : countByHost(this.model, text);
    const countOf = (host: IndexedHost): number =>
      counts === undefined ? host.files.size : (counts.get(host) ?? 0);
    const hosts = this.shownHosts().filter((host) => countOf(host) > 0);
    const page = hosts.sort(compareHosts).slice(offset, offset + limit);
    return {
      peers: page.map((host) => ({ ...this.toPeer(host), fileCount: countOf(host) })),
      total: hosts.length,
    };
  }

  /**
   * What users call who has this certificate or, without one, seems to be at this address: the only host
   * that is here and says so. Undefined where there is none, or several.
   */
  nameOf(who: {
    readonly address: string;
    readonly fingerprint?: string | undefined;
  }): string | undefined {
    const { address, fingerprint } = who;
    const there = this.shownHosts().filter((host) =>
      fingerprint === undefined
        ? host.facts.ip === address && host.facts.awayMs === undefined
        : host.fingerprint === fingerprint,
    );
    const [host] = there;
    if (host === undefined || there.length > 1) return undefined;
    const label = hostLabel(this.model.whose(host));
    return fingerprint === undefined ? `${label} (${address})` : label;
  }

  /** Owner of a host; nothing for one that is not known. */
  whose(hostname: string): HostIdentity {
    const host = this.model.hosts.get(hostname);
    if (host?.isShown !== true) return {};
    const { identity, looksAlike } = this.model.whose(host);
    return {
      ...(identity !== undefined && { identity }),
      ...(looksAlike === true && { looksAlike }),
    };
  }

  /** The host with its display name as people can tell it from others that look like it. */
  labelled<T extends { readonly hostname: string; readonly displayName: string }>(host: T): T {
    const { hostname, displayName } = host;
    return {
      ...host,
      displayName: hostLabel({ hostname, displayName, ...this.whose(hostname) }),
    };
  }

  /** How long a host has been away; undefined when it is not, or is not known. */
  awayForMs(hostname: string): number | undefined {
    const host = this.model.hosts.get(hostname);
    return host?.isShown === true ? awayFor(host, this.dependencies.clock.monotonic()) : undefined;
  }

  files(query: NetworkQuery): NetworkPage {
    return findFiles(this.model, query, this.dependencies.shown);
  }

  rows(query: NetworkQuery): NetworkRowPage {
    const { shown, clock } = this.dependencies;
    return findRows(this.model, query, shown, clock.monotonic());
  }

  folder(query: FolderQuery): NetworkFolderPage {
    const { shown, clock } = this.dependencies;
    return listFolder(this.model, query, shown, clock.monotonic());
  }

  /** While watching a network of version 1, refreshes now and again and again. */
  watch(watching: boolean): void {
    if (this.watching === watching) return;
    this.watching = watching;
    this.poll();
  }

  /**
   * There is a connection.
   * @param tracker what it can be asked in version 2; undefined in version 1.
   */
  async connected(tracker: SubscribableNetwork | undefined): Promise<void> {
    if (tracker !== undefined && tracker === this.tracker) {
      this.model.review();
      this.tell();
      return;
    }
    this.tracker = tracker;
    this.subscription = tracker && this.subscribeTo(tracker);
    this.subscriptionSlot.set(this.subscription);
    this.poll();
    if (tracker !== undefined) this.reviewLater();
    await this.refresh();
  }

  /** Takes what the tracker says without being asked. */
  receive(event: ControlEvent): void {
    this.subscription?.receive(event);
  }

  /** Makes sure that all is known what the tracker knows now. Calls at the same time share one question. */
  refresh(): Promise<void> {
    const { subscription } = this;
    if (subscription !== undefined)
      return subscription.refresh().then(() => {
        this.refreshedAtMs = this.dependencies.clock.now();
        this.tell();
      });
    this.refreshing ??= this.askTracker().finally(() => {
      this.refreshing = undefined;
    });
    return this.refreshing;
  }

  /** Forgets everything, for when the connection is gone: what is shown must be true. */
  clear(): void {
    this.tracker = this.subscription = undefined;
    this.subscriptionSlot.set(undefined);
    this.reviewTimer.set(undefined);
    this.tellTimer.set(undefined);
    this.refreshedAtMs = undefined;
    this.model.clear();
    this.tell();
  }

  private subscribeTo(tracker: SubscribableNetwork): NetworkSubscription {
    const { clock, logger } = this.dependencies;
    const onUpdate = (): void => this.tellSoon();
    return new NetworkSubscription({ clock, logger, tracker, model: this.model, onUpdate });
  }

  private poll(): void {
    this.pollTimer.set(undefined);
    if (this.watching && this.subscription === undefined) void this.refreshAndContinue();
  }

  private async refreshAndContinue(): Promise<void> {
    const { clock, logger } = this.dependencies;
    const startMs = clock.monotonic();
    try {
      await this.refresh();
    } catch (error) {
      logger.debug(`refresh: ${describeError(error)}`);
    }
    if (!this.watching || this.subscription !== undefined) return;
    const restMs = Math.max(
      REFRESH_INTERVAL_MS,
      (clock.monotonic() - startMs) * REFRESH_REST_FACTOR,
    );
    this.pollTimer.set(clock.after(restMs, () => void this.refreshAndContinue()));
  }

  private async askTracker(): Promise<void> {
    const hosts = await this.dependencies.list();
    if (hosts === undefined || this.subscription !== undefined) return;
    this.refreshedAtMs = this.dependencies.clock.now();
    this.model.beginSnapshot();
    for (const [hostname, host] of hosts) this.model.put(hostname, host, undefined);
    this.model.endSnapshot();
    this.tell();
  }

  private reviewLater(): void {
    this.reviewTimer.set(
      this.dependencies.clock.after(REVIEW_INTERVAL_MS, () => {
        this.model.review();
        this.tell();
        this.reviewLater();
      }),
    );
  }

  /** Now, when it has been a while, else soon: many changes are one event. */
  private tellSoon(): void {
    const { clock } = this.dependencies;
    const waitMs = this.lastToldMs + CHANGE_INTERVAL_MS - clock.monotonic();
    if (waitMs <= 0) this.tell();
    else this.tellTimer.set(clock.after(waitMs, () => this.tell()));
  }

  private tell(): void {
    this.tellTimer.set(undefined);
    if (this.told === this.state) return;
    this.told = this.state;
    this.lastToldMs = this.dependencies.clock.monotonic();
    this.changeEmitter.fire(this.summary);
  }

  private get state(): string {
    return `${this.model.revision} ${this.refreshedAtMs === undefined}`;
  }

  private shownHosts(): IndexedHost[] {
    return [...this.model.hosts.values()].filter(({ isShown }) => isShown);
  }

  private toPeer(host: IndexedHost): NetworkPeer {
    const { facts, toldMs, files } = host;
    const { clock } = this.dependencies;
    const { ageMs, awayMs, isBusy = false } = facts;
    const sinceToldMs = clock.monotonic() - toldMs;
    const lastSeenMs = facts.lastSeen * 1_000;
    // Version 1 tells no ages, and the tracker's clock may differ from ours: an age is never negative.
    const toldByMs = ageMs === undefined ? clock.now() - sinceToldMs : lastSeenMs + ageMs;
    const connectedForMs = toldByMs - facts.connectedAt * 1_000;
    return {
      ...this.model.whose(host),
      address: { host: facts.ip, port: facts.port },
      fileCount: files.size,
      lastSeenAgeMs: Math.max(0, sinceToldMs + (ageMs ?? toldByMs - lastSeenMs)),
      state: awayMs === undefined ? 'online' : 'away',
      sinceAgeMs: Math.max(0, sinceToldMs + (awayMs ?? connectedForMs)),
      isTransferring: isBusy,
    };
  }
}

/** By display name and then by hostname. */
function compareHosts(left: IndexedHost, right: IndexedHost): number {
  return compare(left.displayName, right.displayName) || compare(left.hostname, right.hostname);
}
