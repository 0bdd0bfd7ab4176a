import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { unmapIpv4 } from '../../../protocol/address';
import { fingerprintOf } from '../../../protocol/certificate';

export interface ConnectionLimits {
  readonly total: number;
  readonly perAddress: number;
}

interface Connection {
  readonly address: string;
  /** Has nothing to do at the moment: gives its place to one that may have. */
  isQuiet: boolean;
}

/**
 * All open connections of a port, bounded. At a limit, the connection that has been quiet for the
 * longest makes room: silent connections keep nobody out.
 */
export class Connections {
  /** Those that became quiet first come first among the quiet ones. */
  private readonly open = new Map<Socket, Connection>();

  constructor(private readonly limits: ConnectionLimits) {}

  get count(): number {
    return this.open.size;
  }

  /** Takes a new connection, which is quiet at first; false when there is no room for it. */
  admit(socket: Socket): boolean {
    const address = addressOf(socket);
    const ofAddress = [...this.open].filter(([, other]) => other.address === address);
    if (ofAddress.length >= this.limits.perAddress && !this.makeRoom(ofAddress)) return false;
    if (this.open.size >= this.limits.total && !this.makeRoom([...this.open])) return false;
    this.open.set(socket, { address, isQuiet: true });
    socket.once('close', () => this.open.delete(socket));
    return true;
  }

  setQuiet(socket: Socket, isQuiet: boolean): void {
    const connection = this.open.get(socket);
    if (connection === undefined || connection.isQuiet === isQuiet) return;
    connection.isQuiet = isQuiet;
    this.open.delete(socket);
    this.open.set(socket, connection);
  }

  destroyAll(): void {
    for (const socket of this.open.keys()) socket.destroy();
  }

  private makeRoom(among: readonly (readonly [Socket, Connection])[]): boolean {
    const quiet = among.find(([, { isQuiet }]) => isQuiet)?.[0];
    if (quiet === undefined) return false;
    this.open.delete(quiet);
    quiet.destroy();
    return true;
  }
}

/** Who is sent something. */
export interface Recipient {
  readonly address: string;
  /** Of the certificate, in the session of a team; who has it has proven to be a member. */
  readonly fingerprint?: string | undefined;
}

export function recipientOf(socket: Socket): Recipient {
  const address = addressOf(socket);
  const certificate = socket instanceof TLSSocket ? socket.getPeerX509Certificate() : undefined;
  return certificate === undefined
    ? { address }
    : { address, fingerprint: fingerprintOf(certificate) };
}

/** Where a connection comes from: who it is counted for. */
export function addressOf(socket: Socket): string {
  return unmapIpv4(socket.remoteAddress ?? '');
}
