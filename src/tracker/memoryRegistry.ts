import type { Clock } from '../common/clock';
import { formatContentId } from '../protocol/contentId';
import { CONTROL_REASONS } from '../protocol/controlReasons';
import type { FileMetadata } from '../protocol/controlRequests';
import type {
  ControlVersion,
  EntryRefusal,
  InstanceClaim,
  NamedFile,
} from '../protocol/controlRequestsV2';
import type { SignedText } from '../protocol/signedText';
import { ContentIndex } from './contentIndex';
import { type TrackerLimits, TAKEOVER_SILENCE_MS } from './limits';
import { NameIndex } from './nameIndex';
import type { BatchOutcome, ChangeOutcome, Owner, Registration, Registry } from './registry';
import type { HostRecordText } from '../protocol/credentials';
import {
  filesJson,
  filesReply,
  type HostFacts,
  json,
  listedHostJson,
  type PublishedMetadata,
  registryReply,
} from './replies';
import {
  filesJsonV2,
  filesReplyV2,
  listedHostJsonV2,
  locatedReply,
  withRecords,
} from './repliesV2';

/** A host of the registry. Life is measured with the clock that only grows. */
interface Host extends HostFacts {
  /** Who may change it; undefined once the connection is closed. */
  owner: Owner | undefined;
  /** Where its last owner came from. */
  readonly sourceAddress: string;
  readonly instance: InstanceClaim | undefined;
  readonly fingerprint: string | undefined;
  /** Certificate in base64, and what replies say of the host by it; undefined in an open session. */
  readonly certificate: string | undefined;
  recordJson: string | undefined;
  /** Rank of its first registration: replies name hosts in this order. */
  readonly order: number;
  readonly files: Map<string, PublishedMetadata>;
  /** Cache of the published files as JSON, of each version; undefined after a change. */
  filesJson: string | undefined;
  filesJsonV2: string | undefined;
  lastSeenMs: number;
  /** Seconds since the epoch. */
  readonly connectedAt: number;
}

/** A registry in the memory of one tracker. Every method answers at once. */
export class MemoryRegistry implements Registry {
  private readonly hosts = new Map<string, Host>();
  private readonly hostsByOwner = new Map<string, Host>();
  private readonly names = new NameIndex<Host>();
  private readonly contents = new ContentIndex<Host>();
  private nextOrder = 0;

  constructor(
    private readonly clock: Clock,
    private readonly limits: Pick<TrackerLimits, 'maxFilesPerHost' | 'expirySeconds'>,
  ) {}

  get hostCount(): number {
    return this.hosts.size;
  }

  /** Contents that somebody can be asked for. */
  get contentCount(): number {
    return this.contents.size;
  }

  register(
    owner: Owner,
    registration: Registration,
  ): ChangeOutcome<'hostname in use' | 'replaced' | 'too many files'> {
    const previous = this.hosts.get(registration.hostname);
    const isSame = previous !== undefined && isSameInstance(previous, registration);
    const refusal = previous && this.takeoverRefusal(owner, previous, registration);
    if (refusal !== undefined) return refusal;
    if (registration.files.size > this.limits.maxFilesPerHost) return 'too many files';
    const own = this.hostsByOwner.get(owner.id);
    if (own !== undefined) this.remove(own);
    if (previous !== undefined) this.remove(previous);
    this.add(this.createHost(owner, registration, previous?.order ?? this.nextOrder++));
    if (isSame && previous.owner?.id !== owner.id) previous.owner?.onReplaced?.();
    return 'done';
  }

  renew(owner: Owner, hostname: string, record: HostRecordText): void {
    const host = this.ownHost(owner, hostname);
    if (typeof host === 'string' || host.certificate === undefined) return;
    host.recordJson = json({ ...record, certificate: host.certificate });
  }

  publish(
    owner: Owner,
    hostname: string,
    name: string,
    file: FileMetadata,
  ): ChangeOutcome<'unknown host' | 'not your host' | 'too many files'> {
    const host = this.ownHost(owner, hostname);
    return typeof host === 'string' ? host : this.put(host, name, file);
  }

