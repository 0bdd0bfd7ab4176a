import { constants, type KeyObject, randomBytes } from 'node:crypto';
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { AcceptedSockets } from '../common/acceptedSockets';
import { type Clock, every } from '../common/clock';
import type { Disposable } from '../common/disposable';
import { describeError, type ErrorCode, PeershelfError, systemCode } from '../common/errors';
import type { Logger } from '../common/logger';
import { SharedBudget } from '../common/sharedBudget';
import { formatHostPort, type HostPort, unmapIpv4 } from '../protocol/address';
import { type OwnIdentity, tlsOptionsOf } from '../protocol/certificate';
import { CONTROL_REASONS } from '../protocol/controlReasons';
import type { VerifiedStatement } from '../protocol/statement';
import { Admission } from './admission';
import { ConnectionCounts } from './connectionCounts';
import { DialBack } from './dialBack';
import { HostnameBindings } from './hostnameBindings';
import {
  ADMISSION_DEADLINE_MS,
  CLOSE_DEADLINE_MS,
  DEFAULT_TRACKER_LIMITS,
  MAX_PENDING_CONNECTIONS,
  MAX_REFUSALS,
  SWEEP_INTERVAL_MS,
  type TrackerLimits,
} from './limits';
import { Membership } from './membership';
import { MemoryRegistry } from './memoryRegistry';
import type { Registry } from './registry';
import { errorReply } from './replies';
import { ControlSession, type SessionBudgets } from './session';
import { TeamState } from './teamState';

export interface TrackerDependencies {
  readonly clock: Clock;
  readonly logger: Logger;
  /** A registry in memory when none is given. */
  readonly registry?: Registry;
}

/** What makes a session a team's. The tracker gets no more of the team than this. */
export interface TrackerTeam {
  /** The tracker's own, which members know by the invite. */
  readonly identity: OwnIdentity;
  /** Public root key of the team. */
  readonly root: KeyObject;
  /** A statement of the team; the tracker goes on from the newest that it knows. */
  readonly statement: VerifiedStatement;
  /** By which it is announced in the network, if it is. */
  readonly sessionName?: string | undefined;
  /** Where it is kept whose hostnames are; without it that ends with the tracker. */
  readonly bindingsFile?: string;
  /** File that keeps the newest statement and its envelopes; without it they end with the tracker. */
  readonly statementFile?: string;
}

export interface TrackerOptions {
  /** The address to listen on. */
  readonly host: string;
  /** 0 lets the system choose a free port. */
  readonly port: number;
  /** Undefined: an open session, without encryption and authentication. */
  readonly team?: TrackerTeam | undefined;
  /** Limits that differ from the defaults. */
  readonly limits?: Partial<TrackerLimits>;
}

type TrackerState =
  | { readonly kind: 'new' }
  | { readonly kind: 'started'; readonly server: Server; readonly listening: Promise<HostPort> }
  | { readonly kind: 'stopped'; readonly done: Promise<void> };

/**
 * Knows who is online and what each host offers, and answers over control connections.
 * It never sees file contents.
 */
export class Tracker {
  private readonly sessions = new Set<ControlSession>();
  private readonly refusals = new Set<Socket>();
  private readonly limits: TrackerLimits;
  private readonly registry: Registry;
  private readonly admission: Admission;
  private readonly dialBack: DialBack;
  private readonly budgets: SessionBudgets;
  private readonly ofNetwork = new ConnectionCounts();
  private readonly bindings: HostnameBindings | undefined;
  private readonly teamState: TeamState | undefined;
  /** Hash of the token that admitted connections have shown. */
  private tokenHash: string | undefined;
  /** Part of every connection's id, so that several trackers can share a registry. */
  private readonly id = randomBytes(6).toString('hex');
  private connectionsSoFar = 0;
  /** Connections that have shown the token of the team. */
  private memberCount = 0;
  private sweeper: Disposable | undefined;
  private state: TrackerState = { kind: 'new' };

