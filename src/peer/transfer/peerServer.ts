import { createServer, type Server, type Socket } from 'node:net';
import type { Clock } from '../../common/clock';
import { deferred } from '../../common/deferred';
import { describeError, PeershelfError, systemCode } from '../../common/errors';
import type { Logger } from '../../common/logger';
import {
  MAX_TRANSFER_CONNECTIONS,
  MAX_TRANSFER_CONNECTIONS_PER_ADDRESS,
  MAX_UPLOADS_PER_ADDRESS,
  MAX_WAITING_REQUESTS,
  REQUEST_DEADLINE_MS,
} from '../../protocol/limits';
import type { PortRange } from '../peerApi';
import { listenInRange } from './listen';
import { RateLimiter } from './rateLimiter';
import { type ConnectionLimits, Connections } from './serve/connections';
import { FairQueue } from './serve/fairQueue';
import { conversationOf, readFirstLine } from './serve/firstLine';
import { HttpService } from './serve/httpService';
import type { Offer, ServingContext } from './serve/servingContext';
import { Uploads } from './serve/uploads';
import { serveVersionOne } from './serve/versionOne';
import type { TransferList } from './transferList';
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
 * The listening side of transfers. One port speaks version 1, one `GET name` per connection, and
 * version 2, which is HTTP: the first line of a connection decides.
 */
export class PeerServer {
  private server: Server | undefined;
  private host = '';
  private lastPort: number | undefined;
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
      uploads: new Uploads(transfers),
      blocks: new UploadBlocks(),
      queue: new FairQueue({
        limit: () => options.maxUploads,
        limitPerKey: MAX_UPLOADS_PER_ADDRESS,
        maxWaiting: MAX_WAITING_REQUESTS,
      }),
      limiter: new RateLimiter(clock, () => options.maxUploadBytesPerSecond ?? 0),
      slowReaderMs: options.slowReaderMs ?? SLOW_READER_MS,
    };
    this.http = new HttpService(this.context, this.connections);
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
   * Listens on an address of this machine, if it does not yet; resolves to the port.
   * @throws PORT_IN_USE, NO_FREE_PORT.
   */
  async ensureListening(host: string, ports: PortRange): Promise<number> {
    if (this.port !== undefined && this.host === host) return this.port;
    await this.stop();
    this.lastPort = await this.start(host, ports);
    this.host = host;
    return this.lastPort;
  }

  /** Ends the running uploads of these names: unpublished means not served, at once. */
  cancelUploadsOf(names: ReadonlySet<string>): void {
    this.context.uploads.cancelOf(names);
  }

  /** Closes the listening socket and every connection. May be called twice. */
  async stop(): Promise<void> {
    const { server } = this;
    this.server = undefined;
    if (server === undefined) return;
    const closed = deferred<undefined>();
    server.close(() => closed.resolve(undefined));
    this.connections.destroyAll();
    await closed.promise;
  }

  private async start(host: string, ports: PortRange): Promise<number> {
    // Half-open: a fetcher may close its side after the request and still wait for the answer.
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) =>
      this.accept(socket),
    );
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
    this.serve(socket).catch((error: unknown) => {
      logger.info(`upload ended: ${PeershelfError.from(error).message}`);
      socket.destroy();
    });
  }

  private async serve(socket: Socket): Promise<void> {
    const { clock } = this.dependencies;
    const startMs = clock.monotonic();
    const deadlineMs = REQUEST_DEADLINE_MS;
    const { line, bytes } = await readFirstLine(socket, { clock, deadlineMs });
    this.connections.setQuiet(socket, false);
    switch (conversationOf(line)) {
      case 'version 1':
        return serveVersionOne(socket, line, this.context);
      case 'http':
        this.http.adopt(socket, bytes, deadlineMs - (clock.monotonic() - startMs));
        return;
      case 'refused':
        socket.destroy();
    }
  }
}
