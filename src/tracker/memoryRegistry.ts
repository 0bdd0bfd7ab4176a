import type { Clock } from '../common/clock';
import { CONTROL_REASONS } from '../protocol/controlReasons';
import type { FileMetadata } from '../protocol/controlRequests';
import type {
  ControlVersion,
  EntryRefusal,
  NamedFile,
  PageRequest,
} from '../protocol/controlRequestsV2';
import type { SignedText } from '../protocol/signedText';
import { ChangeFeed, type RenderedChange, type Subscriber, type Subscription } from './changeFeed';
import { MAX_REPLY_CHARACTERS, RECORD_PUSH_INTERVAL_MS, type TrackerLimits } from './limits';
import { type MaybePromise, whenReady } from './maybePromise';
import { OfferIndex } from './offerIndex';
import { writePage } from './pageReply';
import { type FoundPage, findPage, type RankedFile } from './pages';
import type {
  BatchOutcome,
  ChangeOutcome,
  Owner,
  Registration,
  Registry,
  Renewal,
} from './registry';
import {
  accountsOf,
  costOfRegistration,
  growthOf,
  type Host,
  isOlder,
  isSameInstance,
  lifeOf,
  newHost,
  publishedFiles,
  publishedFilesV2,
  takeoverRefusal,
} from './registryHost';
import { RegistryBudget } from './registryBudget';
import { filesReply, json, listedHostJson, registryReply } from './replies';
import {
  changeJson,
  entryJson,
  filesReplyV2,
  listedHostJsonV2,
  recordLength,
  recordMember,
  withinLimit,
  withRecords,
} from './repliesV2';

/** A registry in the memory of one tracker. Every method answers at once. */
export class MemoryRegistry implements Registry {
  private readonly hosts = new Map<string, Host>();
  private readonly hostsByOwner = new Map<string, Host>();
  private readonly offers = new OfferIndex();
  private readonly changes: ChangeFeed;
  private nextOrder = 0;
  private lastRank = 0;

  constructor(
    private readonly clock: Clock,
    private readonly limits: Pick<TrackerLimits, 'maxFilesPerHost' | 'expirySeconds'>,
    private readonly budget = new RegistryBudget(),
  ) {
    this.changes = new ChangeFeed({
      clock,
      render: (hostname, names, isWhole) => this.renderChange(hostname, names, isWhole),
    });
  }

  get hostCount(): number {
    return this.hosts.size;
  }

  /** Contents that somebody can be asked for. */
  get contentCount(): number {
    return this.offers.contentCount;
  }

  register(
    owner: Owner,
    registration: Registration,
  ): ChangeOutcome<'hostname in use' | 'replaced' | 'too many files'> {
    const previous = this.hosts.get(registration.hostname);
    const isSame = previous !== undefined && isSameInstance(previous, registration);
    const refusal =
      previous && takeoverRefusal(previous, { owner, registration, nowMs: this.clock.monotonic() });
    if (refusal !== undefined) return refusal;
    const own = this.hostsByOwner.get(owner.id);
    const freed = [...new Set([own, previous])].flatMap((host) =>
      host === undefined ? [] : [{ accounts: host.accounts, bytes: host.cost }],
    );
    const cost = costOfRegistration(registration);
    if (
      registration.files.size > this.limits.maxFilesPerHost ||
      !this.budget.hasRoom(accountsOf(owner, registration), cost, freed)
    )
      return 'too many files';
    if (own !== undefined && own !== previous) this.remove(own);
    if (previous !== undefined) this.withdrawAll(previous);
    const host = this.createHost(owner, registration, previous?.order ?? this.nextOrder++);
    this.add(host);
    this.noteRegistration(host, previous);
    if (isSame && previous.owner?.id !== owner.id) previous.owner?.onReplaced?.();
    return 'done';
  }

