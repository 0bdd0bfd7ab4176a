import {
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto';
import * as v from 'valibot';
import { PeershelfError } from '../../common/errors';
import type { HostPort } from '../../protocol/address';
import { type Envelope, envelopeSchema, sealEnvelope } from '../../protocol/envelope';
import { type Invite, type KeyPair, signInvite } from '../../protocol/invite';
import type { SignedCharter } from '../../protocol/charter';
import {
  MAX_ISSUED_AHEAD_MS,
  MAX_SESSION_NAME_BYTES,
  MAX_STATEMENT_IDENTITIES,
} from '../../protocol/limits';
import {
  compressedPointOf,
  identityOf,
  isP256,
  isPointText,
  publicKeyOf,
} from '../../protocol/p256';
import { Removals } from '../../protocol/removals';
import {
  bundleMembers,
  openStatement,
  readBundle,
  signStatement,
  type Statement,
  type VerifiedStatement,
} from '../../protocol/statement';
import { MAX_ENVELOPES } from '../../protocol/statementMessages';
import {
  commitmentOf,
  createTeamKey,
  deriveTeamKeys,
  hashTrackerToken,
  TEAM_KEY_BYTES,
  type TeamEpoch,
} from '../../protocol/teamKeys';
import type { Verifier } from '../../protocol/verifier';
import type { SealedMember } from '../api/session';
import { createIdentity, openIdentity, type StoredIdentity } from '../identity/identity';

/**
 * A session as an owner keeps it. All of it is secret and never given to the tracker. A changed record
 * is stored before its statement is sent: a crash in between is mended by sending it again.
 */
export interface SessionRecord {
  readonly name: string;
  /** Key of this owner; that of the founder is the root key. */
  readonly owner: KeyPair;
  /** Public root key of the team. */
  readonly root: KeyObject;
  /** The newest statement that this owner has signed or taken over. */
  readonly statement: VerifiedStatement;
  /**
   * Key of the newest epoch that this owner has: of an earlier one than the statement's when another
   * owner has started that without an envelope for this one. See `hasKey`.
   */
  readonly team: TeamEpoch;
  /** Envelopes of the current epoch that this owner has made; empty when another one has. */
  readonly envelopes: readonly Envelope[];
  /** Members whom this owner has accepted by name, in a removal or on the list: they go on by default. */
  readonly vouched: readonly SealedMember[];
  /**
   * Whether this is a copy that has not heard the newest statement yet, such as an imported one. It
   * signs nothing: it would contradict whatever was said since it was made.
   */
  readonly isUnheard?: boolean | undefined;
  /** Identity of the tracker that this owner starts, not of the user. */
  readonly tracker: StoredIdentity;
}

/** Time for which a statement holds: two weeks without any owner's program end nobody's work. */
export const DEFAULT_LEASE_DAYS = 14;
const DAY_MS = 24 * 3_600_000;

const FORMAT = 2;

const epochField = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

const recordSchema = v.looseObject({
  format: v.literal(FORMAT),
  name: v.string(),
  owner: v.string(),
  root: v.pipe(v.string(), v.regex(/^[\w-]{44}$/u)),
  key: v.pipe(v.string(), v.regex(/^[\w-]{43}$/u)),
  /** Absent: of the epoch of the statement. */
  key_of: v.optional(v.strictTuple([epochField, epochField])),
  envelopes: v.pipe(v.array(envelopeSchema), v.maxLength(MAX_ENVELOPES)),
  vouched: v.optional(
    v.pipe(
      v.array(
        v.object({
          identity: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/u)),
          sealingPoint: v.pipe(v.string(), v.regex(/^[\w-]{44}$/u)),
        }),
      ),
      v.maxLength(MAX_ENVELOPES),
    ),
  ),
  unheard: v.optional(v.boolean()),
  tracker: v.object({ certificate: v.string(), privateKey: v.string() }),
});

/** @throws INVALID_ARGUMENT for a name that is empty or too long. */
export async function createSessionRecord(name: string, now: Date): Promise<SessionRecord> {
  const trimmed = name.trim();
  if (trimmed === '' || Buffer.byteLength(trimmed) > MAX_SESSION_NAME_BYTES)
    throw new PeershelfError(
      'INVALID_ARGUMENT',
      `the name of a session has 1 to ${MAX_SESSION_NAME_BYTES} bytes`,
    );
  const owner = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const root = owner.publicKey;
  const tracker = await createIdentity(now);
  const team = { id: identityOf(root), charterNumber: 0, epoch: 1, key: createTeamKey() };
  const statement = sign(
    { owner, root },
    {
      ...{ teamId: team.id, charterNumber: 0, sequence: 1, ...epochMembers(team) },
      trackers: [openIdentity(tracker).fingerprint],
      ...{ removed: [], readmitted: [], admission: 'invite', members: [] },
      issuedMs: now.getTime(),
      validUntilMs: now.getTime() + DEFAULT_LEASE_DAYS * DAY_MS,
    },
  );
  return { name: trimmed, owner, root, team, statement, envelopes: [], vouched: [], tracker };
}

