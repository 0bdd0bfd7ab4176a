import type { KeyObject } from 'node:crypto';
import * as v from 'valibot';
import { type Charter, impliedCharter, openCharter, ownerOf, type SignedCharter } from './charter';
import { MAX_STATEMENT_CHARACTERS, MAX_STATEMENT_IDENTITIES, MAX_TRACKERS } from './limits';
import { identityOf } from './p256';
import { wholeField } from './replyFields';
import {
  hashOfText,
  isSigned,
  SIGNATURE,
  SIGNATURE_BYTES,
  type SignedText,
  signText,
} from './signedText';
import { isTeamId } from './teamKeys';

/**
 * Membership of a team as one of its owners states it: key of the epoch, tracker, who was removed, and
 * until when it holds. Trackers and members verify it themselves; whoever passes it on cannot change it.
 */
export interface Statement {
  readonly teamId: string;
  readonly charterNumber: number;
  /** Grows with each statement. */
  readonly sequence: number;
  /** Hash of the statement before; undefined for the first one. */
  readonly previous?: string | undefined;
  readonly epoch: number;
  /** See `commitmentOf`. */
  readonly commitment: string;
  /** SHA-256 of the tracker token of the epoch. */
  readonly tokenHash: string;
  /** Identities of the trackers of the session. */
  readonly trackers: readonly string[];
  readonly removed: readonly RankedIdentity[];
  readonly readmitted: readonly RankedIdentity[];
  /** `listed`: only the identities of `members` are members, whoever else has the key. */
  readonly admission: Admission;
  readonly members: readonly string[];
  /** By the owner's clock, in milliseconds since 1970. */
  readonly issuedMs: number;
  /** End of the lease: nobody is served after it. */
  readonly validUntilMs: number;
  /** Identity of the owner who signed. */
  readonly ownerId: string;
}

export type Admission = 'invite' | 'listed';

/** Position of a statement: first by charter, then by sequence. */
export interface Rank {
  readonly charterNumber: number;
  readonly sequence: number;
}

/** An identity, and the rank of the statement that removed or readmitted it. */
export interface RankedIdentity extends Rank {
  readonly identity: string;
}

/** A statement with what is needed to verify it, as it travels. */
export interface StatementBundle {
  readonly statement: SignedText;
  /** Undefined for charter 0. */
  readonly charter?: SignedCharter | undefined;
}

/** A bundle that was verified. */
export interface VerifiedStatement {
  readonly statement: Statement;
  readonly charter: Charter;
  readonly hash: string;
  readonly bundle: StatementBundle;
}

const hashField = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/u));
/** Identities with the rank of their statement, as JSON has them. */
export const rankedField = v.pipe(
  v.array(v.strictTuple([hashField, wholeField, wholeField])),
  v.transform((list): RankedIdentity[] =>
    list.map(([identity, charterNumber, sequence]) => ({ identity, charterNumber, sequence })),
  ),
);
const boundedRankedField = v.pipe(rankedField, v.maxLength(MAX_STATEMENT_IDENTITIES));
const countField = v.pipe(wholeField, v.minValue(1));

const statementSchema = v.object({
  team: v.pipe(v.string(), v.check(isTeamId)),
  charter: wholeField,
  seq: countField,
  previous: v.optional(hashField),
  epoch: v.pipe(countField, v.maxValue(0xffff_ffff)),
  commitment: hashField,
  token_hash: hashField,
  trackers: v.pipe(v.array(hashField), v.minLength(1), v.maxLength(MAX_TRACKERS)),
  removed: boundedRankedField,
  readmitted: boundedRankedField,
  admission: v.picklist(['invite', 'listed']),
  members: v.pipe(v.array(hashField), v.maxLength(MAX_STATEMENT_IDENTITIES)),
  issued: wholeField,
  valid_until: wholeField,
  owner: hashField,
});

