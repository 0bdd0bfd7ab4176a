import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { type Clock, delay } from '../common/clock';
import { DisposableBase, DisposableSlot } from '../common/disposable';
import { describeError, fromPlainError, PeershelfError, toPlainError } from '../common/errors';
import { Emitter } from '../common/events';
import type { Logger } from '../common/logger';
import { formatHostPort, type HostPort, isLoopback, unmapIpv4 } from '../protocol/address';
import type { ControlEvent } from '../protocol/controlRepliesV2';
import type { SignedText } from '../protocol/signedText';
import { Catalogue, type CatalogueEntry } from './catalogue/catalogue';
import { Announcer, type AnnouncementSignatures } from './control/announcer';
import {
  ControlLink,
  type FindTracker,
  type LinkState,
  type TrackerTarget,
} from './control/controlLink';
import { ReachabilityState } from './control/reachabilityState';
import { Heartbeat, type HeartbeatState } from './control/heartbeat';
import { TrackerClient } from './control/trackerClient';
import type { TrackerConnection } from './control/trackerConnection';
import type { ConnectionState, PeerSettings, PeerSnapshot } from './peerApi';
import { EntrySigner } from './team/entrySigner';
import { EntryTrust } from './team/entryTrust';
import { HostTrust } from './team/hostTrust';
import type { TeamMember } from './team/teamMember';
import { ALL_ADDRESSES, type PeerServer } from './transfer/peerServer';

/** Time for the tracker to take our goodbye. */
const GOODBYE_DEADLINE_MS = 1_000;

/** Which session to join: an open one at an address, or that of a team. */
export type SessionTarget =
  | { readonly kind: 'open'; readonly tracker: HostPort }
  | { readonly kind: 'team'; readonly member: TeamMember };

export interface TrackerSessionDependencies {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Folder of this window for what outlives it; undefined: nothing does. */
  readonly folder: string | undefined;
  /** Folder of this user, for what all windows share. */
  readonly sharedFolder: string;
  /** Tells this window from others, also when its engine starts again. */
  readonly windowId: string;
  /** Whether this peer registers before it has published anything. */
  readonly presence: boolean;
  readonly server: PeerServer;
  readonly settings: () => PeerSettings;
  readonly heartbeatState: () => HeartbeatState;
  /** This peer leaves its session, which is known still. */
  readonly onLeave: (reason: PeershelfError) => void;
  /** In a team session a hostname came with another identity than before. */
  readonly onIdentityChanged: (hostname: string) => void;
  /** Where else a team's tracker may be; without it only where the invite says. */
  readonly findTracker?: FindTracker | undefined;
}

/** What makes a session a team's. */
interface TeamSession {
  readonly member: TeamMember;
  readonly trust: HostTrust;
  readonly entries: EntryTrust;
  readonly signer: EntrySigner;
}

/** What belongs to one connection and ends with it. */
interface Greeted {
  readonly client: TrackerClient;
  readonly announcer: Announcer;
}

/**
 * Membership of one session at a time: the catalogue that belongs to it, the control connection
 * with its heartbeat, and what the tracker has been told.
 */
export class TrackerSession extends DisposableBase {
  private readonly link: ControlLink;
  private readonly heartbeat = this.register(new DisposableSlot());
  private readonly connectionEmitter = this.register(new Emitter<ConnectionState>());
  private readonly eventEmitter = this.register(new Emitter<ControlEvent>());
  private readonly catalogueEmitter = this.register(new Emitter<void>());
  private readonly catalogueSubscription = this.register(new DisposableSlot());
  /** Counts calls of `join` and `leave`: only the last one holds. */
  private wishes = 0;
  private lastTurn: Promise<void> = Promise.resolve();
  private lastOffer: Promise<void> = Promise.resolve();
  /** Why nothing can be offered although there is a connection. */
  private problem: PeershelfError | undefined;
  private currentCatalogue: Catalogue | undefined;
  private currentKey: string | undefined;
  private team: TeamSession | undefined;
  private greeted: Greeted | undefined;
  private currentServing: HostPort | undefined;
  private currentHeartbeat: Heartbeat | undefined;
  private readonly instanceId: string;
  /**
   * Grows with each connection. A join that was wished for starts it anew with the time, so that the
   * last wish wins, also when this program starts again: nothing needs to be stored for that.
   */
  private connectionCounter = 0;

