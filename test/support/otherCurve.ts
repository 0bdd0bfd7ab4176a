import 'reflect-metadata'; // What the library below is built on asks for it.
import { webcrypto } from 'node:crypto';
import { X509CertificateGenerator } from '@peculiar/x509';
import { fingerprintOf } from '../../src/protocol/certificate';

/** A certificate like ours with a key of another curve. */
export async function makeP384(): Promise<{ cert: string; key: string; fingerprint: string }> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-384', hash: 'SHA-384' } as const;
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const certificate = await X509CertificateGenerator.createSelfSigned(
    { name: 'CN=peershelf', keys, signingAlgorithm: algorithm },
    webcrypto,
  );
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey));
  return {
    cert: certificate.toString('pem'),
    key: `-----BEGIN PRIVATE KEY-----\n${pkcs8.toString('base64')}\n-----END PRIVATE KEY-----\n`,
    fingerprint: fingerprintOf(new Uint8Array(certificate.rawData)),
  };
}
