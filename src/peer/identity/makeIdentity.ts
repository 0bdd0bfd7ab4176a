import 'reflect-metadata'; // What the library below is built on asks for it.
import { webcrypto } from 'node:crypto';
import { X509CertificateGenerator } from '@peculiar/x509';
import type { StoredIdentity } from './identity';

const KEY_ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

/** All identities have the same: it is the certificate's fingerprint that says whose it is. */
const SUBJECT = 'CN=peershelf';

/** Nobody looks at the dates; some programs that show certificates want them to be in order. */
const YEARS_VALID = 100;

/** A new key and its self-signed certificate. A bundle of its own, loaded only when one is made. */
export async function makeIdentity(now: Date): Promise<StoredIdentity> {
  const keys = await webcrypto.subtle.generateKey(KEY_ALGORITHM, true, ['sign', 'verify']);
  const notAfter = new Date(now);
  notAfter.setUTCFullYear(now.getUTCFullYear() + YEARS_VALID);
  const certificate = await X509CertificateGenerator.createSelfSigned(
    { name: SUBJECT, keys, notBefore: now, notAfter, signingAlgorithm: KEY_ALGORITHM },
    webcrypto,
  );
  const privateKey = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
  return {
    certificate: Buffer.from(certificate.rawData).toString('base64'),
    privateKey: Buffer.from(privateKey).toString('base64'),
  };
}
