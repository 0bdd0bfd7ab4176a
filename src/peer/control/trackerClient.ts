import { PeershelfError } from '../../common/errors';
import { type ContentId, formatContentId } from '../../protocol/contentId';
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
import {
  type HeartbeatIntervals,
  type LocatedSource,
  readHeartbeatIntervals,
  readHello,
  readLocated,
  readRefusals,
} from '../../protocol/controlRepliesV2';
import {
  CONTROL_VERSIONS,
  type ControlVersion,
  type EntryRefusal,
  type InstanceClaim,
} from '../../protocol/controlRequestsV2';
import type { Credentials } from '../../protocol/credentials';
import { MAX_PUBLISH_ENTRIES } from '../../protocol/limits';
import { recordOf } from '../../protocol/recordReplies';
import type { SignedText } from '../../protocol/signedText';
import {
  readStatementReply,
  type StatementReply,
  type StatementRequest,
  statementRequestMembers,
} from '../../protocol/statementMessages';
import type { HostTrust } from '../team/hostTrust';
import { type FileAnnouncement, toEntry, toMetadata } from './fileAnnouncement';
import type { HeartbeatState } from './heartbeat';
import { NetworkRequests } from './networkRequests';
import { replacedError, type TrackerConnection } from './trackerConnection';

export type { FileAnnouncement } from './fileAnnouncement';

/** In version 1, which takes one file at a time: requests sent before their replies are awaited. */
const PIPELINE_DEPTH = 200;

const AGENT = 'peershelf';

export interface RegistrationData {
  readonly hostname: string;
  readonly displayName: string;
  readonly port: number;
  /** Empty: the tracker takes the address that it sees. */
  readonly ip: string;
  /** Only version 2 can say it. */
  readonly instance: InstanceClaim;
  readonly files: readonly FileAnnouncement[];
  /** In a team session: who this peer is, and that it is a member. */
  readonly credentials?: Credentials | undefined;
}

/** What is said of a name that is taken back. */
export type Withdrawal = SignedText & { readonly name: string };

export interface RegistrationResult {
  /** How often the tracker wants to hear of this peer; undefined: it does not say. */
  readonly heartbeatIntervals: HeartbeatIntervals | undefined;
  readonly refused: readonly EntryRefusal[];
}

/**
 * The actions of the control conversation, typed, in whichever version the tracker speaks: version 1
 * until `hello` has found out. Each throws what {@link TrackerConnection.request} throws.
 */
export class TrackerClient {
  private currentVersion: ControlVersion = 1;
  private maxPublish = PIPELINE_DEPTH;
  /** What is about everything, in version 2. */
  readonly network: NetworkRequests;

  /** @param trust in a team session: hosts that it does not know as members are left out. */
  constructor(
    private readonly connection: Pick<TrackerConnection, 'request'>,
    private readonly trust?: Pick<HostTrust, 'verify'>,
  ) {
    this.network = new NetworkRequests(connection, trust);
  }

  get version(): ControlVersion {
    return this.currentVersion;
  }

  /** Most files for one call of `publish`, and names for one of `unpublish`. */
  get batchLimit(): number {
    return this.maxPublish;
  }

  /**
   * Shows whose the connection is, and asks for the statement of the team: before HELLO.
   * @throws INVALID_MESSAGE for an answer that is none.
   */
  async statement(request: StatementRequest): Promise<StatementReply> {
    const reply = await this.connection.request('STATEMENT', statementRequestMembers(request));
    const read = readStatementReply(reply);
    if (read === undefined)
      throw new PeershelfError('INVALID_MESSAGE', 'the tracker sent no valid reply to STATEMENT');
    return read;
  }