  publishAll(owner: Owner, hostname: string, files: readonly NamedFile[]): BatchOutcome {
    const host = this.ownHost(owner, hostname);
    if (typeof host === 'string') return host;
    const refused: EntryRefusal[] = [];
    for (const { name, file } of files) {
      const outcome = isOlder(file, host.files.get(name))
        ? CONTROL_REASONS.oldSequence
        : this.put(host, name, file);
      if (outcome !== 'done') refused.push({ name, reason: outcome });
    }
    return refused;
  }

  unpublish(
    owner: Owner,
    hostname: string,
    name: string,
  ): ChangeOutcome<'unknown host' | 'not your host' | 'file not found'> {
    const host = this.ownHost(owner, hostname);
    return typeof host === 'string' ? host : this.hide(host, name);
  }

  unpublishAll(
    owner: Owner,
    hostname: string,
    names: readonly string[],
    withdrawn?: ReadonlyMap<string, SignedText>,
  ): BatchOutcome {
    const host = this.ownHost(owner, hostname);
    if (typeof host === 'string') return host;
    const refused: EntryRefusal[] = [];
    for (const name of names) {
      const outcome = this.hide(host, name, withdrawn?.get(name));
      if (outcome !== 'done') refused.push({ name, reason: outcome });
    }
    return refused;
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

  request(name: string, version: ControlVersion = 1): string {
    return version === 1
      ? this.names.reply(name)
      : this.names.replyV2(name, this.clock.monotonic());
  }

  discover(hostname: string, version: ControlVersion = 1): string | undefined {
    const host = this.hosts.get(hostname);
    if (host === undefined) return undefined;
    if (version === 1) return filesReply(host, publishedFiles(host));
    const ageMs = this.clock.monotonic() - host.lastSeenMs;
    return withRecords(filesReplyV2(host, publishedFilesV2(host), ageMs), [host]);
  }

  list(version: ControlVersion = 1): string {
    const now = this.clock.now();
    const monotonic = this.clock.monotonic();
    const listed: string[] = [];
    for (const host of this.hosts.values()) {
      const { connectedAt } = host;
      const ageMs = monotonic - host.lastSeenMs;
      const lastSeen = (now - ageMs) / 1_000;
      listed.push(
        version === 1
          ? listedHostJson(host, publishedFiles(host), { lastSeen, connectedAt })
          : listedHostJsonV2(host, publishedFilesV2(host), { ageMs, connectedAt }),
      );
    }
    const reply = registryReply(listed);
    return version === 1 ? reply : withRecords(reply, this.hosts.values());
  }

  locate(ids: readonly string[]): string {
    const found = new Map<string, string>();
    const named = new Set<Host>();
    for (const id of ids) {
      const hosts = this.contents.hosts(id);
      if (hosts === undefined) continue;
      found.set(id, hosts.json);
      for (const host of hosts.named) named.add(host);
    }
    return withRecords(locatedReply([...found]), named);
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

  private takeoverRefusal(
    owner: Owner,
    host: Host,
    { instance, identity }: Registration,
  ): 'hostname in use' | 'replaced' | undefined {
    if (host.fingerprint !== identity?.fingerprint) return CONTROL_REASONS.hostnameInUse;
    if (host.owner?.id === owner.id) return undefined;
    if (instance !== undefined && host.instance?.id === instance.id)
      return instance.counter > host.instance.counter ? undefined : CONTROL_REASONS.replaced;
    // An identity may move from one address to another; where there is none, the address stands for it.
    const isSameUser = identity !== undefined || host.sourceAddress === owner.address;
    if (!isSameUser) return CONTROL_REASONS.hostnameInUse;
    const isSilent = this.clock.monotonic() - host.lastSeenMs >= TAKEOVER_SILENCE_MS;
    return host.owner === undefined || isSilent ? undefined : CONTROL_REASONS.hostnameInUse;
  }

  private ownHost(owner: Owner, hostname: string): Host | 'unknown host' | 'not your host' {
    const host = this.hosts.get(hostname);
    if (host === undefined) return 'unknown host';
    return host.owner?.id === owner.id ? host : 'not your host';
  }

  private createHost(owner: Owner, registration: Registration, order: number): Host {
    const { hostname, displayName, ip, port, instance, identity } = registration;
    const files = new Map<string, PublishedMetadata>();
    for (const [name, file] of registration.files) files.set(name, this.stamp(file));
    return {
      hostname,
      displayName,
      ip,
      port,
      owner,
      sourceAddress: owner.address,
      instance,
      fingerprint: identity?.fingerprint,
      certificate: identity?.record.certificate,
      recordJson: identity && json(identity.record),
      order,
      files,
      filesJson: undefined,
      filesJsonV2: undefined,
      lastSeenMs: this.clock.monotonic(),
      connectedAt: this.clock.now() / 1_000,
    };
  }

  private stamp(file: FileMetadata): PublishedMetadata {
    return { ...file, publishedAt: file.publishedAt ?? this.clock.now() / 1_000 };
  }

  private put(host: Host, name: string, file: FileMetadata): ChangeOutcome<'too many files'> {
    const before = host.files.get(name);
    if (before === undefined && host.files.size >= this.limits.maxFilesPerHost)
      return 'too many files';
    if (before !== undefined) this.withdraw(host, name, before);
    const entry = this.stamp(file);
    host.files.set(name, entry);
    this.offer(host, name, entry);
    return 'done';
  }

  /** @param signed what the host says of the name from now on, if anything. */
  private hide(host: Host, name: string, signed?: SignedText): ChangeOutcome<'file not found'> {
    const entry = host.files.get(name);
    if (entry === undefined) return 'file not found';
    this.withdraw(host, name, entry);
    host.files.set(name, { ...entry, isPublished: false, signed });
    return 'done';
  }

  private add(host: Host): void {
    this.hosts.set(host.hostname, host);
    if (host.owner !== undefined) this.hostsByOwner.set(host.owner.id, host);
    for (const [name, file] of host.files) this.offer(host, name, file);
  }

  /** The one way out, for a goodbye, an expiry, a takeover and a new registration alike. */
  private remove(host: Host): void {
    this.hosts.delete(host.hostname);
    if (host.owner !== undefined) this.hostsByOwner.delete(host.owner.id);
    for (const [name, file] of host.files) this.withdraw(host, name, file);
  }

  /** Makes a file findable, if it may be found. */
  private offer(host: Host, name: string, file: PublishedMetadata): void {
    host.filesJson = host.filesJsonV2 = undefined;
    // A host that serves nothing is nobody's source, whatever it has.
    if (!file.isPublished || host.port === 0) return;
    this.names.set(name, host, file);
    const contentId = file.revision?.contentId;
    if (contentId !== undefined) this.contents.add(formatContentId(contentId), host, name);
  }

  private withdraw(host: Host, name: string, file: PublishedMetadata): void {
    host.filesJson = host.filesJsonV2 = undefined;
    this.names.delete(name, host);
    const contentId = file.revision?.contentId;
    if (contentId !== undefined) this.contents.delete(formatContentId(contentId), host, name);
  }
}

function isSameInstance(host: Host, { instance, identity }: Registration): boolean {
  return (
    instance !== undefined &&
    host.instance?.id === instance.id &&
    host.fingerprint === identity?.fingerprint
  );
}

/** Whether an entry is from before the one that is known. Version 1 has no sequence: it is never old. */
function isOlder(file: FileMetadata, known: FileMetadata | undefined): boolean {
  return (file.revision?.sequence ?? 0) < (known?.revision?.sequence ?? 0);
}

function publishedFiles(host: Host): string {
  host.filesJson ??= filesJson(host.files);
  return host.filesJson;
}

function publishedFilesV2(host: Host): string {
  host.filesJsonV2 ??= filesJsonV2(host.files);
  return host.filesJsonV2;
}
