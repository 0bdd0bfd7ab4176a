import type { OwnIdentity } from '../../protocol/certificate';
import { type Envelope, openEnvelope } from '../../protocol/envelope';
import { Removals } from '../../protocol/removals';
import { compareRank, type VerifiedStatement } from '../../protocol/statement';
import { ownerOf } from '../../protocol/charter';
import { identityOf } from '../../protocol/p256';
import { PeershelfError } from '../../common/errors';
import { hasKey, nextEpoch, type SessionRecord, withStatement } from './sessionRecord';

/** Statement of a session as somebody else knows it. */
export interface HeardStatement {
  readonly statement: VerifiedStatement;
  /** Envelope of its epoch for the user of the record. */
  readonly envelope?: Envelope | undefined;
}

/**
 * The record after its owner has heard a statement: it takes over a later one. Where that lacks what
 * this owner has signed, or is of the same rank, it signs one above both, with the removals of both. So
 * two owners who act at once come to the same end, and no removal vanishes, whoever runs this first.
 * @param identity of this owner as a member.
 * @throws OWNER_WITHDRAWN when the later charter has another owner in place of this one.
 */
export function reconcile(
  record: SessionRecord,
  { statement: heard, envelope }: HeardStatement,
  { identity, now }: { readonly identity: OwnIdentity; readonly now: Date },
): SessionRecord {
  const own = record.statement;
  const known = record.isUnheard === undefined ? record : { ...record, isUnheard: undefined };
  if (heard.hash === own.hash) return known;
  const order = compareRank(heard.statement, own.statement);
  const [later, other] = order > 0 ? [heard, own] : [own, heard];
  if (ownerOf(later.charter, identityOf(record.owner.publicKey)) === undefined)
    throw new PeershelfError('OWNER_WITHDRAWN', 'a later charter has withdrawn this owner');
  const base = later === own ? known : takeOver(known, { statement: heard, envelope }, identity);
  // A new charter was made in full knowledge of what came before, or its maker undoes that on purpose:
  // a removal by an owner whom it keeps is said again all the same.
  const isFollowing =
    order !== 0 && covers(later, other) && later.statement.epoch >= other.statement.epoch;
  return isFollowing ? base : join(base, { later, other, now });
}

/** One statement above two that contradict each other. */
function join(
  base: SessionRecord,
  {
    later,
    other,
    now,
  }: { readonly later: VerifiedStatement; readonly other: VerifiedStatement; readonly now: Date },
): SessionRecord {
  const removals = new Removals();
  for (const { statement } of [other, later]) removals.add(statement);
  const statements = [later.statement, other.statement];
  const isListed = statements.some(({ admission }) => admission === 'listed');
  const listing = statements.filter(({ admission }) => admission === 'listed');
  const members = new Set(listing.flatMap((one) => one.members));
  const changes = {
    ...removals.lists(),
    admission: isListed ? ('listed' as const) : ('invite' as const),
    members: [...members].filter((member) => !removals.isRemoved(member)),
  };
  const isOneKey = later.statement.commitment === other.statement.commitment;
  if (isOneKey && covers(later, other) && covers(other, later))
    return withStatement(base, now, { changes });
  // The key of either epoch may be known to somebody whom the other owner has removed.
  const team = nextEpoch(base);
  const epoch = Math.max(team.epoch, other.statement.epoch + 1);
  const recipients = base.vouched.filter((member) => !removals.isRemoved(member.identity));
  return withStatement(base, now, { team: { ...team, epoch }, recipients, changes });
}

/** The record with the statement of another owner, and its key if there is one for this owner. */
function takeOver(
  record: SessionRecord,
  { statement: heard, envelope }: HeardStatement,
  identity: OwnIdentity,
): SessionRecord {
  const { teamId: id, charterNumber, epoch, commitment } = heard.statement;
  const taken = { ...record, statement: heard };
  if (hasKey(taken)) return taken;
  const team =
    envelope &&
    openEnvelope(
      envelope,
      { id, charterNumber, epoch, commitment },
      { identity: identity.fingerprint, privateKey: identity.privateKey },
    );
  return { ...taken, envelopes: [], team: team ?? record.team };
}

/** Whether a statement has every removal of another one, or something later of the same identity. */
function covers(later: VerifiedStatement, { statement }: VerifiedStatement): boolean {
  const removals = new Removals();
  removals.add(statement);
  removals.add(later.statement);
  const { statement: said } = later;
  const known = new Set([...said.removed, ...said.readmitted].map((one) => one.identity));
  return removals.isCoveredBy(said) && statement.removed.every((one) => known.has(one.identity));
}
