import { type KeyObject, sign, verify } from 'node:crypto';

/** What a signature is for: one for a host says nothing about an entry. */
export type SignedKind = 'host' | 'entry' | 'register';

/** All that is signed or authenticated: each with a label of its own. */
export type LabelledKind = SignedKind | 'member';

/**
 * What is signed are bytes: the text travels beside its signature and is passed on as it is, so that
 * nobody has to write the same JSON again. Receivers verify, then parse.
 */
export interface SignedText {
  readonly text: string;
  /** ECDSA over P-256 with SHA-256, r and s of 32 bytes each (IEEE P1363), base64url. */
  readonly signature: string;
}

const SIGNATURE = /^[\w-]{86}$/u;

/** @param privateKey of P-256. */
export function signText(kind: SignedKind, text: string, privateKey: KeyObject): SignedText {
  const signature = sign('sha256', labelled(kind, text), {
    key: privateKey,
    dsaEncoding: 'ieee-p1363',
  });
  return { text, signature: signature.toString('base64url') };
}

/** @param publicKey of P-256. */
export function isSigned(kind: SignedKind, signed: SignedText, publicKey: KeyObject): boolean {
  if (!SIGNATURE.test(signed.signature)) return false;
  return verify(
    'sha256',
    labelled(kind, signed.text),
    { key: publicKey, dsaEncoding: 'ieee-p1363' },
    Buffer.from(signed.signature, 'base64url'),
  );
}

/** The bytes that are signed: the label, a line feed, and the text in UTF-8. */
export function labelled(kind: LabelledKind, text: string): Buffer {
  return Buffer.from(`peershelf 1 ${kind}\n${text}`);
}
