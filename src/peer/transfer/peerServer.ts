import { createServer, type Server, type Socket } from 'node:net';
import { deferred } from '../../common/deferred';
import type { Clock } from '../../common/clock';
import { describeError, PeershelfError, systemCode } from '../../common/errors';
import type { Logger } from '../../common/logger';
import { unmapIpv4 } from '../../protocol/address';
import { LineDecoder } from '../../protocol/lineDecoder';
import { MAX_TRANSFER_LINE_BYTES } from '../../protocol/limits';
import {
  encodeLength,
  encodeTransferError,
  parseGet,
  type TransferError,
} from '../../protocol/transferV1';
import type { CatalogueEntry } from '../catalogue/catalogue';
import type { PortRange } from '../peerApi';
import { listenInRange } from './listen';
import { PublishedSource } from './publishedSource';
import type { TransferHandle, TransferList } from './transferList';
import { upload } from './upload';

/** Open connections, those that have not asked for anything included. */
const MAX_CONNECTIONS = 512;
/** Time for a fetcher to send its request line. */
const REQUEST_DEADLINE_MS = 10_000;
/** A reader that takes nothing for this long is given up. */
const SLOW_READER_MS = 30_000;
/** Time for a fetcher to close after the last byte. */
const LINGER_MS = 10_000;

/** A machine with IPv6 switched off answers one of these. */
const HAS_NO_IPV6: ReadonlySet<string> = new Set(['EAFNOSUPPORT', 'EADDRNOTAVAIL']);

/** Listens on all addresses of the machine, IPv6 and IPv4. */
export const ALL_ADDRESSES = '::';

export interface PeerServerDependencies {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly transfers: TransferList;
  /** The entry of a currently published name. Nothing else is ever served. */
  readonly find: (name: string) => CatalogueEntry | undefined;
  /** The file behind a published name turned out to be gone or different. */
  readonly onSeen: (entry: CatalogueEntry) => void;
}

export interface PeerServerOptions {
  /** Uploads at the same time; 0 is no limit. */
  maxUploads: number;
  /** For tests of slow readers. */
  readonly slowReaderMs?: number;
}

/** The listening side of version 1 transfers: answers one `GET name` per connection. */
export class PeerServer {
  private server: Server | undefined;
  private host = '';
  private lastPort: number | undefined;
  private readonly sockets = new Set<Socket>();
  /** Handles of running uploads by published name. */
  private readonly uploads = new Map<TransferHandle, string>();

  constructor(
    private readonly dependencies: PeerServerDependencies,
    readonly options: PeerServerOptions,
  ) {}

  /** The port, while listening. */
  get port(): number | undefined {
    const address = this.server?.address();
    return typeof address === 'object' && address !== null ? address.port : undefined;
  }

