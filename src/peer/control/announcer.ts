import { type Clock, delay } from '../../common/clock';
import { describeError, PeershelfError } from '../../common/errors';
import type { Logger } from '../../common/logger';
import { CONTROL_REASONS } from '../../protocol/controlReasons';
import type { HeartbeatIntervals } from '../../protocol/controlRepliesV2';
import type { EntryRefusal, InstanceClaim } from '../../protocol/controlRequestsV2';
import type { Credentials } from '../../protocol/credentials';
import { MAX_REGISTER_BYTES } from '../../protocol/limits';
import type { SignedText } from '../../protocol/signedText';
import { announcementBytes, type FileAnnouncement, saysTheSame } from './fileAnnouncement';
import type { HostClaim } from '../team/teamMember';
import type { TrackerClient } from './trackerClient';

/** Hostnames tried: `name`, `name-2`, … */
const MAX_HOSTNAMES = 100;
/** Rest after "too many requests": a tracker counts by the second. */
const REST_MS = 1_000;
/** Time for the tracker to take our goodbye. */
const GOODBYE_DEADLINE_MS = 1_000;

/** Reasons by which a tracker says that it does not know this peer any more. */
const FORGOTTEN: ReadonlySet<unknown> = new Set([
  CONTROL_REASONS.unknownHost,
  CONTROL_REASONS.notYourHost,
]);

/** What a peer tells that serves nothing yet. */
const NOWHERE = { port: 0, ip: '' };

interface Identity {
  readonly hostname: string;
  readonly displayName: string;
}

export interface AnnouncerDependencies {
  readonly clock: Clock;
  readonly logger: Logger;
  /** What is to be announced now. */
  readonly files: () => readonly FileAnnouncement[];
  /** Opens the listening socket if it is not open, and says how others reach it. */
  readonly listen: () => Promise<{ readonly port: number; readonly ip: string }>;
  readonly identity: () => Identity;
  /** Whether others see this peer before it has published anything; only version 2 can say it. */
  readonly presence?: boolean;
  /** Which connection of which window this is. */
  readonly instance: InstanceClaim;
  /** In a team session: what shows that this peer may register as that. */
  readonly credentials?: ((claim: HostClaim) => Credentials) | undefined;
  /** In a team session: signs what is said of files under a hostname. */
  readonly signatures?: AnnouncementSignatures | undefined;
}

/** What a peer has signed; nothing for what has not been hashed, or is not known any more. */
export interface AnnouncementSignatures {
  readonly published: (hostname: string, file: FileAnnouncement) => SignedText | undefined;
  readonly withdrawn: (hostname: string, name: string) => SignedText | undefined;
}

/**
 * Brings what a tracker knows of this peer in line with what is published, on one connection: it
 * compares the two and sends the difference, so it may be asked at any time and as often as wished.
 * A peer that has never published anything listens to nobody, and is not registered or, where it is to
 * be seen, serves nothing.
 */
export class Announcer {
  private registeredAs: string | undefined;
  /** What was wished when it registered; another wish means registering again. */
  private registeredFor: Identity | undefined;
  /** What the tracker has, by name. */
  private readonly announced = new Map<string, FileAnnouncement>();
  /** Files that the tracker refused on this connection; they are not offered to it again. */
  private readonly refusals = new WeakMap<FileAnnouncement, PeershelfError>();
  private readonly ended = new AbortController();
  private running: Promise<void> | undefined;
  private again = false;
  /** Whether it has told where others fetch from it. */
  private serves = false;
  private intervals: HeartbeatIntervals | undefined;

  constructor(
    private readonly client: TrackerClient,
    private readonly dependencies: AnnouncerDependencies,
  ) {}

  /** The hostname under which the tracker knows this peer, once it does. */
  get hostname(): string | undefined {
    return this.registeredAs;
  }

  /** How often the tracker wants to hear of this peer, if it has said so. */
  get heartbeatIntervals(): HeartbeatIntervals | undefined {
    return this.intervals;
  }

  has(file: FileAnnouncement): boolean {
    const announced = this.announced.get(file.name);
    return announced !== undefined && saysTheSame(announced, file);
  }

  /** Why the tracker did not take a file. */
  refusalOf(file: FileAnnouncement): PeershelfError | undefined {
    return this.refusals.get(file);
  }

  /** Resolves when the tracker knows everything that was published when this was called. */
  sync(): Promise<void> {
    this.again = true;
    this.running ??= this.runUntilInSync();
    return this.running;
  }