const bundleSchema = v.object({
  statement: v.object({
    text: v.pipe(v.string(), v.maxLength(MAX_STATEMENT_CHARACTERS)),
    signature: v.pipe(v.string(), v.regex(SIGNATURE)),
  }),
  charter: v.optional(
    v.object({
      bytes: v.pipe(v.string(), v.regex(/^[\w-]{1,400}$/u)),
      signature: v.pipe(v.string(), v.regex(SIGNATURE)),
    }),
  ),
});

export function signStatement(statement: Statement, ownerKey: KeyObject): SignedText {
  const text = JSON.stringify({
    team: statement.teamId,
    charter: statement.charterNumber,
    seq: statement.sequence,
    ...(statement.previous === undefined ? {} : { previous: statement.previous }),
    epoch: statement.epoch,
    commitment: statement.commitment,
    token_hash: statement.tokenHash,
    trackers: statement.trackers,
    removed: rankedMembers(statement.removed),
    readmitted: rankedMembers(statement.readmitted),
    admission: statement.admission,
    members: statement.members,
    issued: statement.issuedMs,
    valid_until: statement.validUntilMs,
    owner: statement.ownerId,
  });
  return signText('statement', text, ownerKey);
}

/**
 * Verifies a bundle: charter by the root key, statement by an owner of that charter.
 * @returns undefined when anything about it is not as it must be.
 */
export function openStatement(
  bundle: StatementBundle,
  root: KeyObject,
): VerifiedStatement | undefined {
  const { statement: signed, charter: signedCharter } = bundle;
  if (signed.text.length > MAX_STATEMENT_CHARACTERS) return undefined;
  const charter =
    signedCharter === undefined ? impliedCharter(root) : openCharter(signedCharter, root);
  // The owner is read from text that is not verified yet: a wrong one fails the signature.
  const statement = parse(signed.text);
  if (charter === undefined || statement === undefined) return undefined;
  if (statement.teamId !== identityOf(root)) return undefined;
  if (statement.charterNumber !== charter.number) return undefined;
  const owner = ownerOf(charter, statement.ownerId);
  if (owner === undefined || !isSigned('statement', signed, owner)) return undefined;
  return { statement, charter, hash: hashOfText('statement', signed.text), bundle };
}

/** A bundle from outside, or undefined; nothing is verified. */
export function readBundle(data: unknown): StatementBundle | undefined {
  const result = v.safeParse(bundleSchema, data, { abortEarly: true });
  if (!result.success) return undefined;
  const { statement, charter } = result.output;
  if (charter === undefined) return { statement };
  const signature = Buffer.from(charter.signature, 'base64url');
  if (signature.length !== SIGNATURE_BYTES) return undefined;
  return { statement, charter: { bytes: Buffer.from(charter.bytes, 'base64url'), signature } };
}

/** A bundle from outside as JSON text, or undefined; nothing is verified. */
export function readBundleText(text: string): StatementBundle | undefined {
  return readBundle(parseJson(text));
}

/** A bundle as JSON members. */
export function bundleMembers({ statement, charter }: StatementBundle): object {
  if (charter === undefined) return { statement };
  const { bytes, signature } = charter;
  return {
    statement,
    charter: {
      bytes: bytes.toString('base64url'),
      signature: signature.toString('base64url'),
    },
  };
}

/** The opposite of `rankedField`. */
export function rankedMembers(list: readonly RankedIdentity[]): unknown[] {
  return list.map(({ identity, charterNumber, sequence }) => [identity, charterNumber, sequence]);
}

/** Below 0: the first comes before the second. */
export function compareRank(left: Rank, right: Rank): number {
  return left.charterNumber - right.charterNumber || left.sequence - right.sequence;
}

function parse(text: string): Statement | undefined {
  const result = v.safeParse(statementSchema, parseJson(text), { abortEarly: true });
  if (!result.success) return undefined;
  const { team, charter, seq, token_hash, issued, valid_until, owner, ...same } = result.output;
  return {
    ...same,
    teamId: team,
    charterNumber: charter,
    sequence: seq,
    tokenHash: token_hash,
    issuedMs: issued,
    validUntilMs: valid_until,
    ownerId: owner,
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // No schema takes it.
  }
}