  uploadsOf(name: string): number {
    return [...this.uploads.values()].filter((other) => other === name).length;
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

  private async start(host: string, ports: PortRange): Promise<number> {
    // Half-open: a fetcher may close its side after the request and still wait for the answer.
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) =>
      this.accept(socket),
    );
    server.maxConnections = MAX_CONNECTIONS;
    const port = await this.listen(server, host, ports);
    server.on('error', (error) => this.dependencies.logger.warn(describeError(error)));
    server.unref();
    this.server = server;
    this.dependencies.logger.info(`serving on ${host} port ${port}`);
    return port;
  }

  /** Ends the running uploads of these names: unpublished means not served, at once. */
  cancelUploadsOf(names: ReadonlySet<string>): void {
    for (const [handle, name] of this.uploads)
      if (names.has(name)) this.dependencies.transfers.cancel(handle.id);
  }

  /** Closes the listening socket and every connection. May be called twice. */
  async stop(): Promise<void> {
    const { server } = this;
    this.server = undefined;
    if (server === undefined) return;
    const closed = deferred<undefined>();
    server.close(() => closed.resolve(undefined));
    for (const socket of this.sockets) socket.destroy();
    await closed.promise;
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
    this.sockets.add(socket);
    socket.on('close', () => this.sockets.delete(socket));
    socket.on('error', (error) => logger.debug(`transfer connection: ${error.message}`));
    this.serve(socket).catch((error: unknown) => {
      logger.info(`upload ended: ${PeershelfError.from(error).message}`);
      socket.destroy();
    });
  }

  private async serve(socket: Socket): Promise<void> {
    const name = parseGet(await this.readRequestLine(socket));
    socket.resume(); // Further input is dropped: closing over unread input would cut the answer off.
    const entry = name === undefined ? undefined : this.dependencies.find(name);
    const { maxUploads } = this.options;
    if (entry === undefined) await this.refuse(socket, 'notfound');
    else if (maxUploads > 0 && this.uploads.size >= maxUploads)
      await this.refuse(socket, 'interrupted');
    else await this.send(socket, entry);
  }

  private async send(socket: Socket, entry: CatalogueEntry): Promise<void> {
    const source = this.open(entry);
    if (!(source instanceof PublishedSource)) return this.refuse(socket, source);
    const { clock, transfers } = this.dependencies;
    const handle = transfers.start({
      direction: 'upload',
      name: entry.name,
      peer: unmapIpv4(socket.remoteAddress ?? ''),
      totalBytes: source.sizeBytes,
    });
    this.uploads.set(handle, entry.name);
    try {
      socket.write(encodeLength(source.sizeBytes));
      await upload(socket, source, {
        clock,
        signal: handle.signal,
        stallMs: this.options.slowReaderMs ?? SLOW_READER_MS,
        onBytes: (bytes) => handle.setBytes(bytes),
      });
      handle.finish();
    } catch (error) {
      handle.finish(error);
      throw error;
    } finally {
      source.close();
      this.uploads.delete(handle);
    }
    await this.finish(socket);
  }

  private open(entry: CatalogueEntry): PublishedSource | TransferError {
    const { logger, onSeen } = this.dependencies;
    try {
      return PublishedSource.open(entry);
    } catch (error) {
      logger.warn(`${entry.name}: ${describeError(error)}`);
      return PeershelfError.is(error, 'FILE_GONE') ? 'filenotfound' : 'readerror';
    } finally {
      onSeen(entry);
    }
  }

  private async refuse(socket: Socket, error: TransferError): Promise<void> {
    socket.write(encodeTransferError(error));
    await this.finish(socket);
  }

  /** Closes gently, and for good when the other side does not. */
  private async finish(socket: Socket): Promise<void> {
    if (socket.destroyed) return;
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    const deadline = this.dependencies.clock.after(LINGER_MS, () => socket.destroy());
    socket.end();
    await closed;
    deadline.dispose();
  }

  private readRequestLine(socket: Socket): Promise<Buffer> {
    const decoder = new LineDecoder({
      maxLineBytes: MAX_TRANSFER_LINE_BYTES,
      maxBufferBytes: MAX_TRANSFER_LINE_BYTES + 64 * 1024,
    });
    const line = deferred<Buffer>();
    const deadline = this.dependencies.clock.after(REQUEST_DEADLINE_MS, () =>
      line.reject(new PeershelfError('TIMED_OUT', 'no request line in time')),
    );
    const onEnd = (): void =>
      line.reject(new PeershelfError('CONNECTION_LOST', 'closed without a request'));
    const onData = (chunk: Buffer): void => {
      try {
        decoder.push(chunk);
        const found = decoder.next();
        if (found !== undefined) line.resolve(found);
      } catch (error) {
        line.reject(error);
      }
    };
    socket.on('data', onData).once('end', onEnd).once('close', onEnd);
    return line.promise.finally(() => {
      deadline.dispose();
      socket.off('data', onData).off('end', onEnd).off('close', onEnd);
    });
  }
}
