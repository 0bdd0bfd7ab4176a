import {
  createCipheriv,
  createDecipheriv,
  createECDH,
  createSecretKey,
  type ECDH,
  hkdfSync,
  type KeyObject,
} from 'node:crypto';
import * as v from 'valibot';
import { labelled } from './signedText';
import { convert } from './p256';
import { commitmentOf, TEAM_KEY_BYTES, type TeamEpoch } from './teamKeys';

/**
 * The key of an epoch for one member: sealed to the member's sealing key, so that the tracker that
 * keeps it cannot read it. Anybody can make one; only one whose key matches the commitment of a signed
 * statement counts.
 */
export interface Envelope {
  /** Identity of the member. */
  readonly to: string;
  /** Ephemeral public key, compressed, base64url. */
  readonly key: string;
  /** AES-256-GCM of the team key, with its tag, base64url. */
  readonly sealed: string;
}

/** An epoch without its key. */
export interface EpochCommitment extends Omit<TeamEpoch, 'key'> {
  readonly commitment: string;
}

const CURVE = 'prime256v1';
const CIPHER = 'aes-256-gcm';
const TAG_BYTES = 16;
/** A key is used once: its nonce may be always the same. */
const NONCE = Buffer.alloc(12);
const EMPTY = Buffer.alloc(0);

export const envelopeSchema = v.object({
  to: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/u)),
  key: v.pipe(v.string(), v.regex(/^[\w-]{44}$/u)),
  sealed: v.pipe(v.string(), v.regex(/^[\w-]{64}$/u)),
});

/**
 * The sealing key of an identity, a second key pair on P-256: HKDF-SHA256 of the private scalar, so
 * that it needs no place of its own where secrets are kept.
 */
export function sealingKeyOf(privateKey: KeyObject): ECDH {
  const scalar = Buffer.from(privateKey.export({ format: 'jwk' }).d ?? '', 'base64url');
  const pair = createECDH(CURVE);
  // The first is a valid scalar but once in 2^32.
  for (let count = 0; ; count += 1) {
    const derived = hkdfSync('sha256', scalar, EMPTY, `peershelf 2 sealing ${count}`, 32);
    try {
      pair.setPrivateKey(Buffer.from(derived));
      return pair;
    } catch (error) {
      if (count > 8) throw error;
    }
  }
}

/** The public half as host records carry it: compressed, base64url. */
export function sealingPointOf(privateKey: KeyObject): string {
  return sealingKeyOf(privateKey).getPublicKey('base64url', 'compressed');
}

/**
 * @param recipient identity and sealing point of the member.
 * @param ephemeral a new key pair; only test vectors give one.
 * @throws INVALID_ARGUMENT of the library for a sealing point that is none.
 */
export function sealEnvelope(
  epoch: TeamEpoch,
  recipient: { readonly identity: string; readonly sealingPoint: string },
  ephemeral: ECDH = newKeyPair(),
): Envelope {
  const point = convert(Buffer.from(recipient.sealingPoint, 'base64url'), 'compressed');
  const key = ephemeral.getPublicKey('base64url', 'compressed');
  const secret = ephemeral.computeSecret(convert(point, 'uncompressed'));
  const commitment = { ...epoch, commitment: commitmentOf(epoch) };
  const cipher = createCipheriv(
    CIPHER,
    envelopeKey(secret, commitment, {
      ...{ to: recipient.identity, key },
      sealingPoint: point.toString('base64url'),
    }),
    NONCE,
  );
  const sealed = [cipher.update(epoch.key.export()), cipher.final(), cipher.getAuthTag()];
  return { to: recipient.identity, key, sealed: Buffer.concat(sealed).toString('base64url') };
}

/**
 * The key of the epoch that a statement commits to.
 * @param privateKey of the member's identity.
 * @returns undefined for an envelope of another epoch, another member, or another key.
 */
export function openEnvelope(
  envelope: Envelope,
  epoch: EpochCommitment,
  member: { readonly identity: string; readonly privateKey: KeyObject },
): TeamEpoch | undefined {
  if (envelope.to !== member.identity) return undefined;
  const sealingKey = sealingKeyOf(member.privateKey);
  try {
    const ephemeral = convert(Buffer.from(envelope.key, 'base64url'), 'uncompressed');
    const secret = sealingKey.computeSecret(ephemeral);
    const key = envelopeKey(secret, epoch, {
      ...envelope,
      sealingPoint: sealingKey.getPublicKey('base64url', 'compressed'),
    });
    const sealed = Buffer.from(envelope.sealed, 'base64url');
    const decipher = createDecipheriv(CIPHER, key, NONCE, { authTagLength: TAG_BYTES });
    decipher.setAuthTag(sealed.subarray(TEAM_KEY_BYTES));
    const opened = Buffer.concat([
      decipher.update(sealed.subarray(0, TEAM_KEY_BYTES)),
      decipher.final(),
    ]);
    const { id, charterNumber, epoch: number } = epoch;
    const team = { id, charterNumber, epoch: number, key: createSecretKey(opened) };
    return commitmentOf(team) === epoch.commitment ? team : undefined;
  } catch {
    return undefined; // A point off the curve, or a tag that is not right: made by somebody else.
  }
}

/** Binds the key to its epoch, its recipient and both public keys: it opens nothing elsewhere. */
function envelopeKey(
  secret: Uint8Array,
  { id, charterNumber, epoch, commitment }: EpochCommitment,
  { to, key, sealingPoint }: Pick<Envelope, 'to' | 'key'> & { readonly sealingPoint: string },
): Buffer {
  const info = labelled(
    'envelope',
    `${id} ${charterNumber} ${epoch} ${commitment} ${to} ${sealingPoint} ${key}`,
  );
  return Buffer.from(hkdfSync('sha256', secret, EMPTY, info, 32));
}

function newKeyPair(): ECDH {
  const pair = createECDH(CURVE);
  pair.generateKeys();
  return pair;
}
