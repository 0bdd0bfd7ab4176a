import { PeershelfError } from '../../common/errors';
import type { Logger } from '../../common/logger';
import { MAX_REGISTER_BYTES } from '../../protocol/limits';
import { announcementBytes, type FileAnnouncement, type TrackerClient } from './trackerClient';

/** Requests sent before their replies are awaited. */
const PIPELINE_DEPTH = 200;
/** Hostnames tried: `name`, `name-2`, … */
const MAX_HOSTNAMES = 100;

export interface AnnouncerDependencies {
  readonly logger: Logger;
  /** What is to be announced now. */
  readonly files: () => readonly FileAnnouncement[];
  /** Opens the listening socket if it is not open, and says how others reach it. */
  readonly listen: () => Promise<{ readonly port: number; readonly ip: string }>;
  readonly identity: () => { readonly hostname: string; readonly displayName: string };
  /** The tracker refused a file for good. */
  readonly onRefused: (name: string, error: PeershelfError) => void;
}

/**
 * Brings what a tracker knows of this peer in line with what is published, on one connection: it
 * compares the two and sends the difference, so it may be asked at any time and as often as wished.
 * A peer that has never published anything is not registered, and listens to nobody.
 */
export class Announcer {
  private registeredAs: string | undefined;
  /** What the tracker has, by name. */
  private readonly announced = new Map<string, FileAnnouncement>();
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

  /** Resolves when the tracker knows everything that was published when this was called. */
  sync(): Promise<void> {
    this.again = true;
    this.running ??= this.runUntilInSync().finally(() => {
      this.running = undefined;
    });
    return this.running;
  }

  /** The tracker has forgotten this peer, or it has another name now: everything is said again. */
  forget(): void {
    this.registeredAs = undefined;
    this.announced.clear();
  }

  private async runUntilInSync(): Promise<void> {
    while (this.again) {
      this.again = false;
      await this.syncOnce();
    }
  }

  private async syncOnce(): Promise<void> {
    const files = this.dependencies.files();
    if (this.registeredAs === undefined) {
      if (files.length === 0) return;
      await this.register(files);
    }
    const hostname = this.registeredAs ?? '';
    const wanted = new Map(files.map((file) => [file.name, file]));
    const gone = [...this.announced.keys()].filter((name) => !wanted.has(name));
    await inBatches(gone, (name) => this.unpublish(hostname, name));
    const missing = files.filter((file) => !this.has(file));
    await inBatches(missing, (file) => this.publish(hostname, file));
  }

  private async register(files: readonly FileAnnouncement[]): Promise<void> {
    const { identity, listen, logger } = this.dependencies;
    const address = await listen();
    const { hostname: wished, displayName } = identity();
    const first = takeWithinBytes(files, MAX_REGISTER_BYTES);
    for (let number = 1; number <= MAX_HOSTNAMES; number += 1) {
      const hostname = number === 1 ? wished : `${wished}-${number}`;
      try {
        await this.client.register({ hostname, displayName, ...address, files: first });
      } catch (error) {
        if (PeershelfError.is(error, 'NAME_TAKEN') && number < MAX_HOSTNAMES) continue;
        throw error;
      }
      this.registeredAs = hostname;
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
      this.dependencies.onRefused(file.name, error);
    }
  }

  private async unpublish(hostname: string, name: string): Promise<void> {
    try {
      await this.client.unpublish(hostname, name);
    } catch (error) {
      // "file not found": it is gone there too, which is what was wanted.
      if (!PeershelfError.is(error, 'TRACKER_REFUSED')) throw error;
      this.dependencies.logger.debug(`unpublish: ${error.message}`);
    }
    this.announced.delete(name);
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

async function inBatches<T>(items: readonly T[], send: (item: T) => Promise<void>): Promise<void> {
  for (let start = 0; start < items.length; start += PIPELINE_DEPTH)
    await Promise.all(items.slice(start, start + PIPELINE_DEPTH).map(send));
}
