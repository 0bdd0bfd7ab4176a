import { createServer, type Server, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Clock } from '../../common/clock';
import { deferred } from '../../common/deferred';
import { describeError, PeershelfError, systemCode } from '../../common/errors';
import type { Logger } from '../../common/logger';
import { SharedBudget } from '../../common/sharedBudget';
import {
  MAX_OUTSIDER_STATEMENT_BYTES,
  MAX_TRANSFER_CONNECTIONS,
  MAX_TRANSFER_CONNECTIONS_PER_ADDRESS,
  MAX_UNFINISHED_INPUT_BYTES,
  MAX_UPLOADS_PER_ADDRESS,
  MAX_WAITING_REQUESTS,
  REQUEST_DEADLINE_MS,
} from '../../protocol/limits';
import type { PortRange } from '../peerApi';
import { listenInRange } from './listen';
import { RateLimiter } from './rateLimiter';
import { type ConnectionLimits, Connections, type Recipient } from './serve/connections';
import { FairQueue } from './serve/fairQueue';
import { conversationOf, readFirstLine } from './serve/firstLine';
import { HttpService } from './serve/httpService';
import { MembershipGate } from './serve/membershipGate';
import { SecureFront } from './serve/secureFront';
import { respondWithStatement } from './serve/statementResponse';
import type { Offer, ServingContext } from './serve/servingContext';
import { Uploads } from './serve/uploads';
import { serveVersionOne } from './serve/versionOne';
import type { TransferList } from './transferList';
import { isSameSecurity, type SecuritySource } from './transferSecurity';
import { UploadBlocks } from './uploadBlocks';

/** A reader that takes nothing for this long is given up. */
const SLOW_READER_MS = 30_000;

/** A machine with IPv6 switched off answers one of these. */
const HAS_NO_IPV6: ReadonlySet<string> = new Set(['EAFNOSUPPORT', 'EADDRNOTAVAIL']);

/** Listens on all addresses of the machine, IPv6 and IPv4. */
export const ALL_ADDRESSES = '::';

export interface PeerServerDependencies extends Offer {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly transfers: TransferList;
  /** What users call who is sent something; undefined where that is not known. */
  readonly nameOf: (recipient: Recipient) => string | undefined;
  /** Asked when it starts to listen: decides what the port speaks. */
  readonly security: SecuritySource;
}

export interface PeerServerOptions {
  /** Uploads at the same time; 0 is no limit. */
  maxUploads: number;
  /** All uploads together; 0, as when it is left out, is no limit. */
  maxUploadBytesPerSecond?: number;
  /** For tests of slow readers. */
  readonly slowReaderMs?: number;
  /** For tests that open many connections from one address. */
  readonly connectionLimits?: Partial<ConnectionLimits>;
}

/**
 * The listening side of transfers. In an open session the port speaks version 1, one `GET name` per
 * connection, and version 2, which is HTTP: the first line of a connection decides. In a team session
 * it speaks version 2 inside TLS and nothing else.
 */
export class PeerServer {
  private server: Server | undefined;
  private host = '';
  private lastPort: number | undefined;
  /** While listening in a team session. */
  private front: SecureFront | undefined;
  /** Of the connections in a team session. */
  private readonly gates = new Map<Socket, MembershipGate>();
  /** Of statements that outsiders bring. */
  private readonly outsiders = new SharedBudget(MAX_OUTSIDER_STATEMENT_BYTES);
  private readonly context: ServingContext;
  private readonly connections: Connections;
  private readonly http: HttpService;

  constructor(
    private readonly dependencies: PeerServerDependencies,
    readonly options: PeerServerOptions,
  ) {
    const { clock, logger, transfers } = dependencies;
    this.connections = new Connections({
      total: MAX_TRANSFER_CONNECTIONS,
      perAddress: MAX_TRANSFER_CONNECTIONS_PER_ADDRESS,
      ...options.connectionLimits,
    });
    this.context = {
      clock,
      logger,
      offer: dependencies,
      uploads: new Uploads(transfers, clock, dependencies.nameOf),
      blocks: new UploadBlocks(),
      input: new SharedBudget(MAX_UNFINISHED_INPUT_BYTES),
      queue: new FairQueue({
        limit: () => options.maxUploads,
        limitPerKey: MAX_UPLOADS_PER_ADDRESS,
        maxWaiting: MAX_WAITING_REQUESTS,
      }),
      limiter: new RateLimiter(clock, () => options.maxUploadBytesPerSecond ?? 0),
      slowReaderMs: options.slowReaderMs ?? SLOW_READER_MS,
    };
    this.http = new HttpService(this.context);
  }

  /** The port, while listening. */
  get port(): number | undefined {
    const address = this.server?.address();
    return typeof address === 'object' && address !== null ? address.port : undefined;
  }

  uploadsOf(name: string): number {
    return this.context.uploads.countOf(name);
  }

  /**
   * Listens on an address of this machine, on one of these ports, in the kind of session that there is
   * now, if it does not yet; resolves to the port. To come to another one ends what runs.
   * @throws PORT_IN_USE, NO_FREE_PORT.
   */
  async ensureListening(host: string, ports: PortRange): Promise<number> {
    const security = this.dependencies.security();
    const isAsWished = this.host === host && isSameSecurity(this.front?.security, security);
    const { port } = this;
    if (port !== undefined && isAsWished && isAmong(port, ports)) return port;
    await this.stop();
    this.front = security && new SecureFront(security);
    this.lastPort = await this.start(host, ports);
    this.host = host;
    return this.lastPort;
  }

