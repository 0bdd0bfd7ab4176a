import { type Clock } from '../common/clock';
import { type Disposable, DisposableBase, DisposableSlot } from '../common/disposable';
import { describeError } from '../common/errors';
import { Emitter } from '../common/events';
import type { Logger } from '../common/logger';
import { formatContentId } from '../protocol/contentId';
import type { ListedHost } from '../protocol/controlReplies';
import type {
  NetworkFile,
  NetworkPage,
  NetworkPeer,
  NetworkQuery,
  NetworkSummary,
} from './peerApi';
import type { ListedNetworkFile } from './team/shownFile';

/** While somebody looks, the network is asked for anew after this long … */
const REFRESH_INTERVAL_MS = 3_000;
/** … or after this many times what the last answer took, so that a large network is not kept busy. */
const REFRESH_REST_FACTOR = 20;

/** Files of a page that may not be shown, before it ends: a hostile tracker lists many. */
const MAX_HIDDEN = 1_000;

export interface NetworkIndexDependencies {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Asks the tracker, or resolves to undefined while there is no connection. */
  readonly list: () => Promise<Map<string, ListedHost> | undefined>;
  /** The hostname of this peer: its own files are not the network's. */
  readonly ownHostname: () => string | undefined;
  /** A file as it may be shown, if it may; asked only for what somebody looks at. */
  readonly shown: (file: ListedNetworkFile) => NetworkFile | undefined;
}

/**
 * What everyone else offers, as of the last answer of the tracker. Version 1 has no subscription, so
 * the tracker is asked again while somebody looks.
 */
export class NetworkIndex extends DisposableBase {
  private peerList: NetworkPeer[] = [];
  private fileList: ListedNetworkFile[] = [];
  private refreshedAtMs: number | undefined;
  /** Everything that is shown, in one string: events fire only when it changes. */
  private fingerprint = '';
  private watching = false;
  private refreshing: Promise<void> | undefined;
  private readonly timer = this.register(new DisposableSlot());
  private readonly changeEmitter = this.register(new Emitter<NetworkSummary>());

  readonly onDidChange = this.changeEmitter.event;

  constructor(private readonly dependencies: NetworkIndexDependencies) {
    super();
  }

  get summary(): NetworkSummary {
    const { length: files } = this.fileList;
    return { peers: this.peerList.length, files, refreshedAtMs: this.refreshedAtMs };
  }

  get isWatching(): boolean {
    return this.watching;
  }

  peers(): NetworkPeer[] {
    return this.peerList;
  }

  files({ hostname, text = '', limit }: NetworkQuery): NetworkPage {
    const words = fold(text).split(/\s+/u).filter(Boolean);
    const matches = this.fileList.filter((file) => {
      if (hostname !== undefined && file.hostname !== hostname) return false;
      if (words.length === 0) return true;
      const content = fold(`${file.name} ${file.displayName} ${file.hostname}`);
      return words.every((word) => content.includes(word));
    });
    const files: NetworkFile[] = [];
    let hidden = 0;
    for (const match of matches) {
      if (files.length >= limit || hidden >= MAX_HIDDEN) break;
      const file = this.dependencies.shown(match);
      if (file === undefined) hidden += 1;
      else files.push(file);
    }
    return { files, total: matches.length - hidden };
  }

  /** While watching, refreshes now and again and again. */
  watch(watching: boolean): void {
    if (this.watching === watching) return;
    this.watching = watching;
    this.timer.set(undefined);
    if (watching) void this.refreshAndContinue();
  }

  /** Asks the tracker now. Calls at the same time share one question. */
  refresh(): Promise<void> {
    this.refreshing ??= this.askTracker().finally(() => {
      this.refreshing = undefined;
    });
    return this.refreshing;
  }

  /** Forgets everything, for when the connection is gone: what is shown must be true. */
  clear(): void {
    this.refreshedAtMs = undefined;
    this.replace(new Map());
  }

  private async refreshAndContinue(): Promise<void> {
    const { clock, logger } = this.dependencies;
    const startMs = clock.monotonic();
    try {
      await this.refresh();
    } catch (error) {
      logger.debug(`refresh: ${describeError(error)}`);
    }
    const restMs = (clock.monotonic() - startMs) * REFRESH_REST_FACTOR;
    if (this.watching) this.timer.set(this.schedule(Math.max(REFRESH_INTERVAL_MS, restMs)));
  }

  private schedule(delayMs: number): Disposable {
    return this.dependencies.clock.after(delayMs, () => void this.refreshAndContinue());
  }

  private async askTracker(): Promise<void> {
    const hosts = await this.dependencies.list();
    if (hosts === undefined) return;
    this.refreshedAtMs = this.dependencies.clock.now();
    this.replace(hosts);
  }

  private replace(hosts: ReadonlyMap<string, ListedHost>): void {
    const own = this.dependencies.ownHostname();
    const others = [...hosts].filter(([hostname]) => hostname !== own);
    const nowMs = this.dependencies.clock.now();
    this.peerList = others
      .map(([hostname, host]) => toPeer(hostname, host, nowMs))
      .sort((a, b) => compare(a.displayName, b.displayName) || compare(a.hostname, b.hostname));
    this.fileList = others
      .flatMap(([hostname, host]) => toFiles(hostname, host))
      .sort((a, b) => compare(a.name, b.name) || compare(a.hostname, b.hostname));
    const shown = this.peerList.map(({ lastSeenAgeMs: _, ...peer }) => peer);
    const fingerprint = JSON.stringify([shown, this.fileList, this.refreshedAtMs === undefined]);
    if (fingerprint === this.fingerprint) return;
    this.fingerprint = fingerprint;
    this.changeEmitter.fire(this.summary);
  }
}

function toPeer(hostname: string, host: ListedHost, nowMs: number): NetworkPeer {
  return {
    hostname,
    displayName: host.displayName,
    address: { host: host.ip, port: host.port },
    fileCount: host.files.size,
    // In version 1 the tracker's clock may differ from ours: an age is never negative.
    lastSeenAgeMs: host.ageMs ?? Math.max(0, nowMs - host.lastSeen * 1000),
  };
}

/** Files of one host as a reply has them. */
export function toFiles(
  hostname: string,
  host: Pick<ListedHost, 'displayName' | 'files'>,
): ListedNetworkFile[] {
  return [...host.files].map(([name, file]) => ({
    name,
    hostname,
    displayName: host.displayName,
    sizeBytes: file.size,
    modifiedMs: file.modified * 1000,
    publishedAtMs: file.publishedAt * 1000,
    ...(file.contentId === undefined ? {} : { contentId: formatContentId(file.contentId) }),
    ...(file.signed === undefined ? {} : { signed: file.signed }),
  }));
}

/** For comparing what users type: whatever the case and the way accents are composed. */
function fold(text: string): string {
  return text.normalize('NFC').toLowerCase();
}

/** By code unit: the same everywhere, and fast for 100,000 names. */
function compare(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
