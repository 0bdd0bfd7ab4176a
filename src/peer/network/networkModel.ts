import { NameText } from '../../common/nameText';
import type { Logger } from '../../common/logger';
import { isSameContent } from '../../protocol/contentId';
import type { ListedFile, ListedHost } from '../../protocol/controlReplies';
import type { SealedHostRecord } from '../../protocol/hostRecord';
import type { NamedHost } from '../../protocol/hostLabel';
import { MAX_REPLY_ENTRIES } from '../../protocol/limits';
import type { HostChange } from '../../protocol/networkChanges';
import type { SubscribableNetwork } from '../control/networkRequests';
import { FileOrder } from './fileOrder';
import { LookAlikes, type NameHolder } from './lookAlikes';
import { SortedList } from './sortedList';

/** One file of one host. */
export interface IndexedFile {
  readonly host: IndexedHost;
  readonly name: string;
  file: ListedFile;
  /** Of the snapshot that had it last. */
  generation: number;
  /** It is no more, though still in the list of its host. */
  isGone: boolean;
}

/** One host with all its files. */
export interface IndexedHost {
  readonly hostname: string;
  facts: Omit<ListedHost, 'files'>;
  /** As the host itself says it, where that is known. */
  displayName: string;
  /** Of its certificate, by its verified record; in a team's session alone. */
  fingerprint: string | undefined;
  record: SealedHostRecord | undefined;
  /** When `facts` were told, by the clock that only grows. */
  toldMs: number;
  /** Whether it is a peer of the network: not this one, and known for what it says. */
  isShown: boolean;
  /** Grows when a file comes or goes. */
  revision: number;
  readonly files: Map<string, IndexedFile>;
  /** For searches: in the order in which they came, those that are gone included. */
  list: IndexedFile[];
  text: NameText;
  generation: number;
}

export interface NetworkModelDependencies {
  readonly logger: Logger;
  readonly ownHostname: () => string | undefined;
  /**
   * Names beside those of others' hosts: of this peer and of the session, by an id for each. The same
   * map as long as nothing changes.
   */
  readonly ownNames?: (() => ReadonlyMap<string, NameHolder>) | undefined;
  /** Members of a team that this user has seen before; undefined outside of one. */
  readonly formerMembers?: (() => FormerMembers | undefined) | undefined;
  /** By the clock that only grows. */
  readonly nowMs: () => number;
}

/** Names of members that were remembered from earlier runs. */
export interface FormerMembers {
  readonly team: string;
  readonly holders: () => readonly NameHolder[];
}

/** Files that are gone and kept in the list of a host besides: to make a new one costs a moment. */
const MAX_SPARE_FILES = 1_000;

type Identify = SubscribableNetwork['identify'];

const anybody: Identify = () => 'anybody';

/**
 * Everything that others offer, as a tracker tells it in snapshots and changes. Hosts that are not
 * shown are kept: they may become known for what they say, and their files are not told again then.
 */
export class NetworkModel {
  readonly hosts = new Map<string, IndexedHost>();
  private readonly shown = new SortedList<IndexedFile>(compareFiles);
  private readonly lookAlikes = new LookAlikes();
  private ownNames: ReadonlyMap<string, NameHolder> = new Map();
  /** Files of hosts that are shown, for questions about folders. */
  readonly order = new FileOrder(() => this.shown.items());
  private generation = 0;
  private entries = 0;
  private isFull = false;
  private changes = 0;
  private identify: Identify = anybody;
  /** Team whose former members are known to `lookAlikes`. */
  private team: string | undefined;

  constructor(private readonly dependencies: NetworkModelDependencies) {}

  /** Grows with everything that changes what is shown. */
  get revision(): number {
    return this.changes;
  }

  /** Files of hosts that are shown. */
  get fileCount(): number {
    return this.shown.size;
  }

