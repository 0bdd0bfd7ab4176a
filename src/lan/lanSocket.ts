import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import type { BlockList } from 'node:net';
import type { Clock } from '../common/clock';
import type { Disposable } from '../common/disposable';
import { describeError, systemCode } from '../common/errors';
import type { Logger } from '../common/logger';
import { TokenBucket } from '../common/tokenBucket';
import { formatHostPort } from '../protocol/address';
import { MAX_ANNOUNCEMENT_BYTES } from '../protocol/limits';
import { neighbourhood } from './ownAddresses';

/** Of multicast DNS (RFC 6762). */
const GROUP = '224.0.0.251';
export const MULTICAST_DNS_PORT = 5_353;
/** As the same RFC has it. */
const HOPS = 255;
/** Packets that wait to be sent; where none leaves, more would be of no use. */
const MAX_WAITING_PACKETS = 64;
/** Packets that are read in a second: a hundred computers that wake at once, and no flood. */
const PACKETS_PER_SECOND = { ratePerSecond: 100, burst: 200 };

/** Where multicast DNS is spoken. Tests have a port of their own, and keep to loopback. */
export interface LanOptions {
  readonly port?: number | undefined;
  /** IPv4 addresses of this machine, one for each network; else those that it has. */
  readonly addresses?: readonly string[] | undefined;
}

export interface LanSocketDependencies {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Of a neighbour: from one of the networks of this machine. Must not throw. */
  readonly onPacket: (bytes: Buffer, from: RemoteInfo) => void;
}

export interface LanSocketOptions {
  readonly port: number;
  /** Addresses of this machine as they are now, one for each network. */
  readonly addresses: () => readonly string[];
  /**
   * Whether it takes what is sent to everyone, at the port that is for that. One that does not has a
   * port of its own, at which it is answered.
   */
  readonly joins: boolean;
}

type SocketState =
  | { readonly kind: 'new' }
  | { readonly kind: 'open'; readonly socket: Socket; readonly bound: Promise<boolean> }
  | { readonly kind: 'closed' };

/**
 * Multicast DNS over IPv4, in all networks of this machine. It never fails in a way that concerns
 * others: where there is no multicast, nothing arrives. Keeps the process alive until it is closed.
 */
export class LanSocket implements Disposable {
  private state: SocketState = { kind: 'new' };
  private readonly joined = new Set<string>();
  private neighbours: BlockList | undefined;
  private readonly bucket: TokenBucket;
  private sending: Promise<void> = Promise.resolve();
  private waiting = 0;

  constructor(
    private readonly dependencies: LanSocketDependencies,
    private readonly options: LanSocketOptions,
  ) {
    this.bucket = new TokenBucket(PACKETS_PER_SECOND, dependencies.clock.monotonic());
  }

  /** Opens it; one opens once. */
  open(): void {
    if (this.state.kind !== 'new') return;
    const socket = createSocket({ type: 'udp4', reuseAddr: this.options.joins });
    const bound = new Promise<boolean>((resolve) => {
      socket.once('listening', () => resolve(true)).once('close', () => resolve(false));
    });
    this.state = { kind: 'open', socket, bound };
    socket.on('message', (bytes, from) => this.receive(bytes, from));
    socket.on('error', (error) => this.fail(error));
    void bound.then((isBound) => {
      if (isBound && this.state.kind === 'open') this.start(socket);
    });
    socket.bind({ port: this.options.joins ? this.options.port : 0 });
  }

  /** Takes networks that came since; says whether there were any. */
  refresh(): boolean {
    if (this.state.kind !== 'open') return false;
    this.neighbours = neighbourhood();
    const addresses = this.options.addresses();
    for (const address of this.joined)
      if (!addresses.includes(address)) this.joined.delete(address);
    const { socket } = this.state;
    const before = this.joined.size;
    for (const address of addresses) if (!this.joined.has(address)) this.join(socket, address);
    return this.joined.size > before;
  }

  /** To everyone, in every network. Resolves when it has left, or cannot. */
  sendToAll(bytes: Buffer): Promise<void> {
    return this.inTurn(async (socket) => {
      // One after the other: the network is a property of the socket.
      for (const address of this.joined) await this.sendIn(socket, address, bytes);
    });
  }

  /** To one that has asked. */
  sendTo({ address, port }: RemoteInfo, bytes: Buffer): Promise<void> {
    return this.inTurn((socket) => this.sendNow(socket, bytes, { host: address, port }));
  }

  dispose(): void {
    const { state } = this;
    this.state = { kind: 'closed' };
    if (state.kind === 'open') state.socket.close();
  }

  private start(socket: Socket): void {
    socket.setMulticastTTL(HOPS);
    socket.setMulticastLoopback(true);
    this.refresh();
  }

  private join(socket: Socket, address: string): void {
    try {
      if (this.options.joins) socket.addMembership(GROUP, address);
    } catch (error) {
      // It has been joined under the address that this machine had there before.
      const isJoined = systemCode(error) === 'EADDRINUSE';
      // Else it is a network without multicast, or one that has just gone.
      if (!isJoined) {
        this.dependencies.logger.debug(`no multicast at ${address}: ${describeError(error)}`);
        return;
      }
    }
    this.joined.add(address);
  }

  private receive(bytes: Buffer, from: RemoteInfo): void {
    const { clock, onPacket } = this.dependencies;
    if (bytes.length > MAX_ANNOUNCEMENT_BYTES || !this.bucket.take(clock.monotonic())) return;
    // Others could be answered to harm whom they name as the sender.
    if (this.neighbours?.check(from.address) === true) onPacket(bytes, from);
  }

  private inTurn(send: (socket: Socket) => Promise<void>): Promise<void> {
    if (this.waiting >= MAX_WAITING_PACKETS || this.state.kind !== 'open') return Promise.resolve();
    const { socket, bound } = this.state;
    this.waiting += 1;
    this.sending = this.sending.then(async () => {
      const isBound = await bound;
      this.waiting -= 1;
      if (isBound) await send(socket);
    });
    return this.sending;
  }

  private sendIn(socket: Socket, address: string, bytes: Buffer): Promise<void> {
    if (this.state.kind !== 'open') return Promise.resolve();
    try {
      socket.setMulticastInterface(address);
    } catch (error) {
      this.joined.delete(address);
      this.tellUnsent(address, error);
      return Promise.resolve();
    }
    return this.sendNow(socket, bytes, { host: GROUP, port: this.options.port });
  }

  private sendNow(
    socket: Socket,
    bytes: Buffer,
    to: { readonly host: string; readonly port: number },
  ): Promise<void> {
    if (this.state.kind !== 'open') return Promise.resolve();
    return new Promise((resolve) => {
      const end = (error: unknown): void => {
        socket.off('close', resolve);
        if (error !== null) this.tellUnsent(formatHostPort(to), error);
        resolve();
      };
      socket.once('close', resolve);
      try {
        socket.send(bytes, to.port, to.host, end);
      } catch (error) {
        // Thrown at once for a port that is none: a neighbour can say that its packet comes from port 0.
        end(error);
      }
    });
  }

  private tellUnsent(where: string, error: unknown): void {
    this.dependencies.logger.debug(`nothing sent to ${where}: ${describeError(error)}`);
  }

  /** As where the port is taken by a program that shares it with nobody. */
  private fail(error: Error): void {
    this.dependencies.logger.debug(`no multicast DNS: ${describeError(error)}`);
    this.dispose();
  }
}