  constructor(
    private readonly dependencies: TrackerDependencies,
    private readonly options: TrackerOptions,
  ) {
    this.limits = { ...DEFAULT_TRACKER_LIMITS, ...options.limits };
    const { clock, logger } = dependencies;
    this.registry = dependencies.registry ?? new MemoryRegistry(clock, this.limits);
    this.admission = new Admission(clock);
    this.dialBack = new DialBack(clock);
    this.budgets = {
      input: new SharedBudget(this.limits.maxInputBytes),
      output: new SharedBudget(this.limits.maxOutputBytes),
    };
    const { team } = options;
    this.teamState =
      team &&
      new TeamState({ logger, root: team.root, initial: team.statement, file: team.statementFile });
    this.tokenHash = this.teamState?.current.statement.tokenHash;
    this.bindings = team && new HostnameBindings({ clock, logger, file: team.bindingsFile });
  }

  /** Connections that have not shown the token of the team yet. */
  get pendingCount(): number {
    return this.admission.count;
  }

  /** Open control connections. */
  get connectionCount(): number {
    return this.sessions.size;
  }

  /**
   * Listens, and resolves to the address. A tracker starts once.
   * @throws PORT_IN_USE, INVALID_ADDRESS for an address that this computer does not have,
   * INVALID_ARGUMENT for a port that this user may not open, ALREADY_RUNNING.
   */
  start(): Promise<HostPort> {
    if (this.state.kind !== 'new')
      return Promise.reject(new PeershelfError('ALREADY_RUNNING', 'a tracker starts only once'));
    const server = this.createServer();
    server.maxConnections = this.limits.maxConnections + MAX_REFUSALS + MAX_PENDING_CONNECTIONS;
    const listening = this.listen(server);
    this.state = { kind: 'started', server, listening };
    return listening;
  }

  /** Stops listening, lets every client have its last reply for a second, then ends them all. */
  stop(): Promise<void> {
    if (this.state.kind === 'stopped') return this.state.done;
    const done = this.state.kind === 'new' ? Promise.resolve() : this.close(this.state);
    this.state = { kind: 'stopped', done };
    return done;
  }

  /** A connection has brought a newer statement. */
  private onStatement(): void {
    const tokenHash = this.teamState?.current.statement.tokenHash;
    const isNewToken = tokenHash !== this.tokenHash;
    this.tokenHash = tokenHash;
    for (const session of this.sessions) session.onStatement(isNewToken);
  }

  private createServer(): Server {
    // Half-open: a client that closes its side after its last request still gets the replies.
    const allowHalfOpen = true;
    const { team } = this.options;
    if (team === undefined) return createServer({ allowHalfOpen }, (socket) => this.accept(socket));
    const server = createTlsServer({
      ...tlsOptionsOf(team.identity),
      allowHalfOpen,
      handshakeTimeout: ADMISSION_DEADLINE_MS,
      // Every connection shows its certificate: none is resumed.
      secureOptions: constants.SSL_OP_NO_TICKET,
    });
    const { bindings, admission, teamState: state } = this;
    const accepted = new AcceptedSockets<Socket>();
    server.on('connection', (socket: Socket) => {
      accepted.add(socket, socket);
      admission.add(socket);
    });
    server.on('tlsClientError', (error) =>
      this.dependencies.logger.debug(`no TLS: ${error.message}`),
    );
    server.on('secureConnection', (socket) => {
      const below = accepted.below(socket);
      // The connection is gone, or going.
      if (bindings === undefined || state === undefined || below === undefined) {
        socket.on('error', () => undefined);
        socket.destroy();
        return;
      }
      const onAdmitted = (): void => {
        admission.admit(below);
        this.memberCount += 1;
        socket.once('close', () => (this.memberCount -= 1));
        this.ofNetwork.add(socket);
      };
      // Behind the reply to the connection that has brought it.
      const onStatement = (): void => queueMicrotask(() => this.onStatement());
      this.accept(socket, new Membership({ socket, state, bindings, onAdmitted, onStatement }));
    });
    return server;
  }

