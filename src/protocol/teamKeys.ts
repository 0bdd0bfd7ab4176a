import {
  createHash,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto';
import { labelled } from './signedText';

export const TEAM_KEY_BYTES = 32;
export const TEAM_ID_BYTES = 32;
const DERIVED_KEY_BYTES = 32;

const TEAM_ID = /^[0-9a-f]{64}$/u;

/**
 * One epoch of a team: the time between two keys. Keys are `KeyObject`s: printed, logged or turned
 * into JSON by mistake, they show nothing.
 */
export interface TeamEpoch {
  /** Public: identity of the root key, 64 lower-case hexadecimal digits. */
  readonly id: string;
  readonly charterNumber: number;
  /** Counts the keys of the team, from 1 on. */
  readonly epoch: number;
  /** 256 random bits. Membership is the possession of the key of the current epoch. */
  readonly key: KeyObject;
}

/** Keys that members derive from the team key, so that none of the three tells anything about another. */
export interface TeamKeys {
  /** Shown to the tracker, which knows only its hash. */
  readonly trackerToken: KeyObject;
  /** Authenticates host records: the tracker can neither make nor change one. */
  readonly membershipKey: KeyObject;
  /** Proves membership to another peer, for one connection. */
  readonly proofKey: KeyObject;
}

export function createTeamKey(): KeyObject {
  return createSecretKey(randomBytes(TEAM_KEY_BYTES));
}

export function isTeamId(text: string): boolean {
  return TEAM_ID.test(text);
}

/** HKDF-SHA256 (RFC 5869) of the team key, with the 32 bytes of the team id as salt. */
export function deriveTeamKeys({ id, charterNumber, epoch, key }: TeamEpoch): TeamKeys {
  const salt = Buffer.from(id, 'hex');
  const derive = (purpose: string): KeyObject => {
    const info = `peershelf 2 ${purpose} ${charterNumber} ${epoch}`;
    return createSecretKey(Buffer.from(hkdfSync('sha256', key, salt, info, DERIVED_KEY_BYTES)));
  };
  return {
    trackerToken: derive('tracker token'),
    membershipKey: derive('membership'),
    proofKey: derive('proof'),
  };
}

/**
 * Commitment of a statement to the key of its epoch: SHA-256, 64 hexadecimal digits. It tells nothing
 * of the key, and no other key has it.
 */
export function commitmentOf({ id, epoch, key }: TeamEpoch): string {
  const content = Buffer.concat([Buffer.from(`${id} ${epoch} `), key.export()]);
  return createHash('sha256').update(labelled('commitment', content)).digest('hex');
}

/** All that a tracker keeps of the token: SHA-256, 64 lower-case hexadecimal digits. */
export function hashTrackerToken(token: KeyObject): string {
  return createHash('sha256').update(token.export()).digest('hex');
}

/** Whether a token from outside is the one with this hash, in a time that does not tell how nearly. */
export function isTrackerToken(token: Uint8Array, hash: string): boolean {
  const actual = createHash('sha256').update(token).digest();
  const expected = Buffer.from(hash, 'hex');
  return actual.length === expected.length && timingSafeEqual(actual, expected);
}