  /** Whether others reach this peer. */
  readonly reachability = this.register(new ReachabilityState());
  readonly onDidChangeConnection = this.connectionEmitter.event;
  /** What the tracker says without being asked. */
  readonly onDidReceiveEvent = this.eventEmitter.event;
  /** Entries came or went, or the tracker took them. */
  readonly onDidChangeCatalogue = this.catalogueEmitter.event;

  constructor(private readonly dependencies: TrackerSessionDependencies) {
    super();
    const { clock, logger, windowId, findTracker } = dependencies;
    this.instanceId = hash(`instance ${windowId}`);
    this.link = this.register(
      new ControlLink({
        ...{ clock, logger, findTracker },
        greet: (connection) => this.greet(connection),
        part: () => this.sayGoodbye(),
      }),
    );
    this.register(this.link.onDidChange((state) => this.onLinkChanged(state)));
  }

  /** Where others fetch from this peer; undefined before anything is published. */
  get serving(): HostPort | undefined {
    return this.currentServing;
  }

  get connection(): ConnectionState {
    const { state } = this.link;
    if (state.kind === 'disconnected') return state;
    const session = this.team === undefined ? {} : { team: this.team.member.sessionName };
    if (state.kind !== 'connected') return { ...state, ...session };
    const { kind, tracker } = state;
    const problem = this.problem === undefined ? {} : { problem: toPlainError(this.problem) };
    return { kind, tracker, hostname: this.hostname, ...problem, ...session };
  }

  /** What of a snapshot is this session's. */
  get state(): Pick<PeerSnapshot, 'connection' | 'serving' | 'reachability'> {
    const { connection, serving } = this;
    return { connection, serving, reachability: this.reachability.current };
  }

  /** The team whose session this is; undefined in an open one and outside of any. */
  get member(): TeamMember | undefined {
    return this.team?.member;
  }

  /** What hosts have really said of their names; undefined in an open session and outside of any. */
  get entryTrust(): EntryTrust | undefined {
    return this.team?.entries;
  }

  /**
   * Gives what this peer says of a name now, signed: that it is published or withdrawn; undefined while
   * it has no hostname, and for names of which it does not know anything. Only in a team session.
   */
  get signatures(): ((name: string) => SignedText | undefined) | undefined {
    const { team } = this;
    return team && ((name) => this.sign(team, name));
  }

  /** The same for the same session in another run, and no secret; undefined outside of any. */
  get key(): string | undefined {
    return this.currentKey;
  }

  /** The name under which this peer is, or else would be, registered. */
  get hostname(): string {
    return this.greeted?.announcer.hostname ?? this.dependencies.settings().hostname;
  }

  /** The hostname under which the tracker knows this peer now. */
  get registeredHostname(): string | undefined {
    return this.greeted?.announcer.hostname;
  }

  /** What is offered in this session; undefined outside of any. */
  get catalogue(): Catalogue | undefined {
    return this.currentCatalogue;
  }

  /** The tracker, or undefined while there is no connection. */
  get client(): TrackerClient | undefined {
    return this.link.state.kind === 'connected' ? this.greeted?.client : undefined;
  }

  isAnnounced(entry: CatalogueEntry): boolean {
    return this.greeted?.announcer.has(entry) ?? false;
  }