  /** The tracker has forgotten this peer: everything is said again by the next `sync`. */
  forget(): void {
    this.registeredFor = undefined;
  }

  /** Takes this peer back from the tracker until the next `sync`: nobody could fetch from it. */
  async withdraw(): Promise<void> {
    const hostname = this.registeredAs;
    this.registeredAs = undefined;
    this.serves = false;
    this.forget();
    this.announced.clear();
    if (hostname !== undefined) await this.client.unregister(hostname);
  }

  /** Takes this peer back from the tracker, and says nothing after that. */
  async goodbye(): Promise<void> {
    this.ended.abort();
    if (this.registeredAs !== undefined) await this.client.unregister(this.registeredAs);
  }

  /**
   * The same, but waits not for long and never rejects: a tracker that does not answer forgets a peer in
   * time.
   */
  async sayGoodbye(): Promise<void> {
    const { clock, logger } = this.dependencies;
    const goodbye = this.goodbye().catch((error: unknown) => {
      logger.debug(`goodbye: ${describeError(error)}`);
    });
    await Promise.race([goodbye, delay(clock, GOODBYE_DEADLINE_MS)]);
  }

  private async runUntilInSync(): Promise<void> {
    try {
      while (this.again) {
        this.again = false;
        await this.syncOnce();
      }
    } finally {
      this.running = undefined;
    }
  }

  private async syncOnce(): Promise<void> {
    const files = this.dependencies.files();
    if (!this.isRegistered() || (files.length > 0 && !this.serves)) {
      if (files.length === 0 && this.registeredAs === undefined && !this.isPresent) return;
      await this.register(files);
    }
    const hostname = this.registeredAs ?? '';
    const wanted = new Map(files.map((file) => [file.name, file]));
    const gone = [...this.announced.keys()].filter((name) => !wanted.has(name));
    for (const names of this.inBatches(gone, (name) => this.withdrawalBytes(name)))
      await this.unpublish(hostname, names);
    const missing = files.filter((file) => !this.has(file) && !this.refusals.has(file));
    for (const batch of this.inBatches(missing, (file) => this.bytesOf(file)))
      await this.publish(hostname, batch);
  }

  /** Whether this peer is to be seen before it has published anything. */
  private get isPresent(): boolean {
    return this.dependencies.presence === true && this.client.version === 2;
  }

  private isRegistered(): boolean {
    const { hostname, displayName } = this.dependencies.identity();
    const { registeredFor } = this;
    return registeredFor?.hostname === hostname && registeredFor.displayName === displayName;
  }

  private async register(files: readonly FileAnnouncement[]): Promise<void> {
    try {
      await this.registerNow(files);
    } catch (error) {
      this.forget();
      throw error;
    }
  }

  private async registerNow(files: readonly FileAnnouncement[]): Promise<void> {
    const { identity, instance, listen, logger } = this.dependencies;
    const serves = files.length > 0 || this.serves || !this.isPresent;
    const wished = identity();
    // From here on: when it is forgotten meanwhile, it is said once more.
    this.registeredFor = wished;
    const address = serves ? await listen() : NOWHERE;
    const first = files.slice(
      0,
      this.fitting(files, (file) => this.bytesOf(file)),
    );
    for (let number = 1; number <= MAX_HOSTNAMES; number += 1) {
      this.throwIfEnded();
      const hostname = number === 1 ? wished.hostname : `${wished.hostname}-${number}`;
      const { displayName } = wished;
      // From the moment it is sent, a goodbye must name it.
      this.registeredAs = hostname;
      let refused: readonly EntryRefusal[];
      try {
        const own = { hostname, displayName, ...address };
        const claim = { hostname, displayName, instance: instance.id };
        const credentials = this.dependencies.credentials?.(claim);
        const signed = this.withSignatures(hostname, first);
        const result = await this.client.register({ ...own, instance, files: signed, credentials });
        this.intervals = result.heartbeatIntervals;
        refused = result.refused;
      } catch (error) {
        this.registeredAs = undefined;
        if (PeershelfError.is(error, 'NAME_TAKEN') && number < MAX_HOSTNAMES) continue;
        throw error;
      }
      this.serves = serves;
      this.announced.clear();
      this.note(first, refused, () => false);
      logger.info(`registered as ${hostname}, port ${address.port}, ${files.length} files`);
      return;
    }
  }

