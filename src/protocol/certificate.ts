import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { PeershelfError } from '../common/errors';
import { MAX_CERTIFICATE_BYTES } from './limits';
import { identityOf, isP256 } from './p256';

/**
 * Identity of a member or a tracker: the holder of a private key. Its certificate only carries the key:
 * names and dates say nothing, and one issued again for the same key is the same identity.
 */
export interface Identity {
  /** SHA-256 of the key's SubjectPublicKeyInfo, 64 lower-case hexadecimal digits. */
  readonly fingerprint: string;
  /** Of P-256. */
  readonly publicKey: KeyObject;
}

/** One that this program speaks for. */
export interface OwnIdentity extends Identity {
  /** Base64 of DER. */
  readonly certificate: string;
  readonly privateKey: KeyObject;
}

/** What both ends of every TLS connection here insist on. */
const TLS_RULES = {
  minVersion: 'TLSv1.3',
  // AES has its own instructions wherever an editor runs; 128 bits of it are the fastest.
  ciphers: 'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384',
} as const;

const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/u;

/** @returns undefined for a certificate with another kind of key. */
export function fingerprintOf({ publicKey }: X509Certificate): string | undefined {
  return isP256(publicKey) ? identityOf(publicKey) : undefined;
}

/** @returns undefined for what is no certificate in base64 of DER, or has another kind of key. */
export function readIdentity(certificate: string): Identity | undefined {
  if (certificate.length > MAX_CERTIFICATE_BYTES * 2 || !BASE64.test(certificate)) return undefined;
  const der = Buffer.from(certificate, 'base64');
  if (der.length > MAX_CERTIFICATE_BYTES) return undefined;
  try {
    const { raw, publicKey } = new X509Certificate(der);
    // Bytes behind the certificate are kept and sent on by everybody for nothing.
    if (!raw.equals(der) || !isP256(publicKey)) return undefined;
    return { fingerprint: identityOf(publicKey), publicKey };
  } catch {
    return undefined;
  }
}

/**
 * @param certificate base64 of DER.
 * @param privateKey base64 of its key as DER of PKCS #8.
 * @throws INVALID_ARGUMENT for what is not both of one identity; nothing of the key is in the error.
 */
export function readOwnIdentity(certificate: string, privateKey: string): OwnIdentity {
  const identity = readIdentity(certificate);
  try {
    const key = createPrivateKey({
      key: Buffer.from(privateKey, 'base64'),
      format: 'der',
      type: 'pkcs8',
    });
    if (identity !== undefined && new X509Certificate(derOf(certificate)).checkPrivateKey(key))
      return { ...identity, certificate, privateKey: key };
  } catch {
    // What the library says of a key is not passed on.
  }
  throw new PeershelfError('INVALID_ARGUMENT', 'this is no certificate with its key');
}

/** Options of `node:tls` for an end that shows this identity. */
export function tlsOptionsOf({ certificate, privateKey }: OwnIdentity): {
  readonly cert: string;
  readonly key: string | Buffer;
} & typeof TLS_RULES {
  return {
    ...TLS_RULES,
    cert: new X509Certificate(derOf(certificate)).toString(),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
  };
}

/** Options of `node:tls` for an end that shows none. */
export function anonymousTlsOptions(): typeof TLS_RULES {
  return TLS_RULES;
}

function derOf(certificate: string): Buffer {
  return Buffer.from(certificate, 'base64');
}