/** The same session with a key that nobody has: invites so far lead nowhere any more. */
export function withNewKey(record: SessionRecord, now: Date): SessionRecord {
  return withStatement(record, now, { team: nextEpoch(record), recipients: [] });
}

/**
 * The session in its next epoch, without some of its members.
 * @param removed identities that are outsiders from now on.
 * @param recipients members who get the new key; those that are removed get none.
 */
export function withoutMembers(
  record: SessionRecord,
  {
    removed,
    recipients,
    now,
  }: {
    readonly removed: readonly string[];
    readonly recipients: readonly SealedMember[];
    readonly now: Date;
  },
): SessionRecord {
  const { statement } = record.statement;
  const rank = { charterNumber: statement.charterNumber, sequence: statement.sequence + 1 };
  const removals = new Removals();
  removals.add(statement);
  removals.add({ removed: removed.map((identity) => ({ identity, ...rank })), readmitted: [] });
  return withStatement(record, now, {
    team: nextEpoch(record),
    recipients: recipients.filter(({ identity }) => !removals.isRemoved(identity)),
    changes: {
      ...removals.lists(),
      members: statement.members.filter((identity) => !removals.isRemoved(identity)),
    },
  });
}

/** The session with a lease that begins now. */
export function withRenewedLease(record: SessionRecord, now: Date): SessionRecord {
  return withStatement(record, now, {});
}

/** The session with another rule of who may be a member; its key stays. */
export function withAdmission(
  record: SessionRecord,
  { admission, members, now }: Pick<Statement, 'admission' | 'members'> & { readonly now: Date },
): SessionRecord {
  const { statement } = record.statement;
  const rank = { charterNumber: statement.charterNumber, sequence: statement.sequence + 1 };
  const removals = new Removals();
  removals.add(statement);
  const back = members.filter((identity) => removals.isRemoved(identity));
  removals.add({ removed: [], readmitted: back.map((identity) => ({ identity, ...rank })) });
  return withStatement(record, now, { changes: { ...removals.lists(), admission, members } });
}

export function formatSessionRecord(record: SessionRecord): string {
  const { name, owner, root, team, statement, envelopes, vouched, isUnheard, tracker } = record;
  return JSON.stringify({
    format: FORMAT,
    name,
    owner: owner.privateKey.export({ type: 'pkcs8', format: 'der' }).toString('base64'),
    root: compressedPointOf(root).toString('base64url'),
    key: team.key.export().toString('base64url'),
    ...(hasKey(record) ? {} : { key_of: [team.charterNumber, team.epoch] }),
    ...bundleMembers(statement.bundle),
    envelopes,
    vouched,
    ...(isUnheard === true ? { unheard: true } : {}),
    tracker,
  });
}

/** @throws INVALID_ARGUMENT for what is none; the error quotes nothing of it. */
export function parseSessionRecord(text: string): SessionRecord {
  const record = read(parseJson(text));
  if (record === undefined)
    throw new PeershelfError('INVALID_ARGUMENT', 'this is no record of a session');
  openIdentity(record.tracker);
  return record;
}

/** What the tracker is given. */
export function verifierOf({ name, root, statement, tracker }: SessionRecord): Verifier {
  return {
    ...tracker,
    ...bundleMembers(statement.bundle),
    root: compressedPointOf(root).toString('base64url'),
    sessionName: name,
  };
}

/** Whether this owner has the key of the current epoch. Without it, it makes no invite. */
export function hasKey({ team, statement: { statement } }: SessionRecord): boolean {
  return (
    team.charterNumber === statement.charterNumber && commitmentOf(team) === statement.commitment
  );
}

/**
 * @param addresses of the tracker, the likeliest first.
 * @throws EPOCH_KEY_MISSING when another owner has started the epoch.
 */
export function inviteOf(
  record: SessionRecord,
  addresses: readonly HostPort[],
  expiresMs?: number,
): Invite {
  const { name, root, team, owner, statement } = record;
  const [fingerprint = ''] = statement.statement.trackers;
  const { charter } = statement.bundle;
  if (!hasKey(record))
    throw new PeershelfError('EPOCH_KEY_MISSING', 'another owner has started the epoch', {
      details: { session: name },
    });
  return signInvite(
    { sessionName: name, addresses, fingerprint, root, charter, team, expiresMs },
    owner,
  );
}

/** The epoch behind that of the record's statement, with a new key. */
export function nextEpoch({ statement: { statement } }: SessionRecord): TeamEpoch {
  const { teamId: id, charterNumber, epoch } = statement;
  return { id, charterNumber, epoch: epoch + 1, key: createTeamKey() };
}

export interface NextStatement {
  /** Of a new epoch; undefined: the epoch goes on. */
  readonly team?: TeamEpoch;
  /**
   * Members who get the key of the new epoch, the most trusted first; the owner vouches for them by that.
   * Beyond `MAX_ENVELOPES`, and without a sealing point of the curve, they need a new invite.
   */
  readonly recipients?: readonly SealedMember[];
  readonly changes?: Partial<Statement>;
  /** Of a new charter. */
  readonly charter?: SignedCharter;
}

