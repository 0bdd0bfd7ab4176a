import type { Socket } from 'node:net';
import type { Clock } from '../common/clock';
import type { Disposable } from '../common/disposable';
import { ADMISSION_DEADLINE_MS, MAX_PENDING_CONNECTIONS } from './limits';
import { sourceNetwork } from './sourceNetwork';

/**
 * Connections to a team's session that have not shown its token yet, TLS handshakes included: bounded
 * in time, and in number. At the limit, the oldest one of the address with most of them makes room: silent
 * ones keep nobody out, least of all somebody at another address. No address is locked out, as a
 * classroom shares one.
 */
export class Admission {
  private readonly pending = new Map<Socket, { network: string; deadline: Disposable }>();
  /** The one that is there longest comes first. */
  private readonly ofNetwork = new Map<string, Set<Socket>>();

  constructor(
    private readonly clock: Clock,
    private readonly limit = MAX_PENDING_CONNECTIONS,
  ) {}

  get count(): number {
    return this.pending.size;
  }

  /** @param socket as it was accepted, under any TLS. */
  add(socket: Socket): void {
    if (this.pending.size >= this.limit) this.makeRoom();
    const network = sourceNetwork(socket.remoteAddress);
    const deadline = this.clock.after(ADMISSION_DEADLINE_MS, () => this.drop(socket));
    this.pending.set(socket, { network, deadline });
    const others = this.ofNetwork.get(network);
    if (others === undefined) this.ofNetwork.set(network, new Set([socket]));
    else others.add(socket);
    socket.once('close', () => this.remove(socket));
  }

  /** The connection is a member's. @param socket the one that was added. */
  admit(socket: Socket): void {
    this.remove(socket);
  }

  dropAll(): void {
    for (const socket of [...this.pending.keys()]) this.drop(socket);
  }

  private makeRoom(): void {
    let most: Set<Socket> | undefined;
    for (const sockets of this.ofNetwork.values())
      if (sockets.size > (most?.size ?? 0)) most = sockets;
    const [oldest] = most ?? [];
    if (oldest !== undefined) this.drop(oldest);
  }

  private drop(socket: Socket): void {
    this.remove(socket);
    socket.destroy();
  }

  private remove(socket: Socket): void {
    const entry = this.pending.get(socket);
    if (entry === undefined) return;
    entry.deadline.dispose();
    this.pending.delete(socket);
    const others = this.ofNetwork.get(entry.network);
    others?.delete(socket);
    if (others?.size === 0) this.ofNetwork.delete(entry.network);
  }
}
