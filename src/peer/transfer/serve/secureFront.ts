import { constants } from 'node:crypto';
import type { Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import { AcceptedSockets } from '../../../common/acceptedSockets';
import { type Deferred, deferred } from '../../../common/deferred';
import { PeershelfError } from '../../../common/errors';
import { tlsOptionsOf } from '../../../protocol/certificate';
import type { TransferSecurity } from '../transferSecurity';

/**
 * TLS of a port in a team session, on sockets that somebody else has accepted and bounds. Which
 * certificate a client shows is looked at with its first request.
 */
export class SecureFront {
  private readonly server: Server;
  private readonly handshakes = new AcceptedSockets<Deferred<TLSSocket>>();

  constructor(readonly security: TransferSecurity) {
    const options = tlsOptionsOf(security.identity);
    this.server = createServer({
      ...options,
      ca: options.cert, // Without one it would load all authorities of the web.
      requestCert: true,
      rejectUnauthorized: false, // Nobody has signed these certificates.
      // A resumed connection would not show its certificates again.
      secureOptions: constants.SSL_OP_NO_TICKET,
    });
    this.server.on('secureConnection', (socket) => {
      const handshake = this.handshakes.below(socket);
      if (handshake === undefined) socket.on('error', () => undefined).destroy();
      else handshake.resolve(socket);
    });
    this.server.on('tlsClientError', (_error, socket) => socket.destroy());
  }

  /**
   * Waits for as long as `socket` is open: who accepted it has a deadline.
   * @throws CONNECTION_LOST when it is closed before the handshake has ended, whoever does that.
   */
  shakeHands(socket: Socket): Promise<TLSSocket> {
    const handshake = deferred<TLSSocket>();
    this.handshakes.add(socket, handshake);
    socket.once('close', () =>
      handshake.reject(new PeershelfError('CONNECTION_LOST', 'no handshake')),
    );
    this.server.emit('connection', socket);
    return handshake.promise;
  }
}