  renew(owner: Owner, hostname: string, { record, isBusy }: Renewal): void {
    const host = this.ownHost(owner, hostname);
    if (typeof host === 'string') return;
    if (record !== undefined && host.certificate !== undefined)
      host.recordJson = json({ ...record, certificate: host.certificate });
    const isRecordDue =
      record !== undefined &&
      this.clock.monotonic() - host.recordPushedMs >= RECORD_PUSH_INTERVAL_MS;
    if (host.isBusy !== isBusy || isRecordDue) this.changes.hostChanged(hostname);
    host.isBusy = isBusy;
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
    return this.offers.request(name, version, this.clock.monotonic());
  }

  discover(hostname: string, version: ControlVersion = 1): string | undefined {
    const host = this.hosts.get(hostname);
    if (host === undefined) return undefined;
    if (version === 1) return withinLimit(filesReply(host, publishedFiles(host)));
    const files = publishedFilesV2(host);
    const life = lifeOf(host, this.clock.monotonic());
    return withinLimit(files && withRecords(filesReplyV2(host, files, life), [host]));
  }

  list(version: ControlVersion = 1): string {
    if (version === 2) return this.listV2();
    const now = this.clock.now();
    const listed: string[] = [];
    let length = 0;
    for (const host of this.hosts.values()) {
      const { connectedAt } = host;
      length += publishedFiles(host).length;
      if (length > MAX_REPLY_CHARACTERS) return withinLimit(undefined);
      const lastSeen = (now - lifeOf(host, this.clock.monotonic()).ageMs) / 1_000;
      listed.push(listedHostJson(host, publishedFiles(host), { lastSeen, connectedAt }));
    }
    return registryReply(listed);
  }

  page(request: PageRequest): MaybePromise<string> {
    return whenReady(findPage(this.hosts, request, this.clock), (page) => this.toReply(page));
  }

  subscribe(
    subscriber: Subscriber,
    request: PageRequest,
  ): MaybePromise<{ readonly reply: string; readonly subscription: Subscription }> {
    // Before the first page is looked for: nothing that changes meanwhile may be missed.
    const subscription = this.changes.subscribe(subscriber);
    const { sequence } = subscription;
    return whenReady(findPage(this.hosts, request, this.clock), (page) => ({
      reply: this.toReply(page, sequence),
      subscription,
    }));
  }

  flushed(): MaybePromise<number> {
    return this.changes.flushed();
  }

  locate(ids: readonly string[]): string {
    return this.offers.locate(ids);
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
    host.awaySinceMs = this.clock.monotonic();
    host.isBusy = false;
    this.hostsByOwner.delete(owner.id);
    this.changes.hostChanged(host.hostname);
  }

  expire(): number {
    const oldest = this.clock.monotonic() - this.limits.expirySeconds * 1_000;
    const silent = [...this.hosts.values()].filter((host) => host.lastSeenMs <= oldest);
    for (const host of silent) this.remove(host);
    return silent.length;
  }

  private ownHost(owner: Owner, hostname: string): Host | 'unknown host' | 'not your host' {
    const host = this.hosts.get(hostname);
    if (host === undefined) return 'unknown host';
    return host.owner?.id === owner.id ? host : 'not your host';
  }

  private createHost(owner: Owner, registration: Registration, order: number): Host {
    const files = new Map<string, RankedFile>();
    for (const [name, file] of registration.files)
      files.set(name, this.stamp(file, { name, index: files.size }));
    const { clock } = this;
    const place = { order, rank: (this.lastRank += 1) };
    return newHost(owner, registration, { files, clock, ...place });
  }

  private stamp(file: FileMetadata, place: Pick<RankedFile, 'name' | 'index'>): RankedFile {
    const { name, index } = place;
    return { ...file, publishedAt: file.publishedAt ?? this.clock.now() / 1_000, name, index };
  }

  private put(host: Host, name: string, file: FileMetadata): ChangeOutcome<'too many files'> {
    const before = host.files.get(name);
    if (before === undefined && host.files.size >= this.limits.maxFilesPerHost)
      return 'too many files';
    if (!this.hasRoomFor(host, name, file)) return 'too many files';
    if (before !== undefined) this.offers.delete(host, name, before);
    const entry = this.stamp(file, { name, index: before?.index ?? host.list.length });
    this.keep(host, entry);
    this.offers.add(host, name, entry);
    this.changes.fileChanged(host.hostname, name);
    return 'done';
  }

