import { createHmac, type KeyObject, timingSafeEqual } from 'node:crypto';
import { isSigned, labelled, signText } from './signedText';

/**
 * Proofs that hold for one TLS connection only: each contains keying material that both ends export
 * from it (RFC 8446, 7.5), so that what was said on one connection is worth nothing on another.
 */
export const CHANNEL_EXPORTERS = {
  control: 'EXPORTER-peershelf-control',
  transfer: 'EXPORTER-peershelf-transfer',
} as const;

/** Length of the keying material. Its context is empty. */
export const EXPORTER_BYTES = 32;

/** What a peer registers as, over a control connection. */
export interface RegistrationClaim {
  /** Keying material of the connection, by the label for control. */
  readonly exporter: Uint8Array;
  readonly hostname: string;
  readonly instance: string;
}

/** The two ends of a connection between peers. */
export interface MembershipClaim {
  /** Keying material of the connection, by the label for transfers. */
  readonly exporter: Uint8Array;
  /** Of the certificate of who connects. */
  readonly clientFingerprint: string;
  readonly serverFingerprint: string;
}

/** The beginning of the header `Authorization`, before the proof. */
const SCHEME = 'Peershelf ';
const PROOF = /^[\w-]{43}$/u;

/** Shows that who registers holds the key of a certificate: its signature, base64url. */
export function signRegistration(claim: RegistrationClaim, privateKey: KeyObject): string {
  return signText('register', registrationText(claim), privateKey).signature;
}

export function isRegistrationSigned(
  claim: RegistrationClaim,
  signature: string,
  publicKey: KeyObject,
): boolean {
  return isSigned('register', { text: registrationText(claim), signature }, publicKey);
}

/** Shows that who connects is a member: the value of the header `Authorization`. */
export function proveMembership(claim: MembershipClaim, proofKey: KeyObject): string {
  return SCHEME + membershipMac(claim, proofKey).toString('base64url');
}

/** @param authorization the value of the header, if there is one. */
export function isMembershipProven(
  claim: MembershipClaim,
  authorization: string | undefined,
  proofKey: KeyObject,
): boolean {
  if (authorization?.startsWith(SCHEME) !== true) return false;
  const proof = authorization.slice(SCHEME.length);
  return (
    PROOF.test(proof) &&
    timingSafeEqual(Buffer.from(proof, 'base64url'), membershipMac(claim, proofKey))
  );
}

function registrationText({ exporter, hostname, instance }: RegistrationClaim): string {
  return JSON.stringify({ exporter: Buffer.from(exporter).toString('hex'), hostname, instance });
}

function membershipMac(claim: MembershipClaim, proofKey: KeyObject): Buffer {
  const text = JSON.stringify({
    role: 'client',
    client: claim.clientFingerprint,
    server: claim.serverFingerprint,
    exporter: Buffer.from(claim.exporter).toString('hex'),
  });
  return createHmac('sha256', proofKey).update(labelled('member', text)).digest();
}
