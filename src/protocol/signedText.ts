import { createHash, type KeyObject, sign, verify } from 'node:crypto';

/** Purpose of a signature: one for a host says nothing about an entry. */
export type SignedKind =
  'host' | 'entry' | 'register' | 'connection' | 'owner' | 'charter' | 'statement' | 'invite';

/** Everything that is signed or authenticated has a label of its own. */
export type LabelledKind = SignedKind | 'member' | 'commitment' | 'envelope';

/**
 * Text beside its signature. The signature covers bytes: the text is passed on as it is, so that nobody
 * has to write the same JSON again. Receivers verify, then parse.
 */
export interface SignedText {
  readonly text: string;
  /** ECDSA over P-256 with SHA-256, r and s of 32 bytes each (IEEE P1363), base64url. */
  readonly signature: string;
}

/** Length of r and s together. */
export const SIGNATURE_BYTES = 64;

/** A signature in base64url. */
export const SIGNATURE = /^[\w-]{86}$/u;

/** Half of a pair: as bytes it is U+FFFD, so that texts which differ would have one signature. */
const LONE_SURROGATE = /\p{Surrogate}/u;

/** @param privateKey of P-256. */
export function signText(kind: SignedKind, text: string, privateKey: KeyObject): SignedText {
  return { text, signature: signBytes(kind, Buffer.from(text), privateKey).toString('base64url') };
}

/** Whether the text is well-formed and signed so. @param publicKey of P-256. */
export function isSigned(kind: SignedKind, signed: SignedText, publicKey: KeyObject): boolean {
  if (!SIGNATURE.test(signed.signature) || LONE_SURROGATE.test(signed.text)) return false;
  const signature = Buffer.from(signed.signature, 'base64url');
  return areBytesSigned(kind, { bytes: Buffer.from(signed.text), signature }, publicKey);
}

/** @returns r and s. */
export function signBytes(kind: SignedKind, bytes: Uint8Array, privateKey: KeyObject): Buffer {
  return sign('sha256', labelled(kind, bytes), { key: privateKey, dsaEncoding: 'ieee-p1363' });
}

export function areBytesSigned(
  kind: SignedKind,
  { bytes, signature }: { readonly bytes: Uint8Array; readonly signature: Uint8Array },
  publicKey: KeyObject,
): boolean {
  const key = { key: publicKey, dsaEncoding: 'ieee-p1363' } as const;
  return verify('sha256', labelled(kind, bytes), key, signature);
}

/** SHA-256 of the labelled text, 64 hexadecimal digits: names one signed text, whoever signed it. */
export function hashOfText(kind: SignedKind, text: string): string {
  return createHash('sha256').update(labelled(kind, text)).digest('hex');
}

/** Bytes that a signature or MAC covers: the label, a zero byte, and the text in UTF-8. */
export function labelled(kind: LabelledKind, content: string | Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`peershelf 2 ${kind}\0`), Buffer.from(content)]);
}
