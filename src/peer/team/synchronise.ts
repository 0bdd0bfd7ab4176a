import type { Clock } from '../../common/clock';
import { PeershelfError } from '../../common/errors';
import type { HostPort } from '../../protocol/address';
import type { OwnIdentity } from '../../protocol/certificate';
import { openStatement } from '../../protocol/statement';
import { askStatement, type OwnerAtTracker } from './bringStatement';
import { type HeardStatement, reconcile } from './reconcile';
import type { SessionRecord } from './sessionRecord';

export interface SynchroniseOptions {
  readonly addresses: readonly HostPort[];
  readonly clock: Clock;
  /** Of this owner as a member: its envelope has the key of an epoch that another owner has started. */
  readonly identity: OwnIdentity;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Statement of a session as its tracker has heard it.
 * @throws TRACKER_UNREACHABLE and others of the connection; INVALID_MESSAGE.
 */
export async function hear(
  record: OwnerAtTracker,
  options: SynchroniseOptions,
): Promise<HeardStatement> {
  const { bundle, envelope } = await askStatement(record, options);
  const statement = openStatement(bundle, record.root);
  if (statement === undefined)
    throw new PeershelfError('INVALID_MESSAGE', 'the tracker has a statement that nobody signed');
  return { statement, envelope };
}

/**
 * The record in line with what its tracker has heard: before an owner's program signs anything, so that
 * it builds on what others have said. Whoever calls this keeps the result, and brings its statement.
 * @throws as `hear` and `reconcile`.
 */
export async function synchronise(
  record: SessionRecord,
  options: SynchroniseOptions,
): Promise<SessionRecord> {
  const { owner, root, statement } = record;
  const { trackers } = statement.statement;
  const heard = await hear({ owner, root, trackers }, options);
  const now = new Date(options.clock.now());
  return reconcile(record, heard, { identity: options.identity, now });
}
