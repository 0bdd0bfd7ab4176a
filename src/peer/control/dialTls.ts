import { connect, type TLSSocket } from 'node:tls';
import { PeershelfError } from '../../common/errors';
import { formatHostPort } from '../../protocol/address';
import { anonymousTlsOptions, fingerprintOf } from '../../protocol/certificate';
import { dial, type DialRequest, established } from './dial';

/**
 * Opens a TLS connection to a tracker. Nothing is sent before its certificate is known to be the pinned
 * one.
 * @throws as `dial`, and TRACKER_IDENTITY_MISMATCH.
 */
export async function dialTls(request: DialRequest, fingerprint: string): Promise<TLSSocket> {
  const socket = await dial(request);
  // The pin decides: no authority has signed these certificates, and they name no host.
  const tls = connect({ ...anonymousTlsOptions(), socket, rejectUnauthorized: false });
  return established(tls, 'secureConnect', {
    ...request,
    check: () => {
      const certificate = tls.getPeerX509Certificate();
      if (certificate !== undefined && fingerprintOf(certificate) === fingerprint) return;
      const address = formatHostPort(request.options);
      throw new PeershelfError('TRACKER_IDENTITY_MISMATCH', `${address} is another tracker`, {
        details: { address },
      });
    },
  });
}
