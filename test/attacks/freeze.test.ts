import { strict as assert } from 'node:assert';
import { randomBytes } from 'node:crypto';
import { systemClock } from '../../src/common/clock';
import { openIdentity, type StoredIdentity } from '../../src/peer/identity/identity';
import { makeIdentity } from '../../src/peer/identity/makeIdentity';
import { bringStatement } from '../../src/peer/team/bringStatement';
import { type SessionRecord, withoutMembers } from '../../src/peer/team/sessionRecord';
import type { TransferSecurity } from '../../src/peer/transfer/transferSecurity';
import type { StatementBundle } from '../../src/protocol/statement';
import { deriveTeamKeys } from '../../src/protocol/teamKeys';
import { useCleanup } from '../support/cleanup';
import { type Relay, startRelay } from '../support/relay';
import { rejectsWith } from '../support/rejectsWith';
import { startPeer, type TestPeer } from '../support/startPeer';
import { startTeam, type TestTeam } from '../support/startTeam';
import { startFetching } from '../support/team';
import { eventually, nextEvent } from '../support/waitFor';

const MIB = 1024 * 1024;

describe('a peer that is kept from hearing of a removal', () => {
  const cleanup = useCleanup();
  let team: TestTeam;
  let relay: Relay;
  let alice: TestPeer;
  let aliceIdentity: StoredIdentity;
  let malloryIdentity: StoredIdentity;
  let rotated: SessionRecord;
  let contentId: string;

  beforeEach(async () => {
    team = await startTeam(cleanup);
    relay = await startRelay(cleanup, team.address.port);
    [aliceIdentity, malloryIdentity] = await Promise.all([
      makeIdentity(new Date()),
      makeIdentity(new Date()),
    ]);
    alice = await startPeer(cleanup, {
      settings: { hostname: 'alice', maxUploadBytesPerSecond: MIB },
    });
    const invite = team.inviteTo({ host: '127.0.0.1', port: relay.port });
    await alice.peer.connect({ invite, identity: aliceIdentity });
    await alice.publish('large.bin', randomBytes(20 * MIB));
    const observer = await team.join();
    await observer.peer.refreshNetwork();
    contentId = (await observer.peer.networkFiles({ limit: 1 })).files[0]?.contentId ?? '';
    await observer.peer.stop();
    rotated = withoutMembers(team.record, {
      removed: [openIdentity(malloryIdentity).fingerprint],
      recipients: [],
      now: new Date(),
    });
    const away = nextEvent(alice.peer.onDidChangeConnection, ({ kind }) => kind !== 'connected');
    relay.cut();
    await away;
    await bringStatement(rotated, { addresses: [team.address], clock: systemClock });
  });

  /** A member by keys of an epoch, who tells and hears statements. */
  const securityOf = (
    identity: StoredIdentity,
    { team: epoch, statement }: SessionRecord,
    heard: StatementBundle[] = [],
  ): TransferSecurity => ({
    identity: openIdentity(identity),
    proofKey: deriveTeamKeys(epoch).proofKey,
    refusalOf: () => undefined,
    statements: {
      current: () => statement.bundle,
      take: (bundle) => void heard.push(bundle),
      earlierProofKeys: [],
    },
  });
  const fetchAs = async (security: TransferSecurity): Promise<unknown> => {
    const { serving } = await alice.peer.snapshot();
    assert.ok(serving);
    const [root = '', size = ''] = contentId.split('-');
    const { fetcher, path } = startFetching(cleanup, security);
    const request = {
      name: 'large.bin',
      destination: path('large.bin'),
      ifExists: 'fail',
    } as const;
    const { fingerprint } = openIdentity(aliceIdentity);
    const source = {
      ...{ hostname: 'alice', displayName: 'Alice', ip: serving.host, port: serving.port },
      ...{ fingerprint, size: Number(size), modified: 0 },
      contentId: { root, sizeBytes: Number(size) },
    };
    return fetcher.fetch(request, [source], {});
  };

  it('serves the removed member until anybody tells it, and then ends that at once', async () => {
    const stolen = fetchAs(securityOf(malloryIdentity, team.record)).then(
      () => 'whole',
      () => 'ended',
    );
    await eventually(
      async () =>
        (await alice.peer.snapshot()).transfers.some(({ state }) => state === 'running') ||
        undefined,
      'it is sent',
    );
    const informed = await makeIdentity(new Date());
    // By a refusal, or by the end of what alice serves, whichever comes first.
    await assert.rejects(fetchAs(securityOf(informed, rotated)));
    assert.equal(await stolen, 'ended');
    await assert.rejects(fetchAs(securityOf(malloryIdentity, team.record)));
  });

  it('is told nothing that no owner has signed', async () => {
    const other = await startTeam(cleanup);
    const stranger = await makeIdentity(new Date());
    const { statement } = other.record;
    await rejectsWith('NOT_A_MEMBER', fetchAs(securityOf(stranger, { ...rotated, statement })));
    // It goes on to serve its members.
    await alice.peer.configure({ maxUploadBytesPerSecond: 0 });
    await fetchAs(securityOf(await makeIdentity(new Date()), team.record));
  });

  it('tells its own statement to members of its epoch, and to nobody else', async () => {
    const [ofMember, ofOutsider]: [StatementBundle[], StatementBundle[]] = [[], []];
    await alice.peer.configure({ maxUploadBytesPerSecond: 0 });
    await fetchAs(securityOf(malloryIdentity, team.record, ofMember));
    await eventually(() => ofMember[0], 'the statement');
    assert.deepEqual(ofMember, [team.record.statement.bundle]);
    const outsider = { ...team.record, team: { ...team.record.team, epoch: 9 } };
    await rejectsWith('NOT_A_MEMBER', fetchAs(securityOf(malloryIdentity, outsider, ofOutsider)));
    assert.deepEqual(ofOutsider, []);
  });
});
