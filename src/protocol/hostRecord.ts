import { createHmac, type KeyObject, timingSafeEqual } from 'node:crypto';
import * as v from 'valibot';
import { readIdentity, type Identity } from './certificate';
import { MAX_HOST_RECORD_CHARACTERS } from './limits';
import { isPointText } from './p256';
import { nameField, wholeField } from './replyFields';
import { isSigned, labelled, type SignedText, signText } from './signedText';
import { isTeamId } from './teamKeys';

/** What a peer says of itself. */
export interface HostRecord {
  readonly teamId: string;
  readonly hostname: string;
  readonly displayName: string;
  /** Identity that every connection with this host must show. */
  readonly fingerprint: string;
  readonly instance: string;
  /** Public key to which envelopes for this host are sealed: compressed, base64url. */
  readonly sealingPoint: string;
  /** Only grows; receivers never go back to a lower one. */
  readonly sequence: number;
  /** By the peer's own clock, in milliseconds since 1970. */
  readonly timeMs: number;
}

/** A host record as it travels: signed by the host, and authenticated as a member's. */
export interface SealedHostRecord extends SignedText {
  /** Base64 of DER; its key is the one that signed. */
  readonly certificate: string;
  /** HMAC-SHA256 of what is signed, by the membership key, base64url: no tracker can make one. */
  readonly mac: string;
}

export interface HostSecrets {
  readonly certificate: string;
  readonly privateKey: KeyObject;
  readonly membershipKey: KeyObject;
}

const recordSchema = v.object({
  team: v.pipe(v.string(), v.check(isTeamId)),
  hostname: nameField,
  display_name: nameField,
  fingerprint: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/u)),
  instance: nameField,
  // No point would make the owner's next removal fail for everybody.
  sealing: v.pipe(v.string(), v.regex(/^[\w-]{44}$/u), v.check(isPointText)),
  seq: wholeField,
  time: wholeField,
});

/** @param record whose fingerprint is that of the certificate. */
export function sealHostRecord(record: HostRecord, secrets: HostSecrets): SealedHostRecord {
  const text = JSON.stringify({
    team: record.teamId,
    hostname: record.hostname,
    display_name: record.displayName,
    fingerprint: record.fingerprint,
    instance: record.instance,
    sealing: record.sealingPoint,
    seq: record.sequence,
    time: record.timeMs,
  });
  return {
    ...signText('host', text, secrets.privateKey),
    certificate: secrets.certificate,
    mac: macOf(text, secrets.membershipKey).toString('base64url'),
  };
}

/**
 * The record of a member of this team, with the key that its entries must be signed by.
 * @returns undefined when anything about it is not as it must be.
 */
export function openHostRecord(
  sealed: SealedHostRecord,
  team: { readonly id: string; readonly membershipKey: KeyObject },
): { readonly record: HostRecord; readonly identity: Identity } | undefined {
  if (sealed.text.length > MAX_HOST_RECORD_CHARACTERS) return undefined;
  // First what is cheap: a stranger's record costs no signature.
  const mac = Buffer.from(sealed.mac, 'base64url');
  const expected = macOf(sealed.text, team.membershipKey);
  if (mac.length !== expected.length || !timingSafeEqual(mac, expected)) return undefined;
  const identity = readIdentity(sealed.certificate);
  if (identity === undefined || !isSigned('host', sealed, identity.publicKey)) return undefined;
  const record = parse(sealed.text);
  if (record?.teamId !== team.id || record.fingerprint !== identity.fingerprint) return undefined;
  return { record, identity };
}

function parse(text: string): HostRecord | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const result = v.safeParse(recordSchema, value);
  if (!result.success) return undefined;
  const { team, hostname, display_name, fingerprint, instance, sealing, seq, time } = result.output;
  return {
    teamId: team,
    hostname,
    displayName: display_name,
    fingerprint,
    instance,
    sealingPoint: sealing,
    sequence: seq,
    timeMs: time,
  };
}

function macOf(text: string, membershipKey: KeyObject): Buffer {
  return createHmac('sha256', membershipKey).update(labelled('host', text)).digest();
}
