import { createHash } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { PeershelfError } from '../../common/errors';
import { ownerOf, signCharter } from '../../protocol/charter';
import type { Invite, KeyPair } from '../../protocol/invite';
import { MAX_OWNERS } from '../../protocol/limits';
import {
  COMPRESSED_POINT_BYTES,
  compressedPointOf,
  identityOf,
  publicKeyOf,
} from '../../protocol/p256';
import type { VerifiedStatement } from '../../protocol/statement';
import type { StoredIdentity } from '../identity/identity';
import type { SealedMember } from '../api/session';
import { nextEpoch, type SessionRecord, withStatement } from './sessionRecord';
import { commitmentOf } from '../../protocol/teamKeys';

const PREFIX = 'peershelf-owner:';
const CHECKSUM_BYTES = 4;

/** Public key of a future owner as it is sent to the first one; no secret. */
export function formatOwnerKey(key: KeyObject): string {
  const point = compressedPointOf(key);
  return `${PREFIX}${Buffer.concat([point, checksumOf(point)]).toString('base64url')}`;
}

/** @throws INVALID_ARGUMENT for what is none, or was changed on its way. */
export function parseOwnerKey(text: string): KeyObject {
  const [, characters = ''] = /^peershelf-owner:([\w-]{50})$/u.exec(text.trim()) ?? [];
  const bytes = Buffer.from(characters, 'base64url');
  const point = bytes.subarray(0, COMPRESSED_POINT_BYTES);
  const isWhole = bytes.subarray(COMPRESSED_POINT_BYTES).equals(checksumOf(point));
  const key = isWhole && characters !== '' ? publicKeyOf(point) : undefined;
  // Base64 has several spellings of the last character.
  if (key === undefined || formatOwnerKey(key) !== text.trim())
    throw new PeershelfError('INVALID_ARGUMENT', 'this is no key of an owner, or not all of it');
  return key;
}

/**
 * The session with other owners, by a new charter in a new epoch: keys depend on the charter, so that a
 * withdrawn owner's statements and invites count for nothing.
 * @param recipients members who go on by themselves.
 * @throws NOT_ROOT_OWNER; INVALID_ARGUMENT for more owners than a charter has, or without the root key.
 */
export function withOwners(
  record: SessionRecord,
  {
    owners,
    recipients,
    now,
  }: {
    readonly owners: readonly KeyObject[];
    readonly recipients: readonly SealedMember[];
    readonly now: Date;
  },
): SessionRecord {
  const { owner, root, statement } = record;
  if (!owner.publicKey.equals(root))
    throw new PeershelfError('NOT_ROOT_OWNER', 'only the root key changes owners');
  if (owners.length > MAX_OWNERS || !owners.some((one) => one.equals(root)))
    throw new PeershelfError(
      'INVALID_ARGUMENT',
      `a team has at most ${MAX_OWNERS} owners, and its first one stays`,
    );
  const number = statement.charter.number + 1;
  const charter = signCharter({ number, owners }, owner.privateKey);
  const team = { ...nextEpoch(record), charterNumber: number };
  return withStatement(record, now, { team, recipients, charter });
}

/** Owners of the session with one more. @throws INVALID_ARGUMENT for one that it has. */
export function ownersWith({ statement }: SessionRecord, key: KeyObject): KeyObject[] {
  const { charter } = statement;
  if (ownerOf(charter, identityOf(key)) !== undefined)
    throw new PeershelfError('INVALID_ARGUMENT', 'this is an owner already');
  return [...charter.owners, key];
}

/**
 * The session as a further owner keeps it, from an invite that names its key among the owners.
 * @param statement that a tracker has given.
 * @param tracker identity for a tracker of its own.
 * @throws OWNER_WITHDRAWN when the key is not that of an owner; INVITE_OUTDATED.
 */
export function recordOfOwner(
  { sessionName: name, root, team }: Pick<Invite, 'sessionName' | 'root' | 'team'>,
  {
    owner,
    statement,
    tracker,
  }: {
    readonly owner: KeyPair;
    readonly statement: VerifiedStatement;
    readonly tracker: StoredIdentity;
  },
): SessionRecord {
  if (ownerOf(statement.charter, identityOf(owner.publicKey)) === undefined)
    throw new PeershelfError('OWNER_WITHDRAWN', 'the key is not that of an owner');
  const { charterNumber, commitment } = statement.statement;
  if (charterNumber !== team.charterNumber || commitment !== commitmentOf(team))
    throw new PeershelfError('INVITE_OUTDATED', 'the invite is of an earlier epoch');
  return { name, owner, root, team, statement, envelopes: [], vouched: [], tracker };
}

function checksumOf(point: Uint8Array): Buffer {
  return createHash('sha256').update(PREFIX).update(point).digest().subarray(0, CHECKSUM_BYTES);
}
