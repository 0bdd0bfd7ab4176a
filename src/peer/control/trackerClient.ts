import { PeershelfError } from '../../common/errors';
import { CONTROL_REASONS } from '../../protocol/controlReasons';
import {
  expectStatus,
  type ListedFile,
  type ListedHost,
  readFiles,
  readRegistry,
  readSources,
  type SourceInfo,
} from '../../protocol/controlReplies';
import type { HeartbeatState } from './heartbeat';
import type { TrackerConnection } from './trackerConnection';

/** How a published file is described to the tracker. */
export interface FileAnnouncement {
  readonly name: string;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  readonly publishedAtMs: number;
}

export interface RegistrationData {
  readonly hostname: string;
  readonly displayName: string;
  readonly port: number;
  /** Empty: the tracker takes the address that it sees. */
  readonly ip: string;
  readonly files: readonly FileAnnouncement[];
}

/** The actions of control version 1, typed. Each throws what {@link TrackerConnection.request} throws. */
export class TrackerClient {
  constructor(private readonly connection: Pick<TrackerConnection, 'request'>) {}

  /** @throws NAME_TAKEN when another peer is registered under the hostname. */
  async register(registration: RegistrationData): Promise<void> {
    const { hostname, displayName, port, ip, files } = registration;
    try {
      const reply = await this.connection.request('REGISTER', {
        hostname,
        display_name: displayName,
        port,
        ...(ip === '' ? {} : { ip }),
        files_metadata: Object.fromEntries(files.map((file) => [file.name, metadata(file)])),
      });
      expectStatus(reply, ['OK']);
    } catch (error) {
      if (!PeershelfError.is(error) || error.details['reason'] !== CONTROL_REASONS.hostnameInUse)
        throw error;
      throw new PeershelfError('NAME_TAKEN', `the hostname ${hostname} is in use`, {
        cause: error,
        details: { hostname },
      });
    }
  }

  async publish(hostname: string, file: FileAnnouncement): Promise<void> {
    const { is_published: _, ...data } = metadata(file);
    const request = { hostname, fname: file.name, ...data };
    expectStatus(await this.connection.request('PUBLISH', request), ['ACK']);
  }

  async unpublish(hostname: string, name: string): Promise<void> {
    const reply = await this.connection.request('UNPUBLISH', { hostname, fname: name });
    expectStatus(reply, ['ACK']);
  }

  async unregister(hostname: string): Promise<void> {
    expectStatus(await this.connection.request('UNREGISTER', { hostname }), ['OK']);
  }

  /** Who offers `name`; empty when nobody does. */
  async sources(name: string): Promise<SourceInfo[]> {
    return readSources(await this.connection.request('REQUEST', { fname: name }));
  }

  /** @throws NOT_FOUND when the tracker does not know the host. */
  async discover(hostname: string): Promise<Map<string, ListedFile>> {
    try {
      return readFiles(await this.connection.request('DISCOVER', { hostname }));
    } catch (error) {
      if (!PeershelfError.is(error, 'TRACKER_REFUSED')) throw error;
      throw new PeershelfError('NOT_FOUND', `the tracker knows no host ${hostname}`, {
        cause: error,
        details: { hostname },
      });
    }
  }

  /** Whether the tracker knows the host. Counts as a sign of life of this connection's own host. */
  async ping(hostname: string, state?: HeartbeatState): Promise<boolean> {
    const data = state === undefined ? { hostname } : { hostname, state };
    const reply = await this.connection.request('PING', data);
    return expectStatus(reply, ['ALIVE', 'DEAD']) === 'ALIVE';
  }

  async list(): Promise<Map<string, ListedHost>> {
    return readRegistry(await this.connection.request('LIST'));
  }
}

function metadata(file: FileAnnouncement): {
  size: number;
  modified: number;
  published_at: number;
  is_published: true;
} {
  return {
    size: file.sizeBytes,
    modified: file.modifiedMs / 1000,
    published_at: file.publishedAtMs / 1000,
    is_published: true,
  };
}

/** About how many bytes a file takes in a REGISTER line; never less than it really takes. */
export function announcementBytes(file: FileAnnouncement): number {
  return Buffer.byteLength(JSON.stringify({ [file.name]: metadata(file) }));
}
