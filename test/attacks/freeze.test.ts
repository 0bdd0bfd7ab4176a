import { strict as assert } from 'node:assert';
import { randomBytes } from 'node:crypto';
import { systemClock } from '../../src/common/clock';
import { openIdentity, type StoredIdentity } from '../../src/peer/identity/identity';
import { makeIdentity } from '../../src/peer/identity/makeIdentity';
import { bringStatement } from '../../src/peer/team/bringStatement';
import {
  type SessionRecord,
  withAdmission,
  withoutMembers,
  withRenewedLease,
} from '../../src/peer/team/sessionRecord';
import { SourceDialer } from '../../src/peer/transfer/sourceDialer';
import type { TransferSecurity } from '../../src/peer/transfer/transferSecurity';
import { PeershelfError } from '../../src/common/errors';
import { openStatement, signStatement, type StatementBundle } from '../../src/protocol/statement';
import { MAX_STATEMENT_BODY_BYTES, MAX_STATEMENT_IDENTITIES } from '../../src/protocol/limits';
import { deriveTeamKeys } from '../../src/protocol/teamKeys';
import { useCleanup } from '../support/cleanup';
import { type Relay, startRelay } from '../support/relay';
import { rejectsWith } from '../support/rejectsWith';
import { startPeer, type TestPeer } from '../support/startPeer';
import { startTeam, type TestTeam } from '../support/startTeam';
import { connectAs, newMember, newProofKey, startFetching, startTeamServer } from '../support/team';
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

  /** One request of the removed member for the whole file, once it is answered. */
  const steal = async (): Promise<{ readonly end: Promise<string> }> => {
    const { serving } = await alice.peer.snapshot();
    assert.ok(serving);
    const mallory = securityOf(malloryIdentity, team.record);
    const connection = await connectAs(cleanup, serving.port, mallory);
    const server = securityOf(aliceIdentity, team.record);
    connection.send(
      `GET /v2/objects/${contentId} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n` +
        `Authorization: ${connection.prove(mallory, server)}\r\n\r\n`,
    );
    assert.match(await connection.readLine(), /^HTTP\/1\.1 200 /u);
    const end = connection.readAll().then(({ length }) => (length >= 20 * MIB ? 'whole' : 'ended'));
    return { end };
  };
  /** Another member tells alice, by a fetch that may go on after that. */
  const tell = async (record: SessionRecord): Promise<void> => {
    const heard: StatementBundle[] = [];
    const informed = securityOf(await makeIdentity(new Date()), record, heard);
    await Promise.race([
      fetchAs(informed).catch(() => undefined),
      eventually(() => heard[0], 'its own'),
    ]);
  };
  const withLeaseUntil = (record: SessionRecord, validUntilMs: number): SessionRecord => {
    const renewed = withRenewedLease(record, new Date());
    const { owner, root } = renewed;
    const said = { ...renewed.statement.statement, validUntilMs };
    const statement = openStatement({ statement: signStatement(said, owner.privateKey) }, root);
    assert.ok(statement);
    return { ...renewed, statement };
  };

  it('ends what runs when a list of members leaves out who is served, key or not', async () => {
    const stolen = await steal();
    const members = [openIdentity(aliceIdentity).fingerprint];
    await tell(withAdmission(team.record, { admission: 'listed', members, now: new Date() }));
    assert.equal(await stolen.end, 'ended');
  });

  it('ends what runs when a removal is heard in an older statement', async () => {
    const renewed = withRenewedLease(withRenewedLease(team.record, new Date()), new Date());
    await tell(renewed);
    const stolen = await steal();
    await tell(rotated);
    assert.equal(await stolen.end, 'ended');
  });

  it('ends what runs with the lease, with nothing said and nothing asked', async () => {
    const stolen = await steal();
    await tell(withLeaseUntil(team.record, Date.now() + 4_000));
    assert.equal(await stolen.end, 'ended');
  });

  it('ends what is fetched from whom it refuses now', async () => {
    const proofKey = newProofKey();
    const [own, other] = await Promise.all([newMember(proofKey), newMember(proofKey)]);
    const server = await startTeamServer(cleanup, other);
    const refusals: PeershelfError[] = [];
    const security = { ...own, refusalOf: () => refusals[0] };
    const dialer = new SourceDialer(systemClock, () => security);
    const { fingerprint } = other.identity;
    const source = { host: '127.0.0.1', port: server.port, fingerprint };
    const { socket } = await dialer.dial({ source, deadlineMs: 10_000 });
    cleanup.add(() => void socket.destroy());
    dialer.endRefused();
    assert.equal(socket.destroyed, false);
    refusals.push(new PeershelfError('LEASE_ENDED', 'it is over'));
    dialer.endRefused();
    assert.equal(socket.destroyed, true);
    await rejectsWith('LEASE_ENDED', dialer.dial({ source, deadlineMs: 10_000 }));
  });

  it('serves the removed member until anybody tells it, and then ends that at once', async () => {
    const stolen = await steal();
    const informed = await makeIdentity(new Date());
    // By a refusal, or by the end of what alice serves, whichever comes first.
    await assert.rejects(fetchAs(securityOf(informed, rotated)));
    assert.equal(await stolen.end, 'ended');
    await assert.rejects(fetchAs(securityOf(malloryIdentity, team.record)));
  });

  it('hears of a statement with as many removals as there may be, whatever strangers send', async () => {
    const others = Array.from({ length: MAX_STATEMENT_IDENTITIES - 1 }, () =>
      randomBytes(32).toString('hex'),
    );
    const removed = [...others, openIdentity(malloryIdentity).fingerprint];
    const large = withoutMembers(team.record, { removed, recipients: [], now: new Date() });
    const { serving } = await alice.peer.snapshot();
    assert.ok(serving);
    const stranger = securityOf(await makeIdentity(new Date()), rotated);
    // More than all may hold together, in pieces that never end.
    const flood = Array.from({ length: 30 }, async () => {
      const connection = await connectAs(cleanup, serving.port, stranger);
      connection.send(
        'POST /v2/statement HTTP/1.1\r\nHost: 127.0.0.1\r\n' +
          `Content-Length: ${MAX_STATEMENT_BODY_BYTES}\r\n\r\n${'x'.repeat(200 * 1024)}`,
      );
    });
    await Promise.all(flood);
    const stolen = await steal();
    await assert.rejects(fetchAs(securityOf(await makeIdentity(new Date()), large)));
    assert.equal(await stolen.end, 'ended');
    await assert.rejects(fetchAs(securityOf(malloryIdentity, team.record)));
  });

  it('is told again after a minute when it could not be told', async () => {
    const proofKey = newProofKey();
    const [own, other] = await Promise.all([newMember(proofKey), newMember(proofKey)]);
    const server = await startTeamServer(cleanup, other);
    const { statements } = securityOf(malloryIdentity, team.record);
    let shiftMs = 0;
    const clock = { ...systemClock, monotonic: () => systemClock.monotonic() + shiftMs };
    const answers = [false, true];
    const tell = (): Promise<boolean> =>
      Promise.resolve(answers.shift() ?? assert.fail('once more'));
    const dialer = new SourceDialer(clock, () => ({ ...own, statements }), tell);
    const { fingerprint } = other.identity;
    const dial = async (): Promise<number> => {
      const source = { host: '127.0.0.1', port: server.port, fingerprint };
      const { socket } = await dialer.dial({ source, deadlineMs: 10_000 });
      socket.on('error', () => undefined).destroy();
      return answers.length;
    };
    assert.equal(await dial(), 1);
    assert.equal(await dial(), 1, 'not at once');
    shiftMs = 61_000;
    assert.equal(await dial(), 0);
    shiftMs = 24 * 3_600_000;
    assert.equal(await dial(), 0, 'it has been told');
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