  private async listen(server: Server): Promise<HostPort> {
    const { host, port } = this.options;
    const { clock, logger } = this.dependencies;
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) => reject(fromListenError(error, { host, port })));
      server.listen({ host, port }, resolve);
    });
    server.on('error', (error) => logger.error(describeError(error)));
    if (this.state.kind === 'started')
      this.sweeper = every(clock, SWEEP_INTERVAL_MS, () => void this.sweep());
    const address = server.address();
    if (address === null || typeof address === 'string')
      throw new PeershelfError('CANCELLED', 'the tracker was stopped while it started');
    logger.debug(`listening on ${formatHostPort({ host: address.address, port: address.port })}`);
    return { host: address.address, port: address.port };
  }

  private async close(state: Extract<TrackerState, { kind: 'started' }>): Promise<void> {
    const { server, listening } = state;
    // A failed start has been reported by start() and leaves nothing to close.
    const started = await listening.then(
      () => true,
      () => false,
    );
    this.sweeper?.dispose();
    if (!started) return;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const socket of this.refusals) socket.destroy();
    this.admission.dropAll();
    this.dialBack.dispose();
    for (const session of this.sessions) session.close();
    await Promise.all([...this.sessions].map((session) => session.closed));
    await closed;
    this.bindings?.flush();
    this.dependencies.logger.info('stopped');
  }

  private accept(socket: Socket, membership?: Membership): void {
    const { remoteAddress } = socket;
    // Without an address the connection has gone already; after stop() it came too late.
    if (remoteAddress === undefined || this.state.kind !== 'started') {
      socket.on('error', () => undefined);
      socket.destroy();
      return;
    }
    // Those without the token are bounded by themselves: they take no member's place.
    const taken = membership === undefined ? this.sessions.size : this.memberCount;
    const { maxConnections, maxConnectionsPerAddress } = this.limits;
    const ofNetwork = this.ofNetwork.of(socket);
    if (taken >= maxConnections || ofNetwork >= maxConnectionsPerAddress) {
      this.refuse(socket);
      return;
    }
    if (membership === undefined) this.ofNetwork.add(socket);
    const owner = {
      id: `${this.id}-${++this.connectionsSoFar}`,
      address: unmapIpv4(remoteAddress),
    };
    const { clock, logger } = this.dependencies;
    const { registry, limits, dialBack, budgets } = this;
    const dependencies = { clock, logger, registry, limits, membership, dialBack, budgets };
    const session = new ControlSession(socket, owner, dependencies);
    this.sessions.add(session);
    void session.closed.then(() => this.sessions.delete(session));
  }

  /** One ERROR line and the end, for a connection too many. */
  private refuse(socket: Socket): void {
    const deadline = this.dependencies.clock.after(CLOSE_DEADLINE_MS, () => socket.destroy());
    this.refusals.add(socket);
    socket.on('error', () => undefined); // It is on its way out; 'close' follows.
    socket.once('close', () => {
      deadline.dispose();
      this.refusals.delete(socket);
    });
    // Reading on: closing over unread input would reset the connection and lose the reason.
    socket.resume();
    socket.end(errorReply(CONTROL_REASONS.tooManyConnections), 'latin1');
  }

  private async sweep(): Promise<void> {
    const { clock, logger } = this.dependencies;
    try {
      const expired = await this.registry.expire();
      if (expired > 0) logger.info(`removed ${expired} silent hosts`);
      const nowMs = clock.monotonic();
      await Promise.all([...this.sessions].map((session) => session.closeIfIdle(nowMs)));
    } catch (error) {
      logger.error(describeError(error));
    }
  }
}

const LISTEN_ERRORS: Readonly<Record<string, (text: string) => [ErrorCode, string]>> = {
  EADDRINUSE: (text) => ['PORT_IN_USE', `${text} is in use`],
  EACCES: (text) => ['INVALID_ARGUMENT', `this user may not listen on ${text}`],
  EADDRNOTAVAIL: (text) => ['INVALID_ADDRESS', `this computer has no address ${text}`],
  EINVAL: (text) => ['INVALID_ADDRESS', `this computer cannot listen on ${text}`],
  ENOTFOUND: (text) => ['INVALID_ADDRESS', `the name in ${text} has no address`],
};

function fromListenError(cause: unknown, address: HostPort): PeershelfError {
  const known = LISTEN_ERRORS[systemCode(cause) ?? ''];
  if (known === undefined) return PeershelfError.from(cause);
  const [code, message] = known(formatHostPort(address));
  return new PeershelfError(code, message, {
    cause,
    details: { host: address.host, port: address.port },
  });
}
