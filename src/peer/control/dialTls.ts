import type { Socket } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import { onAbort } from '../../common/abort';
import type { Clock } from '../../common/clock';
import { PeershelfError } from '../../common/errors';
import { anonymousTlsOptions, fingerprintOf } from '../../protocol/certificate';

export interface SecureRequest {
  /** Of the one certificate that is taken. */
  readonly fingerprint: string;
  /** For errors. */
  readonly address: string;
  readonly deadlineMs: number;
  readonly clock: Clock;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Speaks TLS to a tracker over an open connection. Nothing is sent before its certificate is known to
 * be the pinned one. The socket is destroyed when that fails.
 * @throws TRACKER_IDENTITY_MISMATCH, TRACKER_UNREACHABLE when there is no TLS, CANCELLED.
 */
export function secure(socket: Socket, request: SecureRequest): Promise<TLSSocket> {
  const { fingerprint, address, deadlineMs, clock, signal } = request;
  return new Promise((resolve, reject) => {
    // The pin decides: no authority has signed these certificates, and they name no host.
    const tls = connect({ ...anonymousTlsOptions(), socket, rejectUnauthorized: false });
    const fail = (error: PeershelfError): void => {
      settle();
      tls.on('error', () => undefined); // What follows has the same cause.
      tls.destroy();
      socket.destroy();
      reject(error);
    };
    const unreachable = (cause: unknown): void =>
      fail(
        new PeershelfError('TRACKER_UNREACHABLE', `${address} does not speak TLS`, {
          cause,
          details: { address },
        }),
      );
    const onClose = (): void => unreachable('closed during the handshake');
    const onSecure = (): void => {
      const certificate = tls.getPeerX509Certificate();
      if (certificate === undefined || fingerprintOf(certificate.raw) !== fingerprint) {
        fail(
          new PeershelfError('TRACKER_IDENTITY_MISMATCH', `${address} is another tracker`, {
            details: { address },
          }),
        );
        return;
      }
      settle();
      resolve(tls);
    };
    const deadline = clock.after(deadlineMs, () => unreachable(`no TLS within ${deadlineMs} ms`));
    const abort = onAbort(signal, () => fail(new PeershelfError('CANCELLED', 'cancelled')));
    const settle = (): void => {
      deadline.dispose();
      abort.dispose();
      tls.off('error', unreachable).off('close', onClose).off('secureConnect', onSecure);
    };
    tls.once('error', unreachable).once('close', onClose).once('secureConnect', onSecure);
  });
}