  /**
   * Agrees on a version, as the first thing on a connection.
   * @param token of the team, where there is one: then nothing below version 2 is spoken.
   * @throws NOT_A_MEMBER when the tracker does not take the token.
   */
  async hello(token?: string): Promise<ControlVersion> {
    if (token !== undefined) return this.helloAsMember(token);
    try {
      const data = { versions: CONTROL_VERSIONS, agent: AGENT };
      const { version, maxPublish } = readHello(await this.connection.request('HELLO', data));
      this.currentVersion = version;
      if (version === 2) this.maxPublish = maxPublish;
    } catch (error) {
      // All that a tracker knows who has never heard of a greeting.
      if (!String(reasonOf(error)).startsWith('unknown action')) throw error;
    }
    return this.currentVersion;
  }

  private async helloAsMember(token: string): Promise<ControlVersion> {
    try {
      const reply = await this.connection.request('HELLO', { versions: [2], agent: AGENT, token });
      const { version, maxPublish } = readHello(reply);
      if (version !== 2) throw new PeershelfError('INVALID_MESSAGE', 'the tracker is too old');
      this.currentVersion = version;
      this.maxPublish = maxPublish;
      return version;
    } catch (error) {
      if (reasonOf(error) !== CONTROL_REASONS.notAMember) throw error;
      throw new PeershelfError('NOT_A_MEMBER', 'the tracker does not take this invite', {
        cause: error,
      });
    }
  }

  /**
   * @throws NAME_TAKEN when another peer is registered under the hostname, REPLACED when a later
   * connection of this one is.
   */
  async register(registration: RegistrationData): Promise<RegistrationResult> {
    const { hostname, files } = registration;
    const data = this.version === 1 ? toDataV1(registration) : toDataV2(registration);
    try {
      const reply = await this.connection.request('REGISTER', data);
      expectStatus(reply, ['OK']);
      return {
        heartbeatIntervals: readHeartbeatIntervals(reply),
        refused: readRefusals(
          reply,
          files.map(({ name }) => name),
        ),
      };
    } catch (error) {
      throw fromRegisterError(error, hostname);
    }
  }

  /** Offers files, at most `batchLimit`, and resolves to those that the tracker has refused. */
  async publish(hostname: string, files: readonly FileAnnouncement[]): Promise<EntryRefusal[]> {
    if (this.version === 2)
      return this.change(
        'PUBLISH',
        { hostname, files: files.map(toEntry) },
        files.map(({ name }) => name),
      );
    return this.each(files, ({ name, ...file }) => {
      const { is_published: _, ...metadata } = toMetadata({ name, ...file });
      return this.change('PUBLISH', { hostname, fname: name, ...metadata }, [name]);
    });
  }

  /**
   * Takes names back, at most `batchLimit`, and resolves to those that the tracker has refused.
   * @param withdrawn what is said of them from now on, in a team session.
   */
  async unpublish(
    hostname: string,
    names: readonly string[],
    withdrawn: readonly Withdrawal[] = [],
  ): Promise<EntryRefusal[]> {
    const data = { hostname, names, ...(withdrawn.length > 0 && { withdrawn }) };
    if (this.version === 2) return this.change('UNPUBLISH', data, names);
    return this.each(names, (name) => this.change('UNPUBLISH', { hostname, fname: name }, [name]));
  }

  async unregister(hostname: string): Promise<void> {
    expectStatus(await this.connection.request('UNREGISTER', { hostname }), ['OK']);
  }

  /** Who offers `name`; empty when nobody does. */
  async sources(name: string): Promise<SourceInfo[]> {
    const reply = await this.connection.request('REQUEST', { fname: name });
    return this.trusted(reply, readSources(reply, this.version));
  }

  /** Who has these contents, by `formatContentId`; nobody as far as version 1 can tell. */
  async locate(ids: readonly ContentId[]): Promise<Map<string, LocatedSource[]>> {
    const located = new Map<string, LocatedSource[]>();
    if (this.version === 1) return located;
    for (let start = 0; start < ids.length; start += MAX_PUBLISH_ENTRIES) {
      const some = ids.slice(start, start + MAX_PUBLISH_ENTRIES);
      const reply = await this.connection.request('LOCATE', { ids: some.map(formatContentId) });
      readLocated(reply, some).forEach((sources, id) =>
        located.set(id, this.trusted(reply, sources)),
      );
    }
    return located;
  }

