import type { Clock } from '../../common/clock';
import { PeershelfError } from '../../common/errors';
import { nullLogger } from '../../common/logger';
import type { HostPort } from '../../protocol/address';
import { identityOf } from '../../protocol/p256';
import { compareRank, openStatement } from '../../protocol/statement';
import { signConnection, type StatementReply } from '../../protocol/statementMessages';
import { dialTls } from '../control/dialTls';
import { TrackerClient } from '../control/trackerClient';
import { TrackerConnection } from '../control/trackerConnection';
import { openIdentity } from '../identity/identity';
import type { SessionRecord } from './sessionRecord';

const CONNECT_DEADLINE_MS = 10_000;

/** Result of bringing a statement to a tracker. */
export type Brought =
  /** The tracker has the record's statement and envelopes now. */
  | 'brought'
  /** It had them already. */
  | 'current';

/**
 * Brings the statement of a session, with its envelopes, to the session's tracker: the authorisation is
 * the owner's signature, so that it works for a tracker that was started by somebody else, and for one
 * that has lost its state. To do it again changes nothing.
 * @throws OWNER_BEHIND when the tracker has a later statement than the record; TRACKER_UNREACHABLE and
 * others when it is at none of the addresses.
 */
export async function bringStatement(
  record: SessionRecord,
  {
    addresses,
    clock,
    signal,
  }: {
    readonly addresses: readonly HostPort[];
    readonly clock: Clock;
    readonly signal?: AbortSignal | undefined;
  },
): Promise<Brought> {
  let failure = new PeershelfError('TRACKER_UNREACHABLE', 'no address of the tracker is known');
  for (const address of addresses) {
    try {
      return await bringTo(address, record, { clock, signal });
    } catch (error) {
      failure = PeershelfError.from(error);
      const isElsewhere =
        failure.code === 'TRACKER_UNREACHABLE' || failure.code === 'TRACKER_IDENTITY_MISMATCH';
      if (!isElsewhere) break;
    }
  }
  throw failure;
}

async function bringTo(
  address: HostPort,
  record: SessionRecord,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal | undefined },
): Promise<Brought> {
  const { tracker, owner, statement, envelopes } = record;
  // Any identity would do: what counts is the proof of the owner.
  const identity = openIdentity(tracker);
  const socket = await dialTls(
    {
      ...{ options: address, clock, signal, deadlineMs: CONNECT_DEADLINE_MS },
      unreachable: 'TRACKER_UNREACHABLE',
    },
    identity.fingerprint,
  );
  const connection = new TrackerConnection(socket, { clock, logger: nullLogger });
  try {
    const { exporter } = connection;
    if (exporter === undefined) throw new PeershelfError('TRACKER_UNREACHABLE', 'it is closed');
    const client = new TrackerClient(connection);
    const claim = {
      certificate: identity.certificate,
      proof: signConnection('connection', exporter, identity.privateKey),
      owner: {
        id: identityOf(owner.publicKey),
        proof: signConnection('owner', exporter, owner.privateKey),
      },
    };
    if (hasAll(await client.statement(claim), record)) return 'current';
    await client.statement({ ...claim, bundle: statement.bundle, envelopes });
    return 'brought';
  } finally {
    await connection.close();
  }
}

/** @throws OWNER_BEHIND, INVALID_MESSAGE. */
function hasAll({ bundle, envelopeCount }: StatementReply, record: SessionRecord): boolean {
  const { statement: own, envelopes, root } = record;
  const known = openStatement(bundle, root);
  if (known === undefined)
    throw new PeershelfError('INVALID_MESSAGE', 'the tracker has a statement that nobody signed');
  if (known.hash === own.hash) return envelopeCount >= envelopes.length;
  if (compareRank(known.statement, own.statement) >= 0)
    throw new PeershelfError('OWNER_BEHIND', 'another owner has signed a later statement');
  return false;
}