/**
 * The record with one statement more.
 * @throws OWNER_UNHEARD for a copy that has not heard the newest statement; LIMIT_EXCEEDED when a list
 * is too long.
 */
export function withStatement(
  record: SessionRecord,
  now: Date,
  { team, recipients = [], changes = {}, charter }: NextStatement,
): SessionRecord {
  const { statement, hash } = record.statement;
  if (record.isUnheard === true)
    throw new PeershelfError('OWNER_UNHEARD', 'this copy has not heard the newest statement', {
      details: { session: record.name },
    });
  const issuedMs = issueTimeMs(now.getTime(), statement.issuedMs);
  const signed = sign(
    { ...record, charter: charter ?? record.statement.bundle.charter },
    {
      ...statement,
      sequence: statement.sequence + 1,
      previous: hash,
      ...(team && { charterNumber: team.charterNumber, ...epochMembers(team) }),
      ...changes,
      issuedMs,
      validUntilMs: issuedMs + DEFAULT_LEASE_DAYS * DAY_MS,
    },
  );
  if (team === undefined) return { ...record, statement: signed };
  const reached = recipients
    .filter(({ sealingPoint }) => isPointText(sealingPoint))
    .slice(0, MAX_ENVELOPES);
  return {
    ...record,
    team,
    statement: signed,
    envelopes: reached.map((member) => sealEnvelope(team, member)),
    vouched: vouchedOf(record, signed, reached),
  };
}

/**
 * Time of a new statement: never before that of the last one, which would let a lease end earlier. A
 * last one from so far ahead that nobody serves under it was signed by a wrong clock and counts for nothing.
 */
function issueTimeMs(nowMs: number, lastMs: number): number {
  return lastMs - nowMs > MAX_ISSUED_AHEAD_MS ? nowMs : Math.max(nowMs, lastMs);
}

/** Members whom the owner goes on to vouch for, with those that it has just accepted. */
function vouchedOf(
  { vouched }: SessionRecord,
  { statement }: VerifiedStatement,
  accepted: readonly SealedMember[],
): SealedMember[] {
  const removals = new Removals();
  removals.add(statement);
  const all = new Map([...vouched, ...accepted].map((member) => [member.identity, member]));
  return [...all.values()]
    .filter(({ identity }) => !removals.isRemoved(identity))
    .slice(-MAX_ENVELOPES);
}

/** Members of a statement that describe an epoch. */
function epochMembers(team: TeamEpoch): Pick<Statement, 'epoch' | 'commitment' | 'tokenHash'> {
  return {
    epoch: team.epoch,
    commitment: commitmentOf(team),
    tokenHash: hashTrackerToken(deriveTeamKeys(team).trackerToken),
  };
}

function sign(
  {
    owner,
    root,
    charter,
  }: Pick<SessionRecord, 'owner' | 'root'> & { readonly charter?: SignedCharter | undefined },
  content: Omit<Statement, 'ownerId'>,
): VerifiedStatement {
  for (const list of [content.removed, content.readmitted, content.members])
    if (list.length > MAX_STATEMENT_IDENTITIES)
      throw new PeershelfError('LIMIT_EXCEEDED', 'a statement has at most 1,000 identities a list');
  const ownerId = identityOf(owner.publicKey);
  const statement = signStatement({ ...content, ownerId }, owner.privateKey);
  const opened = openStatement({ statement, ...(charter && { charter }) }, root);
  if (opened === undefined)
    throw new PeershelfError('OWNER_WITHDRAWN', 'this key is not that of an owner');
  return opened;
}

function read(value: unknown): SessionRecord | undefined {
  const result = v.safeParse(recordSchema, value);
  if (!result.success) return undefined;
  const { name, envelopes, tracker, key: keyText } = result.output;
  const root = publicKeyOf(Buffer.from(result.output.root, 'base64url'));
  const owner = readKeyPair(result.output.owner);
  const bundle = readBundle(result.output);
  const statement = bundle && root && openStatement(bundle, root);
  const key = Buffer.from(keyText, 'base64url');
  if (root === undefined || owner === undefined || statement === undefined) return undefined;
  if (key.length !== TEAM_KEY_BYTES) return undefined;
  const { teamId: id, charterNumber, epoch, commitment } = statement.statement;
  const { key_of: keyOf, vouched = [], unheard: isUnheard } = result.output;
  const [keyCharter, keyEpoch] = keyOf ?? [charterNumber, epoch];
  const team = { id, charterNumber: keyCharter, epoch: keyEpoch, key: createSecretKey(key) };
  if (keyOf === undefined && commitmentOf(team) !== commitment) return undefined;
  return { name, owner, root, team, statement, envelopes, vouched, isUnheard, tracker };
}

function readKeyPair(pkcs8: string): KeyPair | undefined {
  try {
    const key = Buffer.from(pkcs8, 'base64');
    const privateKey = createPrivateKey({ key, format: 'der', type: 'pkcs8' });
    const publicKey = createPublicKey(privateKey);
    return isP256(publicKey) ? { privateKey, publicKey } : undefined;
  } catch {
    return undefined; // What the library says of a key is not passed on.
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // What the parser says may quote the text.
  }
}
