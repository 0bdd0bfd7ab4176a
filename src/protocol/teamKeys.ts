import {
  createHash,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto';

export const TEAM_KEY_BYTES = 32;
export const TEAM_ID_BYTES = 16;
const DERIVED_KEY_BYTES = 32;

const TEAM_ID = /^[0-9a-f]{32}$/u;

/**
 * What makes a session a team's. Keys are `KeyObject`s: printed, logged or turned into JSON by
 * mistake, they show nothing.
 */
export interface Team {
  /** Public: 32 lower-case hexadecimal digits. It stays when the key is replaced. */
  readonly id: string;
  /** 256 random bits. Whoever has it is a member. */
  readonly key: KeyObject;
}

/** What members derive from the team key, so that none of the three tells anything about another. */
export interface TeamKeys {
  /** Shown to the tracker, which knows only its hash. */
  readonly trackerToken: KeyObject;
  /** Authenticates host records: the tracker can neither make nor change one. */
  readonly membershipKey: KeyObject;
  /** Proves membership to another peer, for one connection. */
  readonly proofKey: KeyObject;
}

/** A new team with a key that nobody has yet. */
export function createTeam(): Team {
  return { id: randomBytes(TEAM_ID_BYTES).toString('hex'), key: createTeamKey() };
}

export function createTeamKey(): KeyObject {
  return createSecretKey(randomBytes(TEAM_KEY_BYTES));
}

export function isTeamId(text: string): boolean {
  return TEAM_ID.test(text);
}

/** HKDF-SHA256 (RFC 5869) of the team key, with the 16 bytes of the team id as salt. */
export function deriveTeamKeys({ id, key }: Team): TeamKeys {
  const salt = Buffer.from(id, 'hex');
  const derive = (info: string): KeyObject =>
    createSecretKey(Buffer.from(hkdfSync('sha256', key, salt, info, DERIVED_KEY_BYTES)));
  return {
    trackerToken: derive('peershelf 1 tracker token'),
    membershipKey: derive('peershelf 1 membership'),
    proofKey: derive('peershelf 1 proof'),
  };
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
