import type { Socket } from 'node:net';
import { sourceNetwork } from './sourceNetwork';

/** Number of connections from each address. */
export class ConnectionCounts {
  private readonly counts = new Map<string, number>();

  of({ remoteAddress }: Socket): number {
    return this.counts.get(sourceNetwork(remoteAddress)) ?? 0;
  }

  /** Counts an open connection until it is closed. */
  add(socket: Socket): void {
    const network = sourceNetwork(socket.remoteAddress);
    this.change(network, 1);
    socket.once('close', () => this.change(network, -1));
  }

  private change(network: string, by: number): void {
    const count = (this.counts.get(network) ?? 0) + by;
    if (count === 0) this.counts.delete(network);
    else this.counts.set(network, count);
  }
}
