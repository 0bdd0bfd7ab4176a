import 'reflect-metadata'; // What the library below is built on asks for it.
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  webcrypto,
  X509Certificate,
} from 'node:crypto';
import { X509CertificateGenerator } from '@peculiar/x509';

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
    fingerprint: identityOf(new X509Certificate(Buffer.from(certificate.rawData))),
  };
}

/** One more certificate for a key, base64 of DER. @param privateKey base64 of DER of PKCS #8. */
export async function certificateFor(privateKey: string): Promise<string> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
  const key = createPrivateKey({
    ...{ key: Buffer.from(privateKey, 'base64'), format: 'der', type: 'pkcs8' },
  });
  const spki = createPublicKey(key).export({ type: 'spki', format: 'der' });
  const [own, other] = await Promise.all([
    webcrypto.subtle.importKey('pkcs8', Buffer.from(privateKey, 'base64'), algorithm, true, [
      'sign',
    ]),
    webcrypto.subtle.importKey('spki', spki, algorithm, true, ['verify']),
  ]);
  const certificate = await X509CertificateGenerator.createSelfSigned(
    { name: 'CN=again', keys: { privateKey: own, publicKey: other }, signingAlgorithm: algorithm },
    webcrypto,
  );
  return Buffer.from(certificate.rawData).toString('base64');
}

/** Made as that of a key that would be allowed. */
function identityOf({ publicKey }: X509Certificate): string {
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(spki).digest('hex');
}
