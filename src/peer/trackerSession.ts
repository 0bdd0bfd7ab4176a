import { join } from 'node:path';
import type { Clock } from '../common/clock';
import { DisposableBase, DisposableSlot } from '../common/disposable';
import { describeError, fromPlainError, PeershelfError, toPlainError } from '../common/errors';
import { Emitter, type Event } from '../common/events';
import type { Logger } from '../common/logger';
import { Turns } from '../common/turns';
import type { HostPort } from '../protocol/address';
import type { ControlEvent } from '../protocol/controlRepliesV2';
import type { SignedText } from '../protocol/signedText';
import { Catalogue, type CatalogueEntry } from './catalogue/catalogue';
import { Announcer } from './control/announcer';
import { ControlLink, type FindTracker, type LinkState } from './control/controlLink';
import type { ReachabilityState } from './control/reachabilityState';
import { Heartbeat, type HeartbeatState } from './control/heartbeat';
import { TrackerClient } from './control/trackerClient';
import type { TrackerConnection } from './control/trackerConnection';
import type { ConnectionState, KnownMember, PeerSettings, PeerSnapshot } from './peerApi';
import type { FormerMembers } from './network/networkModel';
import { Serving } from './serving';
import { hash, keyOf, keyOfTeam, type SessionTarget, toTrackerTarget } from './sessionTarget';
import type { EntryTrust } from './team/entryTrust';
import type { TeamMember } from './team/teamMember';
import { TeamSession } from './team/teamSession';
import type { PeerServer } from './transfer/peerServer';
import type { TransferSecurity } from './transfer/transferSecurity';

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
  private readonly place: Serving;
  private readonly heartbeat = this.register(new DisposableSlot());
  private readonly connectionEmitter = this.register(new Emitter<ConnectionState>());
  private readonly eventEmitter = this.register(new Emitter<ControlEvent>());
  private readonly catalogueEmitter = this.register(new Emitter<void>());
  private readonly epochEmitter = this.register(new Emitter<void>());
  private readonly admissionEmitter = this.register(new Emitter<void>());
  private readonly catalogueSubscription = this.register(new DisposableSlot());
  /** Counts calls of `join` and `leave`: only the last one holds. */
  private wishes = 0;
  /** Of joins and leaves. */
  private readonly turns = new Turns();
  private readonly offers = new Turns();
  /** Why nothing can be offered although there is a connection. */
  private problem: PeershelfError | undefined;
  private currentCatalogue: Catalogue | undefined;
  private currentKey: string | undefined;
  private team: TeamSession | undefined;
  private greeted: Greeted | undefined;
  private currentHeartbeat: Heartbeat | undefined;
  private readonly instanceId: string;
  /**
   * Grows with each connection. A join that was wished for starts it anew with the time, so that the
   * last wish wins, also when this program starts again: nothing needs to be stored for that.
   */
  private connectionCounter = 0;

  /** Whether others reach this peer. */
  readonly reachability: ReachabilityState;
  readonly onDidChangeConnection = this.connectionEmitter.event;
  /** What the tracker says without being asked. */
  readonly onDidReceiveEvent = this.eventEmitter.event;
  /** Transfers under the keys so far must end. */
  readonly onDidEndEpoch: Event<void>;
  /** Transfers with whom `security` refuses now must end. */
  readonly onDidChangeAdmission = this.admissionEmitter.event;
  /** Entries came or went, or the tracker took them. */
  readonly onDidChangeCatalogue = this.catalogueEmitter.event;

  constructor(private readonly dependencies: TrackerSessionDependencies) {
    super();
    const { clock, logger, windowId, findTracker } = dependencies;
    this.place = new Serving(dependencies.server, dependencies.settings);
    this.reachability = this.register(this.place.reachability);
    this.onDidEndEpoch = this.epochEmitter.event;
    this.instanceId = hash(`instance ${windowId}`);
    this.link = this.register(
      new ControlLink({
        ...{ clock, logger, findTracker },
        greet: (connection) => this.greet(connection),
        part: async () => this.greeted?.announcer.sayGoodbye(),
      }),
    );
    this.register(this.link.onDidChange((state) => this.onLinkChanged(state)));
  }

  /** Where others fetch from this peer; undefined before anything is published. */
  get serving(): HostPort | undefined {
    return this.place.current;
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

  /** Secrets of transfers in a team session; undefined in an open one and outside of any. */
  get security(): TransferSecurity | undefined {
    return this.team?.security;
  }

  /** This user in a team session; undefined in an open one and outside of any. */
  get member(): TeamMember | undefined {
    return this.team?.member;
  }

  /** Members of the team that this user knows of, this one included; none in an open session. */
  get members(): readonly KnownMember[] {
    const { team } = this;
    if (team === undefined) return [];
    const own: KnownMember = {
      ...team.member.sealed,
      displayName: this.dependencies.settings().displayName,
      hostnames: [this.hostname],
      seenMs: this.dependencies.clock.now(),
    };
    return [own, ...team.trust.members().filter(({ identity }) => identity !== own.identity)];
  }

  /** Other members that this user has seen, with the names that they had; undefined outside of a team. */
  get formerMembers(): FormerMembers | undefined {
    const { team } = this;
    return (
      team && {
        team: team.member.teamId,
        holders: () =>
          team.trust.members().map(({ identity, displayName, hostnames }) => {
            return { identity, names: [...hostnames, displayName] };
          }),
      }
    );
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
    return team && ((name) => team.sign(this.registeredHostname, name));
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
    const team = target.kind === 'team' ? this.openTeam(target) : undefined;
    const wish = this.newWish();
    return this.turns.run(async () => {
      await this.leaveNow();
      if (wish !== this.wishes) throw new PeershelfError('CANCELLED', 'another wish came later');
      const { clock, logger } = this.dependencies;
      this.connectionCounter = Math.max(this.connectionCounter, Math.floor(clock.now()));
      this.currentKey = keyOf(target);
      const catalogue = new Catalogue(this.catalogueFile(this.currentKey), logger);
      this.catalogueSubscription.set(catalogue.onDidChange(() => this.catalogueEmitter.fire()));
      this.currentCatalogue = catalogue;
      catalogue.load();
      this.team = team;
      await this.link.connect(toTrackerTarget(target));
    });
  }

  /** Number of files that were published in a session of a team before, and are offered once it is joined. */
  countKept(team: string): number {
    const catalogue = new Catalogue(this.catalogueFile(keyOfTeam(team)), this.dependencies.logger);
    catalogue.load();
    const { length } = catalogue.all();
    catalogue.dispose();
    return length;
  }

  /** Says goodbye, disconnects and stops listening. What is published stays stored. */
  leave(): Promise<void> {
    this.newWish();
    return this.turns.run(() => this.leaveNow());
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
    return this.offers.run(() => this.offerNow());
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
      this.place.forget();
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

  private async leaveNow(): Promise<void> {
    await this.link.disconnect();
    await this.endSession(new PeershelfError('SESSION_CHANGED', 'the session was left'));
  }

  /** Stops what goes on without a connection, too. */
  private async endSession(reason: PeershelfError): Promise<void> {
    if (this.currentKey !== undefined) this.dependencies.onLeave(reason);
    await this.dependencies.server.stop();
    this.place.forget();
    this.problem = undefined;
    this.catalogueSubscription.set(undefined);
    this.currentCatalogue?.dispose();
    this.currentCatalogue = undefined;
    this.currentKey = undefined;
    this.team?.dispose();
    this.team = undefined;
    this.catalogueEmitter.fire();
  }

  /** @throws what is wrong with the invite, while the session so far goes on. */
  private openTeam(target: Extract<SessionTarget, { kind: 'team' }>): TeamSession {
    const { clock, logger, onIdentityChanged, sharedFolder } = this.dependencies;
    const { member, isReturning } = target;
    const key = keyOf(target);
    const catalogue = (): Catalogue | undefined => this.currentCatalogue;
    const team = new TeamSession({
      ...{ clock, logger, onIdentityChanged, sharedFolder, member, key, catalogue },
    });
    team.checkInvite(isReturning);
    team.onDidEndEpoch(() => this.onEpochEnded(team));
    team.onDidChangeAdmission(() => this.onAdmissionChanged(team));
    return team;
  }

  /** Ends what was served and fetched with the keys so far, and looks for those of the next epoch. */
  private onEpochEnded(team: TeamSession): void {
    if (team !== this.team) return;
    const { logger, server } = this.dependencies;
    this.epochEmitter.fire();
    void server.stop();
    this.refreshStatement().catch((error: unknown) => {
      logger.info(`the statement of the team: ${describeError(error)}`);
    });
  }

  /** Ends what is served to and fetched from whom this peer refuses now. */
  private onAdmissionChanged(team: TeamSession): void {
    if (team !== this.team) return;
    this.dependencies.server.endRefused();
    this.admissionEmitter.fire();
  }

  /** Asks the tracker for its statement, and brings it a later one. */
  private async refreshStatement(): Promise<void> {
    const { team, greeted } = this;
    const { state } = this.link;
    if (team === undefined || greeted === undefined || state.kind !== 'connected') return;
    const { exporter } = state.connection;
    if (exporter === undefined) return;
    await team.enter({ exporter, request: (request) => greeted.client.statement(request) });
  }

  private onTrackerEvent({ name }: ControlEvent): void {
    // Neither is signed: the first only pauses, the second only asks.
    if (name === 'rotated') this.team?.pause();
    if (name !== 'statement') return;
    this.refreshStatement().catch((error: unknown) => {
      this.dependencies.logger.info(`the statement of the team: ${describeError(error)}`);
    });
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
    connection.onDidReceiveEvent((event) => this.onTrackerEvent(event));
    connection.onDidReceiveEvent((event) => this.eventEmitter.fire(event));
    const announcer = new Announcer(client, {
      clock,
      logger,
      files: () => this.currentCatalogue?.all() ?? [],
      identity: settings,
      presence: this.dependencies.presence,
      instance: { id: this.instanceId, counter: (this.connectionCounter += 1) },
      listen: () => this.place.open(connection.localAddress),
      ...(team === undefined || exporter === undefined
        ? {}
        : {
            credentials: (claim) => team.member.credentials(claim, exporter),
            signatures: team.signatures,
          }),
    });
    this.greeted = { client, announcer };
    if (team !== undefined && exporter !== undefined)
      await team.enter({ exporter, request: (request) => client.statement(request) });
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

  private onLinkChanged(state: LinkState): void {
    if (state.kind === 'connected') this.startHeartbeat();
    else {
      this.heartbeat.set(undefined);
      this.currentHeartbeat = undefined;
      this.greeted = undefined;
      this.reachability.setPort(undefined);
    }
    // The greeting announced the entries, or a lost connection made them pending.
    this.catalogueEmitter.fire();
    // Replaced: whoever has taken this peer's place serves its files now.
    if (state.kind === 'disconnected' && state.error !== undefined) {
      const reason = fromPlainError(state.error);
      void this.turns.run(async () => {
        if (this.link.state.kind === 'disconnected') await this.endSession(reason);
      });
    }
    this.connectionEmitter.fire(this.connection);
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
    this.team?.confirm();
    if (isKnown || greeted.announcer.hostname === undefined) return;
    this.dependencies.logger.info('the tracker has forgotten this peer: registering again');
    greeted.announcer.forget();
    await this.announce();
  }
}

function isConnectionFailure(error: unknown): boolean {
  return PeershelfError.is(error, 'TRACKER_UNREACHABLE') || PeershelfError.is(error, 'TIMED_OUT');
}