  /**
   * Joins a session, after leaving the one before. Joins and leaves run one after the
   * other, and only the last one called holds.
   * @throws what the first attempt failed with (attempts go on), or CANCELLED.
   */
  join(target: SessionTarget): Promise<void> {
    const wish = this.newWish();
    return this.inTurn(async () => {
      await this.leaveNow();
      if (wish !== this.wishes) throw new PeershelfError('CANCELLED', 'another wish came later');
      const { clock, logger } = this.dependencies;
      this.connectionCounter = Math.max(this.connectionCounter, Math.floor(clock.now()));
      this.currentKey = keyOf(target);
      const catalogue = new Catalogue(this.catalogueFile(this.currentKey), logger);
      this.catalogueSubscription.set(catalogue.onDidChange(() => this.catalogueEmitter.fire()));
      this.currentCatalogue = catalogue;
      catalogue.load();
      this.team = target.kind === 'open' ? undefined : this.openTeam(target.member);
      await this.link.connect(toTrackerTarget(target));
    });
  }

  /** Says goodbye, disconnects and stops listening. What is published stays stored. */
  leave(): Promise<void> {
    this.newWish();
    return this.inTurn(() => this.leaveNow());
  }

  /**
   * Tells the tracker what changed in the catalogue; without a connection that waits for the next.
   * @throws PORT_IN_USE, NO_FREE_PORT when nothing can be served.
   */
  async announce(): Promise<void> {
    try {
      await this.greeted?.announcer.sync();
      this.setProblem(undefined);
    } catch (error) {
      if (PeershelfError.is(error, 'REPLACED')) this.link.giveWay(error);
      if (!isConnectionFailure(error)) throw error;
      this.dependencies.logger.info(`announcing waits for a connection: ${describeError(error)}`);
    } finally {
      this.currentHeartbeat?.update();
      this.catalogueEmitter.fire();
    }
  }

  /** Why the tracker of this connection does not take a file. */
  refusalOf(entry: CatalogueEntry): PeershelfError | undefined {
    return this.greeted?.announcer.refusalOf(entry);
  }

  /** Registers anew if the hostname or the display name has changed, and the peer is registered. */
  async registerAgain(): Promise<void> {
    await this.announce();
    this.connectionEmitter.fire(this.connection);
  }

  /**
   * Offers what is published on the ports, and under the address, that are wished for now. Where that is
   * not possible, the connection says why, as after a greeting.
   */
  offerAnew(): Promise<void> {
    this.lastOffer = this.lastOffer.then(() => this.offerNow());
    return this.lastOffer;
  }

  private async offerNow(): Promise<void> {
    const announcer = this.greeted?.announcer;
    announcer?.forget();
    try {
      await this.announce();
    } catch (error) {
      const { logger } = this.dependencies;
      logger.warn(`nothing is offered: ${describeError(error)}`);
      this.setProblem(PeershelfError.from(error));
      await announcer?.withdraw().catch((failure: unknown) => {
        logger.info(`taking back what is offered: ${describeError(failure)}`);
      });
      this.currentServing = undefined;
      this.reachability.setPort(undefined);
      this.catalogueEmitter.fire();
    }
    this.connectionEmitter.fire(this.connection);
  }

  /** The state of the peer changed: the next heartbeat may be due sooner. */
  updateHeartbeat(): void {
    this.currentHeartbeat?.update();
  }

  private setProblem(problem: PeershelfError | undefined): void {
    if (problem === this.problem) return;
    this.problem = problem;
    this.connectionEmitter.fire(this.connection);
  }

  /** Ends the wait of a join that is under way: it would be left again at once. */
  private newWish(): number {
    this.wishes += 1;
    this.link.abandonAttempt();
    return this.wishes;
  }

  private inTurn(task: () => Promise<void>): Promise<void> {
    const turn = this.lastTurn.then(task);
    // Who called hears of a failure; who comes next must not.
    this.lastTurn = turn.catch(() => undefined);
    return turn;
  }

  private async leaveNow(): Promise<void> {
    await this.link.disconnect();
    await this.endSession(new PeershelfError('SESSION_CHANGED', 'the session was left'));
  }