  /** @param signed what the host says of the name from now on, if anything. */
  private hide(host: Host, name: string, signed?: SignedText): ChangeOutcome<'file not found'> {
    const entry = host.files.get(name);
    if (entry === undefined) return 'file not found';
    this.offers.delete(host, name, entry);
    const hidden = { ...entry, isPublished: false, signed };
    // A withdrawal is never refused: without room, nothing is kept of what is said of it.
    this.keep(
      host,
      this.hasRoomFor(host, name, hidden) ? hidden : { ...hidden, signed: undefined },
    );
    if (entry.isPublished) this.changes.fileChanged(host.hostname, name);
    return 'done';
  }

  private hasRoomFor(host: Host, name: string, file: FileMetadata): boolean {
    const growth = growthOf(host, name, file);
    return growth <= 0 || this.budget.hasRoom(host.accounts, growth);
  }

  private keep(host: Host, file: RankedFile): void {
    const growth = growthOf(host, file.name, file);
    host.cost += growth;
    this.budget.add(host.accounts, growth);
    host.files.set(file.name, file);
    host.list[file.index] = file;
  }

  private add(host: Host): void {
    this.hosts.set(host.hostname, host);
    this.budget.add(host.accounts, host.cost);
    if (host.owner !== undefined) this.hostsByOwner.set(host.owner.id, host);
    for (const [name, file] of host.files) this.offers.add(host, name, file);
  }

  /** The one way out, for a goodbye, an expiry and a registration under another name alike. */
  private remove(host: Host): void {
    this.withdrawAll(host);
    this.changes.hostGone(host.hostname);
  }

  private withdrawAll(host: Host): void {
    this.hosts.delete(host.hostname);
    this.budget.add(host.accounts, -host.cost);
    if (host.owner !== undefined) this.hostsByOwner.delete(host.owner.id);
    for (const [name, file] of host.files) this.offers.delete(host, name, file);
  }

  /** A host that comes back with the files that it had is one change, and not one of each file. */
  private noteRegistration(host: Host, previous: Host | undefined): void {
    if (this.changes.subscriberCount === 0) return;
    const { hostname } = host;
    this.changes.hostChanged(hostname);
    for (const [name, file] of host.files) {
      const before = previous?.files.get(name);
      if (before === undefined || entryJson(before) !== entryJson(file))
        this.changes.fileChanged(hostname, name);
    }
    if (previous === undefined) return;
    for (const name of previous.files.keys())
      if (!host.files.has(name)) this.changes.fileChanged(hostname, name);
  }

  private renderChange(
    hostname: string,
    names: readonly string[],
    isWhole: boolean,
  ): RenderedChange | undefined {
    const host = this.hosts.get(hostname);
    if (host === undefined) return undefined;
    const files = names.map((name) => {
      const file = host.files.get(name);
      return [name, file?.isPublished === true ? entryJson(file) : undefined] as const;
    });
    if (!isWhole) return { json: changeJson(host, files, undefined), record: undefined };
    host.recordPushedMs = this.clock.monotonic();
    return {
      json: changeJson(host, files, lifeOf(host, this.clock.monotonic())),
      record: recordMember(host),
    };
  }

  private listV2(): string {
    const listed: string[] = [];
    let length = 0;
    for (const host of this.hosts.values()) {
      const files = publishedFilesV2(host);
      length += (files?.length ?? 0) + recordLength(host);
      // Before it is put together: it might be longer than a text can be.
      if (files === undefined || length > MAX_REPLY_CHARACTERS) return withinLimit(undefined);
      listed.push(listedHostJsonV2(host, files, lifeOf(host, this.clock.monotonic())));
    }
    return withinLimit(withRecords(registryReply(listed), this.hosts.values()));
  }

  /** What was found, as it is now. */
  private toReply(page: FoundPage, sequence?: number): string {
    return writePage(page, this.hosts, { nowMs: this.clock.monotonic(), sequence });
  }
}
