import type { Socket } from 'node:net';
import type { Clock } from '../common/clock';
import type { Disposable } from '../common/disposable';
import { ADMISSION_DEADLINE_MS, MAX_PENDING_CONNECTIONS } from './limits';

/**
 * Connections to a team's session that have not shown its token yet, TLS handshakes included: bounded
 * in time, and in number. At the limit the oldest makes room for the newest, so that silent ones keep
 * nobody out; an address is never locked out, as a classroom shares one.
 */
export class Admission {
  /** By where they come from, which the socket under TLS and the one above it both know. */
  private readonly pending = new Map<string, { readonly socket: Socket; deadline: Disposable }>();

  constructor(
    private readonly clock: Clock,
    private readonly limit = MAX_PENDING_CONNECTIONS,
  ) {}

  get count(): number {
    return this.pending.size;
  }

  /** @param socket as it was accepted, under any TLS. */
  add(socket: Socket): void {
    const [oldest] = this.pending.keys();
    if (this.pending.size >= this.limit && oldest !== undefined) this.drop(oldest);
    const key = keyOf(socket);
    const deadline = this.clock.after(ADMISSION_DEADLINE_MS, () => this.drop(key));
    this.pending.set(key, { socket, deadline });
    socket.once('close', () => {
      if (this.pending.get(key)?.socket === socket) this.remove(key);
    });
  }

  /** It is a member's. @param socket the one above TLS. */
  admit(socket: Socket): void {
    this.remove(keyOf(socket));
  }

  dropAll(): void {
    for (const key of [...this.pending.keys()]) this.drop(key);
  }

  private drop(key: string): void {
    const socket = this.pending.get(key)?.socket;
    this.remove(key);
    socket?.destroy();
  }

  private remove(key: string): void {
    this.pending.get(key)?.deadline.dispose();
    this.pending.delete(key);
  }
}

function keyOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
