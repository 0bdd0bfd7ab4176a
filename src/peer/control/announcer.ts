import { type Clock, delay } from '../../common/clock';
import { PeershelfError } from '../../common/errors';
import type { Logger } from '../../common/logger';
import { CONTROL_REASONS } from '../../protocol/controlReasons';
import { MAX_REGISTER_BYTES } from '../../protocol/limits';
import { announcementBytes, type FileAnnouncement, type TrackerClient } from './trackerClient';

/** Requests sent before their replies are awaited. */
const PIPELINE_DEPTH = 200;
/** Hostnames tried: `name`, `name-2`, … */
const MAX_HOSTNAMES = 100;
/** Rest after "too many requests": a tracker counts by the second. */
const REST_MS = 1_000;

/** Reasons by which a tracker says that it does not know this peer any more. */
const FORGOTTEN: ReadonlySet<unknown> = new Set([
  CONTROL_REASONS.unknownHost,
  CONTROL_REASONS.notYourHost,
]);

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
}

/**
 * Brings what a tracker knows of this peer in line with what is published, on one connection: it
 * compares the two and sends the difference, so it may be asked at any time and as often as wished.
 * A peer that has never published anything is not registered, and listens to nobody.
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

  constructor(
    private readonly client: TrackerClient,
    private readonly dependencies: AnnouncerDependencies,
  ) {}

  /** The hostname under which the tracker knows this peer, once it does. */
  get hostname(): string | undefined {
    return this.registeredAs;
  }

  has(file: FileAnnouncement): boolean {
    return this.announced.get(file.name) === file;
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

  /** Takes this peer back from the tracker, and says nothing after that. */
  async goodbye(): Promise<void> {
    this.ended.abort();
    if (this.registeredAs !== undefined) await this.client.unregister(this.registeredAs);
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
    if (!this.isRegistered()) {
      if (files.length === 0 && this.registeredAs === undefined) return;
      await this.register(files);
    }
    const hostname = this.registeredAs ?? '';
    const wanted = new Map(files.map((file) => [file.name, file]));
    const gone = [...this.announced.keys()].filter((name) => !wanted.has(name));
    await this.inBatches(gone, (name) => this.unpublish(hostname, name));
    const missing = files.filter((file) => !this.has(file) && !this.refusals.has(file));
    await this.inBatches(missing, (file) => this.publish(hostname, file));
  }

  private isRegistered(): boolean {
    const { hostname, displayName } = this.dependencies.identity();
    const { registeredFor } = this;
    return registeredFor?.hostname === hostname && registeredFor.displayName === displayName;
  }

  private async register(files: readonly FileAnnouncement[]): Promise<void> {
    const { identity, listen, logger } = this.dependencies;
    const address = await listen();
    const wished = identity();
    const first = takeWithinBytes(files, MAX_REGISTER_BYTES);
    for (let number = 1; number <= MAX_HOSTNAMES; number += 1) {
      this.throwIfEnded();
      const hostname = number === 1 ? wished.hostname : `${wished.hostname}-${number}`;
      const { displayName } = wished;
      // From the moment it is sent, a goodbye must name it.
      this.registeredAs = hostname;
      try {
        await this.client.register({ hostname, displayName, ...address, files: first });
      } catch (error) {
        this.registeredAs = undefined;
        if (PeershelfError.is(error, 'NAME_TAKEN') && number < MAX_HOSTNAMES) continue;
        throw error;
      }
      this.registeredFor = wished;
      this.announced.clear();
      first.forEach((file) => this.announced.set(file.name, file));
      logger.info(`registered as ${hostname}, port ${address.port}, ${files.length} files`);
      return;
    }
  }

  private async publish(hostname: string, file: FileAnnouncement): Promise<void> {
    try {
      await this.client.publish(hostname, file);
      this.announced.set(file.name, file);
    } catch (error) {
      if (!PeershelfError.is(error, 'TRACKER_REFUSED')) throw error;
      await this.onRefused(file, error);
    }
  }

  /** Tries again when it is not the file's fault, and keeps the reason when it is. */
  private async onRefused(file: FileAnnouncement, error: PeershelfError): Promise<void> {
    const { clock, logger } = this.dependencies;
    const reason = error.details['reason'];
    if (FORGOTTEN.has(reason)) {
      this.forget();
      this.again = true;
    } else if (reason === CONTROL_REASONS.tooManyRequests) {
      await delay(clock, REST_MS, this.ended.signal);
      this.again = true;
    } else {
      logger.warn(`${file.name}: ${error.message}`);
      this.refusals.set(file, error);
    }
  }

  private async unpublish(hostname: string, name: string): Promise<void> {
    try {
      await this.client.unpublish(hostname, name);
    } catch (error) {
      if (!PeershelfError.is(error, 'TRACKER_REFUSED')) throw error;
      this.dependencies.logger.debug(`unpublish: ${error.message}`);
      if (error.details['reason'] === CONTROL_REASONS.tooManyRequests) {
        await delay(this.dependencies.clock, REST_MS, this.ended.signal);
        this.again = true;
        return;
      }
      // "file not found" and the like: it is gone there too, which is what was wanted.
    }
    this.announced.delete(name);
  }

  private async inBatches<T>(items: readonly T[], send: (item: T) => Promise<void>): Promise<void> {
    for (let start = 0; start < items.length; start += PIPELINE_DEPTH) {
      this.throwIfEnded();
      await Promise.all(items.slice(start, start + PIPELINE_DEPTH).map(send));
    }
  }

  private throwIfEnded(): void {
    if (this.ended.signal.aborted) throw new PeershelfError('CANCELLED', 'the session has ended');
  }
}

function takeWithinBytes(
  files: readonly FileAnnouncement[],
  limitBytes: number,
): FileAnnouncement[] {
  let bytes = 0;
  const end = files.findIndex((file) => (bytes += announcementBytes(file)) > limitBytes);
  return files.slice(0, end === -1 ? files.length : end);
}
