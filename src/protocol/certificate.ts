import { createHash, type KeyObject, X509Certificate } from 'node:crypto';
import { MAX_CERTIFICATE_BYTES } from './limits';

/** Who somebody is: the one with the private key of this certificate. Its dates and names say nothing. */
export interface Identity {
  /** SHA-256 of the certificate's DER, 64 lower-case hexadecimal digits. */
  readonly fingerprint: string;
  /** Of P-256. */
  readonly publicKey: KeyObject;
}

const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/u;

export function fingerprintOf(certificate: Uint8Array): string {
  return createHash('sha256').update(certificate).digest('hex');
}

/** @returns undefined for what is no certificate in base64 of DER, or has another kind of key. */
export function readIdentity(certificate: string): Identity | undefined {
  if (certificate.length > MAX_CERTIFICATE_BYTES * 2 || !BASE64.test(certificate)) return undefined;
  const der = Buffer.from(certificate, 'base64');
  if (der.length > MAX_CERTIFICATE_BYTES) return undefined;
  try {
    const { raw, publicKey } = new X509Certificate(der);
    // Bytes behind the certificate would give one key many fingerprints.
    if (!raw.equals(der) || !isP256(publicKey)) return undefined;
    return { fingerprint: fingerprintOf(der), publicKey };
  } catch {
    return undefined;
  }
}

function isP256({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): boolean {
  return asymmetricKeyType === 'ec' && asymmetricKeyDetails?.namedCurve === 'prime256v1';
}
