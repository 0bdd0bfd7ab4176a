import { systemClock } from '../../src/common/clock';
import { createIdentity, type StoredIdentity } from '../../src/peer/identity/identity';
import {
  createSessionRecord,
  inviteOf,
  type SessionRecord,
  verifierOf,
} from '../../src/peer/team/sessionRecord';
import type { HostPort } from '../../src/protocol/address';
import { formatInvite } from '../../src/protocol/invite';
import { parseVerifier } from '../../src/protocol/verifier';
import type { Cleanup } from '../../scripts/host/cleanup';
import { startPeer, type StartPeerOptions, type TestPeer } from './startPeer';
import { startTracker, type TestTracker } from './startTracker';

/** The session of a team with its tracker, as whoever has started it has it. */
export interface TestTeam extends TestTracker {
  readonly record: SessionRecord;
  readonly invite: string;
  /** What the tracker has. */
  readonly verifier: ReturnType<typeof parseVerifier>;
  /** An invite to this session at other addresses. */
  inviteTo(...addresses: HostPort[]): string;
  /** One more user with an own identity, who has joined. */
  join(options?: StartPeerOptions & { identity?: StoredIdentity }): Promise<TestPeer>;
}

/** Starts the session of a team on a free port of loopback; stopped after the test. */
export async function startTeam(
  cleanup: Cleanup,
  options: Parameters<typeof startTracker>[1] & { record?: SessionRecord } = {},
  dependencies: Parameters<typeof startTracker>[2] = {},
): Promise<TestTeam> {
  const { record = await createSessionRecord('Team', new Date(systemClock.now())), ...rest } =
    options;
  const verifier = parseVerifier(JSON.stringify(verifierOf(record)));
  const started = await startTracker(cleanup, { team: verifier, ...rest }, dependencies);
  const inviteTo = (...addresses: HostPort[]): string => formatInvite(inviteOf(record, addresses));
  const invite = inviteTo(started.address);
  return {
    ...started,
    record,
    invite,
    verifier,
    inviteTo,
    join: async ({ identity, ...peerOptions } = {}) => {
      const member = await startPeer(cleanup, peerOptions);
      const own = identity ?? (await createIdentity(new Date(systemClock.now())));
      await member.peer.connect({ invite, identity: own });
      return member;
    },
  };
}