  /** Tries again when it is not a file's fault that the tracker has not taken it. */
  private async publish(hostname: string, files: readonly FileAnnouncement[]): Promise<void> {
    const refused = await this.client.publish(hostname, this.withSignatures(hostname, files));
    this.note(files, refused, isPassing);
    await this.recover(refused);
  }

  /**
   * Notes what the tracker has taken and why not the rest, but for reasons after which it is tried
   * again. After REGISTER there are none: a tracker that always forgets would never let it end.
   */
  private note(
    files: readonly FileAnnouncement[],
    refused: readonly EntryRefusal[],
    isTriedAgain: (reason: string) => boolean,
  ): void {
    const reasons = new Map(refused.map(({ name, reason }) => [name, reason]));
    for (const file of files) {
      const reason = reasons.get(file.name);
      if (reason === undefined) this.announced.set(file.name, file);
      else if (!isTriedAgain(reason)) this.refuse(file, reason);
    }
  }

  private refuse(file: FileAnnouncement, reason: string): void {
    const error = new PeershelfError('TRACKER_REFUSED', `the tracker refused: ${reason}`, {
      details: { reason },
    });
    this.dependencies.logger.warn(`${file.name}: ${error.message}`);
    this.refusals.set(file, error);
  }

  /** Prepares the next try after refusals that do not last. */
  private async recover(refused: readonly EntryRefusal[]): Promise<void> {
    if (refused.some(({ reason }) => FORGOTTEN.has(reason))) {
      this.forget();
      this.again = true;
    }
    if (refused.some(({ reason }) => reason === CONTROL_REASONS.tooManyRequests)) {
      await delay(this.dependencies.clock, REST_MS, this.ended.signal);
      this.again = true;
    }
  }

  private async unpublish(hostname: string, names: readonly string[]): Promise<void> {
    const withdrawn = names.flatMap((name) => {
      const signed = this.dependencies.signatures?.withdrawn(hostname, name);
      return signed === undefined ? [] : [{ name, ...signed }];
    });
    const refused = await this.client.unpublish(hostname, names, withdrawn);
    const tooFast = refused.filter(({ reason }) => reason === CONTROL_REASONS.tooManyRequests);
    const kept = new Set(tooFast.map(({ name }) => name));
    for (const { name, reason } of refused)
      this.dependencies.logger.debug(`unpublish ${name}: ${reason}`);
    // "file not found" and the like: it is gone there too, which is what was wanted.
    for (const name of names) if (!kept.has(name)) this.announced.delete(name);
    await this.recover(tooFast);
  }

  /** Parts that fit into one message each, and end when this connection does. */
  private *inBatches<T>(items: readonly T[], bytesOf: (item: T) => number): Generator<T[]> {
    for (let start = 0; start < items.length;) {
      this.throwIfEnded();
      const rest = items.slice(start, start + this.client.batchLimit);
      const batch = rest.slice(0, Math.max(1, this.fitting(rest, bytesOf)));
      yield batch;
      start += batch.length;
    }
  }

  /** How many of the first items go into one message. */
  private fitting<T>(items: readonly T[], bytesOf: (item: T) => number): number {
    let bytes = 0;
    const end = items.findIndex((item) => (bytes += bytesOf(item)) > MAX_REGISTER_BYTES);
    return end === -1 ? items.length : end;
  }

  private bytesOf(file: FileAnnouncement): number {
    // Under a longer hostname it takes a few bytes more, which the limit of lines has room for.
    const hostname = this.registeredAs ?? this.dependencies.identity().hostname;
    const [signed = file] = this.withSignatures(hostname, [file]);
    return announcementBytes(signed, this.client.version);
  }

  private withdrawalBytes(name: string): number {
    const nameBytes = Buffer.byteLength(name) * 2;
    const signed = this.dependencies.signatures?.withdrawn(this.registeredAs ?? '', name);
    return signed === undefined
      ? nameBytes
      : nameBytes * 2 + Buffer.byteLength(JSON.stringify(signed));
  }

  private withSignatures(
    hostname: string,
    files: readonly FileAnnouncement[],
  ): readonly FileAnnouncement[] {
    const { signatures } = this.dependencies;
    if (signatures === undefined) return files;
    return files.map((file) => ({ ...file, signed: signatures.published(hostname, file) }));
  }

  private throwIfEnded(): void {
    if (this.ended.signal.aborted) throw new PeershelfError('CANCELLED', 'the session has ended');
  }
}

/** Whether a refusal says nothing about the file itself. */
function isPassing(reason: string): boolean {
  return FORGOTTEN.has(reason) || reason === CONTROL_REASONS.tooManyRequests;
}