  /** Stops what goes on without a connection, too. */
  private async endSession(reason: PeershelfError): Promise<void> {
    if (this.currentKey !== undefined) this.dependencies.onLeave(reason);
    await this.dependencies.server.stop();
    this.currentServing = undefined;
    this.reachability.setPort(undefined);
    this.problem = undefined;
    this.catalogueSubscription.set(undefined);
    this.currentCatalogue?.dispose();
    this.currentCatalogue = undefined;
    this.currentKey = undefined;
    this.team?.trust.dispose();
    this.team?.entries.dispose();
    this.team = undefined;
    this.catalogueEmitter.fire();
  }

  private openTeam(member: TeamMember): TeamSession {
    const { clock, logger, onIdentityChanged, sharedFolder } = this.dependencies;
    const { teamId } = member;
    const session = `${hash(`team ${teamId}`)}.json`;
    const pinsFile = join(sharedFolder, `identities-${session}`);
    const trust = new HostTrust({ clock, logger, member, pinsFile, onIdentityChanged });
    return {
      member,
      trust,
      entries: new EntryTrust({
        ...{ clock, logger, teamId },
        keyOf: (hostname) => trust.keyOf(hostname),
        file: join(sharedFolder, `entries-${session}`),
      }),
      signer: new EntrySigner(member, clock),
    };
  }

  /** One file per session: joining another session offers nothing of this one. */
  private catalogueFile(key: string): string | undefined {
    const { folder } = this.dependencies;
    return folder === undefined ? undefined : join(folder, `catalogue-${key}.json`);
  }

  private async greet(connection: TrackerConnection): Promise<void> {
    const { team } = this;
    const client = new TrackerClient(connection, team?.trust);
    connection.onDidReceiveEvent((event) => this.reachability.take(event));
    const { clock, logger, settings } = this.dependencies;
    const { exporter } = connection;
    connection.onDidReceiveEvent((event) => this.eventEmitter.fire(event));
    const announcer = new Announcer(client, {
      clock,
      logger,
      files: () => this.currentCatalogue?.all() ?? [],
      identity: settings,
      presence: this.dependencies.presence,
      instance: { id: this.instanceId, counter: (this.connectionCounter += 1) },
      listen: () => this.listen(connection.localAddress),
      ...(team === undefined || exporter === undefined
        ? {}
        : {
            credentials: (claim) => team.member.credentials(claim, exporter),
            signatures: this.signaturesOf(team),
          }),
    });
    this.greeted = { client, announcer };
    // Whoever answers here is a tracker, and has a place for this peer.
    if ((await client.hello(team?.member.token())) === 1) await client.ping(settings().hostname);
    try {
      await announcer.sync();
      this.problem = undefined;
    } catch (error) {
      if (isConnectionFailure(error) || PeershelfError.is(error, 'REPLACED')) throw error;
      // Looking and fetching work all the same; the files stay "waiting", with the reason.
      logger.warn(`nothing is offered: ${describeError(error)}`);
      this.problem = PeershelfError.from(error);
    }
  }

  private sign(team: TeamSession, name: string): SignedText | undefined {
    const { registeredHostname: hostname } = this;
    if (hostname === undefined) return undefined;
    const entry = this.currentCatalogue?.get(name);
    if (entry !== undefined) return team.signer.published(hostname, entry);
    return this.signaturesOf(team).withdrawn(hostname, name);
  }

  private signaturesOf({ signer }: TeamSession): AnnouncementSignatures {
    return {
      published: (hostname, file) => signer.published(hostname, file),
      withdrawn: (hostname, name) => {
        const entry = this.currentCatalogue?.withdrawn(name);
        return entry && signer.withdrawn(hostname, entry);
      },
    };
  }

  /** Takes this peer back from the tracker; a tracker that does not answer forgets it in time. */
  private async sayGoodbye(): Promise<void> {
    const { clock, logger } = this.dependencies;
    const goodbye = this.greeted?.announcer.goodbye().catch((error: unknown) => {
      logger.debug(`goodbye: ${describeError(error)}`);
    });
    await Promise.race([goodbye, delay(clock, GOODBYE_DEADLINE_MS)]);
  }