  /** @throws NOT_FOUND when the tracker does not know the host. */
  async discover(hostname: string): Promise<Map<string, ListedFile>> {
    try {
      const reply = await this.connection.request('DISCOVER', { hostname });
      return this.trusted(reply, [{ hostname }]).length === 0
        ? new Map()
        : readFiles(reply, this.version);
    } catch (error) {
      if (reasonOf(error) !== CONTROL_REASONS.unknownHost) throw error;
      throw new PeershelfError('NOT_FOUND', `the tracker knows no host ${hostname}`, {
        cause: error,
        details: { hostname },
      });
    }
  }

  /** Whether the tracker knows the host. Counts as a sign of life of this connection's own host. */
  async ping(
    hostname: string,
    state?: HeartbeatState,
    record?: Credentials['record'],
  ): Promise<boolean> {
    const data = { hostname, ...(state && { state }), ...(record && { record }) };
    const reply = await this.connection.request('PING', data);
    return expectStatus(reply, ['ALIVE', 'DEAD']) === 'ALIVE';
  }

  /** Everyone with files whose names begin with `prefix`, and, without one, everyone else. */
  async list(prefix = ''): Promise<Map<string, ListedHost>> {
    if (this.version === 2) return this.network.list(prefix);
    return readRegistry(await this.connection.request('LIST'));
  }

  /** In a team session: those with a valid record, as the record calls them. */
  private trusted<T extends { readonly hostname: string }>(
    reply: Record<string, unknown>,
    hosts: readonly T[],
  ): T[] {
    const { trust } = this;
    if (trust === undefined) return [...hosts];
    return hosts.flatMap((host) => {
      const known = trust.verify(host.hostname, recordOf(reply, host.hostname));
      return known === undefined ? [] : [{ ...host, ...known }];
    });
  }

  /** One change of some names: a refusal of the whole is one of each. */
  private async change(
    action: 'PUBLISH' | 'UNPUBLISH',
    data: object,
    names: readonly string[],
  ): Promise<EntryRefusal[]> {
    try {
      const reply = await this.connection.request(action, data);
      expectStatus(reply, ['ACK']);
      return readRefusals(reply, names);
    } catch (error) {
      if (!PeershelfError.is(error, 'TRACKER_REFUSED')) throw error;
      const reason = String(reasonOf(error));
      return names.map((name) => ({ name, reason }));
    }
  }

  private async each<T>(
    items: readonly T[],
    send: (item: T) => Promise<EntryRefusal[]>,
  ): Promise<EntryRefusal[]> {
    return (await Promise.all(items.map(send))).flat();
  }
}

function toDataV1({ hostname, displayName, port, ip, files }: RegistrationData): object {
  return {
    hostname,
    display_name: displayName,
    port,
    ...(ip === '' ? {} : { ip }),
    files_metadata: Object.fromEntries(files.map((file) => [file.name, toMetadata(file)])),
  };
}

function toDataV2(registration: RegistrationData): object {
  const { hostname, displayName, port, ip, instance, files, credentials } = registration;
  return {
    hostname,
    display_name: displayName,
    port,
    ...(ip === '' ? {} : { ip }),
    instance: instance.id,
    counter: instance.counter,
    files: files.map(toEntry),
    ...credentials,
  };
}

function fromRegisterError(error: unknown, hostname: string): unknown {
  const options = { cause: error, details: { hostname } };
  switch (reasonOf(error)) {
    case CONTROL_REASONS.hostnameInUse:
      return new PeershelfError('NAME_TAKEN', `the hostname ${hostname} is in use`, options);
    case CONTROL_REASONS.replaced:
      return replacedError(options);
    default:
      return error;
  }
}

function reasonOf(error: unknown): unknown {
  return PeershelfError.is(error, 'TRACKER_REFUSED') ? error.details['reason'] : undefined;
}
