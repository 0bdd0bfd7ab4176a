import type { Clock } from '../../common/clock';
import { PeershelfError } from '../../common/errors';
import { nullLogger } from '../../common/logger';
import type { HostPort } from '../../protocol/address';
import type { OwnIdentity } from '../../protocol/certificate';
import { identityOf } from '../../protocol/p256';
import { compareRank, openStatement } from '../../protocol/statement';
import {
  signConnection,
  type StatementReply,
  type StatementRequest,
} from '../../protocol/statementMessages';
import { dialTls } from '../control/dialTls';
import { TrackerClient } from '../control/trackerClient';
import { TrackerConnection } from '../control/trackerConnection';
import { openIdentity } from '../identity/identity';
import type { SessionRecord } from './sessionRecord';

const CONNECT_DEADLINE_MS = 10_000;

/** An owner, and identities of the trackers of the session. */
export interface OwnerAtTracker extends Pick<SessionRecord, 'owner' | 'root'> {
  readonly trackers: readonly string[];
}

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
  return atAny(addresses, (address) => bringTo(address, record, { clock, signal }));
}

/** Tries one address after the other, as long as the tracker is not there. */
async function atAny<T>(
  addresses: readonly HostPort[],
  task: (address: HostPort) => Promise<T>,
): Promise<T> {
  let failure = new PeershelfError('TRACKER_UNREACHABLE', 'no address of the tracker is known');
  for (const address of addresses) {
    try {
      return await task(address);
    } catch (error) {
      failure = PeershelfError.from(error);
      const isElsewhere =
        failure.code === 'TRACKER_UNREACHABLE' || failure.code === 'TRACKER_IDENTITY_MISMATCH';
      if (!isElsewhere) break;
    }
  }
  throw failure;
}

/**
 * Asks a tracker of a session for its statement, and for the envelope of an identity.
 * @throws as `bringStatement`.
 */
export async function askStatement(
  record: OwnerAtTracker,
  {
    identity,
    ...where
  }: {
    readonly addresses: readonly HostPort[];
    readonly clock: Clock;
    readonly signal?: AbortSignal | undefined;
    readonly identity: OwnIdentity;
  },
): Promise<StatementReply> {
  return atAny(where.addresses, (address) =>
    withTracker(address, record, { ...where, identity }, ({ client, claim }) =>
      client.statement(claim),
    ),
  );
}

async function bringTo(
  address: HostPort,
  record: SessionRecord,
  where: { readonly clock: Clock; readonly signal: AbortSignal | undefined },
): Promise<Brought> {
  const { tracker, statement, envelopes } = record;
  // Any identity would do: what counts is the proof of the owner.
  const identity = openIdentity(tracker);
  const { owner, root } = record;
  const { trackers } = statement.statement;
  const at = { owner, root, trackers };
  return withTracker(address, at, { ...where, identity }, async ({ client, claim }) => {
    if (hasAll(await client.statement(claim), record)) return 'current';
    // Without envelopes of its own, this owner leaves those that the tracker has of the epoch.
    await client.statement({
      ...{ ...claim, bundle: statement.bundle },
      ...(envelopes.length > 0 && { envelopes }),
    });
    return 'brought';
  });
}

/** Runs a task on a connection to the tracker of a session. */
async function withTracker<T>(
  address: HostPort,
  { owner, trackers }: OwnerAtTracker,
  {
    clock,
    signal,
    identity,
  }: {
    readonly clock: Clock;
    readonly signal?: AbortSignal | undefined;
    readonly identity: OwnIdentity;
  },
  task: (link: { readonly client: TrackerClient; readonly claim: StatementRequest }) => Promise<T>,
): Promise<T> {
  const [fingerprint = ''] = trackers;
  const socket = await dialTls(
    {
      ...{ options: address, clock, signal, deadlineMs: CONNECT_DEADLINE_MS },
      unreachable: 'TRACKER_UNREACHABLE',
    },
    fingerprint,
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
    return await task({ client, claim });
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