  /** Owner of a host; whether it looks like another one's is as of now. */
  whose({ hostname, displayName, fingerprint }: IndexedHost): NamedHost {
    this.noteOwnNames();
    return {
      ...{ hostname, displayName },
      ...(fingerprint === undefined ? {} : { identity: fingerprint }),
      ...(this.lookAlikes.has(idOf(hostname)) && { looksAlike: true }),
    };
  }

  clear(): void {
    this.beginSnapshot(anybody);
    this.endSnapshot();
  }

  /** What is not told from now on until `endSnapshot` is no more by then. */
  beginSnapshot(identify: Identify = anybody): void {
    this.identify = identify;
    this.generation += 1;
    this.lookAlikes.advance();
    // A connection that is gone says nothing about who was here.
    if (identify !== anybody) this.noteFormerMembers();
  }

  endSnapshot(): void {
    for (const host of this.hosts.values()) {
      if (host.generation !== this.generation) this.removeHost(host);
      else
        for (const file of host.files.values())
          if (file.generation !== this.generation) this.removeFile(file);
    }
    this.isFull = false;
  }

  /** A host with some of its files. */
  put(hostname: string, listed: ListedHost, record: SealedHostRecord | undefined): void {
    const { files, ...facts } = listed;
    const host = this.putHost(hostname, facts, record);
    if (host !== undefined) for (const [name, file] of files) this.putFile(host, name, file);
  }

  apply(change: HostChange): void {
    const { hostname, isGone, host: facts, record, files, withdrawn } = change;
    this.lookAlikes.advance();
    const before = this.hosts.get(hostname);
    if (isGone) {
      if (before !== undefined) this.removeHost(before);
      return;
    }
    const host = facts === undefined ? before : this.putHost(hostname, facts, record);
    if (host === undefined) return;
    for (const [name, file] of files) this.putFile(host, name, file);
    for (const name of withdrawn) {
      const file = host.files.get(name);
      if (file !== undefined) this.removeFile(file);
    }
  }

  /** Looks again who is shown: records get old, and this peer may have another name. */
  review(): void {
    for (const host of this.hosts.values()) this.identifyHost(host);
  }

  private putHost(
    hostname: string,
    facts: IndexedHost['facts'],
    record: SealedHostRecord | undefined,
  ): IndexedHost | undefined {
    let host = this.hosts.get(hostname);
    if (host === undefined) {
      if (!this.hasRoom()) return undefined;
      const { displayName } = facts;
      host = {
        ...{ hostname, facts, displayName, record, toldMs: 0, isShown: false },
        ...{ fingerprint: undefined, revision: 0 },
        ...{ files: new Map<string, IndexedFile>(), generation: this.generation },
        ...emptyList(),
      };
      this.hosts.set(hostname, host);
      this.entries += 1;
    } else if (!isSameHost(host.facts, facts)) this.changes += host.isShown ? 1 : 0;
    host.facts = facts;
    host.record = record;
    host.toldMs = this.dependencies.nowMs();
    host.generation = this.generation;
    this.identifyHost(host);
    return host;
  }

  private identifyHost(host: IndexedHost): void {
    const { hostname, facts, record, displayName } = host;
    const known = this.identify(hostname, record);
    const isKnown = known !== undefined && known !== 'anybody';
    host.displayName = isKnown ? known.displayName : facts.displayName;
    host.fingerprint = isKnown ? known.fingerprint : facts.fingerprint;
    const isShown = known !== undefined && hostname !== this.dependencies.ownHostname();
    if (isShown && host.displayName !== displayName) this.changes += 1;
    // Nobody is proven in an open session: each host there is taken for one of its own.
    const identity = host.fingerprint ?? idOf(hostname);
    if (isShown)
      this.lookAlikes.set(idOf(hostname), {
        ...{ identity, names: [hostname, host.displayName] },
        isProven: isKnown,
      });
    else this.lookAlikes.delete(idOf(hostname));
    if (isShown === host.isShown) return;
    host.isShown = isShown;
    this.changes += 1;
    for (const file of host.files.values())
      if (isShown) this.shown.add(file);
      else this.shown.remove(file);
  }

