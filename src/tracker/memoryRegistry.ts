import type { Clock } from '../common/clock';
import type { FileMetadata } from '../protocol/controlRequests';
import { type TrackerLimits, TAKEOVER_SILENCE_MS } from './limits';
import { NameIndex } from './nameIndex';
import type { ChangeOutcome, Owner, Registration, Registry } from './registry';
import {
  filesJson,
  filesReply,
  type HostFacts,
  listedHostJson,
  type PublishedMetadata,
  registryReply,
} from './replies';

/** A host of the registry. Life is measured with the clock that only grows. */
interface Host extends HostFacts {
  /** Who may change it; undefined once the connection is closed. */
  owner: Owner | undefined;
  /** Where its last owner came from. */
  readonly sourceAddress: string;
  /** Rank of its first registration: replies name hosts in this order. */
  readonly order: number;
  readonly files: Map<string, PublishedMetadata>;
  /** Cache of the published files as JSON; undefined after a change. */
  filesJson: string | undefined;
  lastSeenMs: number;
  /** Seconds since the epoch. */
  readonly connectedAt: number;
}

/** A registry in the memory of one tracker. Every method answers at once. */
export class MemoryRegistry implements Registry {
  private readonly hosts = new Map<string, Host>();
  private readonly hostsByOwner = new Map<string, Host>();
  private readonly index = new NameIndex<Host>();
  private nextOrder = 0;

  constructor(
    private readonly clock: Clock,
    private readonly limits: Pick<TrackerLimits, 'maxFilesPerHost' | 'expirySeconds'>,
  ) {}

  get hostCount(): number {
    return this.hosts.size;
  }

  register(
    owner: Owner,
    registration: Registration,
  ): ChangeOutcome<'hostname in use' | 'too many files'> {
    const previous = this.hosts.get(registration.hostname);
    if (previous !== undefined && !this.mayTakeOver(owner, previous)) return 'hostname in use';
    if (registration.files.size > this.limits.maxFilesPerHost) return 'too many files';
    const own = this.hostsByOwner.get(owner.id);
    if (own !== undefined) this.remove(own);
    if (previous !== undefined) this.remove(previous);
    this.add(this.createHost(owner, registration, previous?.order ?? this.nextOrder++));
    return 'done';
  }

  publish(
    owner: Owner,
    hostname: string,
    name: string,
    file: FileMetadata,
  ): ChangeOutcome<'unknown host' | 'not your host' | 'too many files'> {
    const host = this.ownHost(owner, hostname);
    if (typeof host === 'string') return host;
    if (!host.files.has(name) && host.files.size >= this.limits.maxFilesPerHost)
      return 'too many files';
    const entry = this.stamp(file);
    host.files.set(name, entry);
    host.filesJson = undefined;
    this.index.set(name, host, entry);
    return 'done';
  }

  unpublish(
    owner: Owner,
    hostname: string,
    name: string,
  ): ChangeOutcome<'unknown host' | 'not your host' | 'file not found'> {
    const host = this.ownHost(owner, hostname);
    if (typeof host === 'string') return host;
    const entry = host.files.get(name);
    if (entry === undefined) return 'file not found';
    host.files.set(name, { ...entry, isPublished: false });
    host.filesJson = undefined;
    this.index.delete(name, host);
    return 'done';
  }

  unregister(owner: Owner, hostname: string): ChangeOutcome<'not your host'> {
    const host = this.ownHost(owner, hostname);
    if (host === 'not your host') return host;
    if (host !== 'unknown host') this.remove(host);
    return 'done';
  }

  has(hostname: string): boolean {
    return this.hosts.has(hostname);
  }

  request(name: string): string {
    return this.index.reply(name);
  }

  discover(hostname: string): string | undefined {
    const host = this.hosts.get(hostname);
    return host === undefined ? undefined : filesReply(host, publishedFiles(host));
  }

  list(): string {
    const now = this.clock.now();
    const monotonic = this.clock.monotonic();
    const listed: string[] = [];
    for (const host of this.hosts.values()) {
      const lastSeen = (now - (monotonic - host.lastSeenMs)) / 1_000;
      const times = { lastSeen, connectedAt: host.connectedAt };
      listed.push(listedHostJson(host, publishedFiles(host), times));
    }
    return registryReply(listed);
  }

  touch(owner: Owner): void {
    const host = this.hostsByOwner.get(owner.id);
    if (host !== undefined) host.lastSeenMs = this.clock.monotonic();
  }

  holds(owner: Owner): boolean {
    return this.hostsByOwner.has(owner.id);
  }

  release(owner: Owner): void {
    const host = this.hostsByOwner.get(owner.id);
    if (host === undefined) return;
    host.owner = undefined;
    this.hostsByOwner.delete(owner.id);
  }

  expire(): number {
    const oldest = this.clock.monotonic() - this.limits.expirySeconds * 1_000;
    const silent = [...this.hosts.values()].filter((host) => host.lastSeenMs <= oldest);
    for (const host of silent) this.remove(host);
    return silent.length;
  }

  private mayTakeOver(owner: Owner, host: Host): boolean {
    if (host.owner?.id === owner.id) return true;
    if (host.sourceAddress !== owner.address) return false;
    if (host.owner === undefined) return true;
    return this.clock.monotonic() - host.lastSeenMs >= TAKEOVER_SILENCE_MS;
  }

  private ownHost(owner: Owner, hostname: string): Host | 'unknown host' | 'not your host' {
    const host = this.hosts.get(hostname);
    if (host === undefined) return 'unknown host';
    return host.owner?.id === owner.id ? host : 'not your host';
  }

  private createHost(owner: Owner, registration: Registration, order: number): Host {
    const { hostname, displayName, ip, port } = registration;
    const files = new Map<string, PublishedMetadata>();
    for (const [name, file] of registration.files) files.set(name, this.stamp(file));
    return {
      hostname,
      displayName,
      ip,
      port,
      owner,
      sourceAddress: owner.address,
      order,
      files,
      filesJson: undefined,
      lastSeenMs: this.clock.monotonic(),
      connectedAt: this.clock.now() / 1_000,
    };
  }

  private stamp(file: FileMetadata): PublishedMetadata {
    return { ...file, publishedAt: file.publishedAt ?? this.clock.now() / 1_000 };
  }

  private add(host: Host): void {
    this.hosts.set(host.hostname, host);
    if (host.owner !== undefined) this.hostsByOwner.set(host.owner.id, host);
    for (const [name, file] of host.files) if (file.isPublished) this.index.set(name, host, file);
  }

  /** The one way out, for a goodbye, an expiry, a takeover and a new registration alike. */
  private remove(host: Host): void {
    this.hosts.delete(host.hostname);
    if (host.owner !== undefined) this.hostsByOwner.delete(host.owner.id);
    for (const name of host.files.keys()) this.index.delete(name, host);
  }
}

function publishedFiles(host: Host): string {
  host.filesJson ??= filesJson(host.files);
  return host.filesJson;
}