  /** Ends the running uploads of these names: unpublished means not served, at once. */
  cancelUploadsOf(names: ReadonlySet<string>): void {
    this.context.uploads.cancelOf(names);
  }

  /** Ends what is sent to members who are refused now: who asks for nothing new is not asked about. */
  endRefused(): void {
    for (const [socket, gate] of this.gates) if (gate.isRefused) socket.destroy();
  }

  /** Closes the listening socket and every connection. May be called twice. */
  async stop(): Promise<void> {
    const { server } = this;
    this.server = undefined;
    if (server === undefined) return;
    // Nobody else has ended them.
    this.context.uploads.cancelAll();
    const closed = deferred<undefined>();
    server.close(() => closed.resolve(undefined));
    this.connections.destroyAll();
    await closed.promise;
  }

  private async start(host: string, ports: PortRange): Promise<number> {
    // Half-open: a fetcher may close its side after the request and still wait for the answer. With
    // TLS, none of ours does.
    const allowHalfOpen = this.front === undefined;
    const server = createServer({ allowHalfOpen, noDelay: true }, (socket) => this.accept(socket));
    const port = await this.listen(server, host, ports);
    server.on('error', (error) => this.dependencies.logger.warn(describeError(error)));
    server.unref();
    this.server = server;
    this.dependencies.logger.info(`serving on ${host} port ${port}`);
    return port;
  }

  private async listen(server: Server, host: string, ports: PortRange): Promise<number> {
    try {
      return await listenInRange(server, host, ports, this.lastPort);
    } catch (error) {
      if (host !== ALL_ADDRESSES || !HAS_NO_IPV6.has(systemCode(error) ?? '')) throw error;
      return listenInRange(server, '0.0.0.0', ports, this.lastPort);
    }
  }

  private accept(socket: Socket): void {
    const { logger } = this.dependencies;
    socket.on('error', (error) => logger.debug(`transfer connection: ${error.message}`));
    if (this.server === undefined || !this.connections.admit(socket)) {
      socket.destroy();
      return;
    }
    const served = this.front === undefined ? this.serve(socket) : this.secure(socket, this.front);
    served.catch((error: unknown) => {
      logger.info(`upload ended: ${PeershelfError.from(error).message}`);
      socket.destroy();
    });
  }

  private async serve(socket: Socket): Promise<void> {
    const { clock, input } = this.context;
    const startMs = clock.monotonic();
    const deadlineMs = REQUEST_DEADLINE_MS;
    const { line, bytes } = await readFirstLine(socket, { clock, deadlineMs, input });
    this.connections.setQuiet(socket, false);
    switch (conversationOf(line)) {
      case 'version 1':
        return serveVersionOne(socket, line, this.context);
      case 'http':
        this.http.adopt(socket, {
          bytes,
          firstHeadMs: deadlineMs - (clock.monotonic() - startMs),
          setQuiet: (isQuiet) => this.connections.setQuiet(socket, isQuiet),
        });
        return;
      case 'refused':
        socket.destroy();
    }
  }

  /** One deadline holds for the handshake and the first request's head together. */
  private async secure(socket: Socket, front: SecureFront): Promise<void> {
    const { clock } = this.dependencies;
    const startMs = clock.monotonic();
    const deadline = clock.after(REQUEST_DEADLINE_MS, () => socket.destroy());
    const secured = await front.shakeHands(socket).finally(() => deadline.dispose());
    this.adoptSecured(socket, secured, {
      front,
      firstHeadMs: REQUEST_DEADLINE_MS - (clock.monotonic() - startMs),
    });
  }

  private adoptSecured(
    socket: Socket,
    secured: TLSSocket,
    { front, firstHeadMs }: { readonly front: SecureFront; readonly firstHeadMs: number },
  ): void {
    const { logger } = this.dependencies;
    const { clock, input } = this.context;
    const { statements } = front.security;
    secured.on('error', (error: Error) => logger.debug(`transfer connection: ${error.message}`));
    const setQuiet = (isQuiet: boolean): void => this.connections.setQuiet(socket, isQuiet);
    const gate = new MembershipGate(secured, front.security, () => setQuiet(false));
    this.gates.set(socket, gate);
    socket.once('close', () => this.gates.delete(socket));
    this.http.adopt(secured, {
      firstHeadMs,
      // Whatever a stranger does, it makes room for others.
      setQuiet: (isQuiet) => setQuiet(isQuiet || !gate.isOpen),
      refusalOf: (request) => gate.refusalOf(request),
      exchangeStatements:
        statements &&
        ((exchange) =>
          respondWithStatement(exchange, statements, {
            ...{ clock, input, outsiders: this.outsiders },
            isProven: gate.isProvenBy(exchange.request),
          })),
    });
  }
}

/** Any port is what a system would choose. */
function isAmong(port: number, { first, last }: PortRange): boolean {
  return last === 0 || (port >= first && port <= last);
}