  private putFile(host: IndexedHost, name: string, file: ListedFile): void {
    const known = host.files.get(name);
    if (known !== undefined) {
      if (host.isShown && !isSameFile(known.file, file)) this.changes += 1;
      known.file = file;
      known.generation = this.generation;
      return;
    }
    if (!this.hasRoom()) return;
    const entry = { host, name, file, generation: this.generation, isGone: false };
    host.files.set(name, entry);
    host.revision += 1;
    host.list.push(entry);
    this.entries += 1;
    if (!host.isShown) return;
    this.shown.add(entry);
    this.changes += 1;
  }

  private removeFile(file: IndexedFile): void {
    const { host } = file;
    host.files.delete(file.name);
    host.revision += 1;
    file.isGone = true;
    if (host.list.length > 2 * host.files.size + MAX_SPARE_FILES) compact(host);
    this.entries -= 1;
    if (!host.isShown) return;
    this.shown.remove(file);
    this.changes += 1;
  }

  private removeHost(host: IndexedHost): void {
    for (const file of host.files.values()) this.removeFile(file);
    this.hosts.delete(host.hostname);
    this.lookAlikes.delete(idOf(host.hostname));
    this.entries -= 1;
    if (host.isShown) this.changes += 1;
  }

  private noteFormerMembers(): void {
    const former = this.dependencies.formerMembers?.();
    if (former?.team === this.team) return;
    this.team = former?.team;
    this.lookAlikes.forget();
    if (former !== undefined) this.lookAlikes.remember(former.holders());
  }

  private noteOwnNames(): void {
    const own = this.dependencies.ownNames?.() ?? this.ownNames;
    if (own === this.ownNames) return;
    for (const id of this.ownNames.keys()) this.lookAlikes.delete(id);
    for (const [id, holder] of own) this.lookAlikes.set(id, holder);
    this.ownNames = own;
  }

  /** A tracker may name more than fits; what comes last is left out. */
  private hasRoom(): boolean {
    if (this.entries < MAX_REPLY_ENTRIES) return true;
    if (!this.isFull) this.dependencies.logger.warn('the network is too large: files are left out');
    this.isFull = true;
    return false;
  }
}

/** Apart from the ids of other names, which have no space. */
function idOf(hostname: string): string {
  return `host ${hostname}`;
}

/** A list in which nothing is yet. */
function emptyList(): Pick<IndexedHost, 'list' | 'text'> {
  const list: IndexedFile[] = [];
  return { list, text: new NameText(list) };
}

/** Forgets the files that are gone, now that they are more than the others. */
function compact(host: IndexedHost): void {
  host.list = [...host.files.values()];
  host.text = new NameText(host.list);
}

/** But for what tells only that time passes. */
function isSameHost(one: IndexedHost['facts'], other: IndexedHost['facts']): boolean {
  return (
    one.displayName === other.displayName &&
    one.ip === other.ip &&
    one.port === other.port &&
    one.isBusy === other.isBusy &&
    one.connectedAt === other.connectedAt &&
    (one.awayMs === undefined) === (other.awayMs === undefined)
  );
}

function isSameFile(one: ListedFile, other: ListedFile): boolean {
  const { contentId: content, signed } = one;
  const isSameId =
    content === undefined || other.contentId === undefined
      ? content === other.contentId
      : isSameContent(content, other.contentId);
  return (
    isSameId &&
    one.size === other.size &&
    one.modified === other.modified &&
    one.publishedAt === other.publishedAt &&
    signed?.text === other.signed?.text
  );
}

/** By name and then by hostname. */
export function compareFiles(left: IndexedFile, right: IndexedFile): number {
  return compare(left.name, right.name) || compare(left.host.hostname, right.host.hostname);
}

/** By code unit: the same everywhere, and fast for 100,000 names. */
export function compare(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
