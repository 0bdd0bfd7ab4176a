/** Both ends of a connection, as sockets of TCP and of TLS have them. */
interface Connected {
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
  readonly localAddress?: string | undefined;
  readonly localPort?: number | undefined;
  once(event: 'close', listener: () => void): unknown;
}

/**
 * Finds the accepted socket below a secured one, which is all that a TLS server tells of. Both have the
 * same ends. Remote address and port alone are not enough: one source port can reach several local
 * addresses at the same time.
 */
export class AcceptedSockets<T> {
  private readonly byEnds = new Map<string, { readonly socket: Connected; readonly value: T }>();

  /** @param socket open; its value is forgotten when it is closed. */
  add(socket: Connected, value: T): void {
    const ends = endsOf(socket);
    // A system has one connection between two ends: another socket of the same ends is dead already.
    this.byEnds.set(ends, { socket, value });
    socket.once('close', () => {
      if (this.byEnds.get(ends)?.socket === socket) this.byEnds.delete(ends);
    });
  }

  /** The value of the socket below `secured`; undefined once that is closed. */
  below(secured: Connected): T | undefined {
    return this.byEnds.get(endsOf(secured))?.value;
  }
}

function endsOf({ remoteAddress, remotePort, localAddress, localPort }: Connected): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}