  /** Opens the listening socket: to this machine only when the tracker is on it, too. */
  private async listen(localAddress: string): Promise<{ port: number; ip: string }> {
    const { server, settings } = this.dependencies;
    const { ports, advertiseAddress, listenHost } = settings();
    if (localAddress === '')
      throw new PeershelfError('TRACKER_UNREACHABLE', 'the connection is gone');
    // An address to advertise says that others come from elsewhere, through a tunnel for example.
    const isLocal =
      isLoopback(localAddress) && (advertiseAddress === '' || isLoopback(advertiseAddress));
    const ownAddress = unmapIpv4(localAddress);
    const host = listenHost || (isLocal ? ownAddress : ALL_ADDRESSES);
    const port = await server.ensureListening(host, ports);
    // With none, the tracker takes the address from which it sees this connection come.
    const ip = advertiseAddress || (host === ALL_ADDRESSES ? '' : host);
    this.currentServing = { host: ip || ownAddress, port };
    this.reachability.setPort(port);
    return { port, ip };
  }

  private onLinkChanged(state: LinkState): void {
    if (state.kind === 'connected') this.startHeartbeat();
    else {
      this.heartbeat.set(undefined);
      this.currentHeartbeat = undefined;
      this.greeted = undefined;
      this.reachability.setPort(undefined);
      this.catalogueEmitter.fire();
    }
    // Replaced: whoever has taken this peer's place serves its files now.
    if (state.kind === 'disconnected' && state.error !== undefined) {
      const reason = fromPlainError(state.error);
      void this.inTurn(() => this.endIfReplaced(reason));
    }
    this.connectionEmitter.fire(this.connection);
  }

  private async endIfReplaced(reason: PeershelfError): Promise<void> {
    if (this.link.state.kind === 'disconnected') await this.endSession(reason);
  }

  private startHeartbeat(): void {
    const { clock, logger, heartbeatState } = this.dependencies;
    const heartbeat = new Heartbeat({
      clock,
      state: heartbeatState,
      intervals: () => this.greeted?.announcer.heartbeatIntervals,
      ping: (state) => this.ping(state),
      onError: (error) => logger.debug(`heartbeat: ${describeError(error)}`),
    });
    this.heartbeat.set(heartbeat);
    this.currentHeartbeat = heartbeat;
    heartbeat.start();
  }

  private async ping(state: HeartbeatState): Promise<void> {
    const { greeted } = this;
    if (greeted === undefined) return;
    const { registeredHostname: hostname, instanceId: instance } = this;
    const { displayName } = this.dependencies.settings();
    // Renewed with each heartbeat: others believe no record that is old.
    const record = hostname && this.team?.member.record({ hostname, displayName, instance });
    const isKnown = await greeted.client.ping(this.hostname, state, record || undefined);
    if (isKnown || greeted.announcer.hostname === undefined) return;
    this.dependencies.logger.info('the tracker has forgotten this peer: registering again');
    greeted.announcer.forget();
    await this.announce();
  }
}

function toTrackerTarget(target: SessionTarget): TrackerTarget {
  if (target.kind === 'open') return { addresses: [target.tracker] };
  const { addresses, trackerFingerprint: fingerprint } = target.member;
  return { addresses, fingerprint };
}

function keyOf(target: SessionTarget): string {
  return hash(
    target.kind === 'open'
      ? `open ${formatHostPort(target.tracker)}`
      : `team ${target.member.teamId}`,
  );
}

/** 32 hexadecimal digits: enough to be the only one, short enough for a file name. */
function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}

function isConnectionFailure(error: unknown): boolean {
  return PeershelfError.is(error, 'TRACKER_UNREACHABLE') || PeershelfError.is(error, 'TIMED_OUT');
}
