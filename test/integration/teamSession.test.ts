import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { createIdentity } from '../../src/peer/identity/identity';
import type { ConnectionState } from '../../src/peer/peerApi';
import { createSessionRecord, withNewKey } from '../../src/peer/team/sessionRecord';
import { useCleanup } from '../support/cleanup';
import { rejectsWith } from '../support/rejectsWith';
import { startPeer, type TestPeer } from '../support/startPeer';
import { startTeam } from '../support/startTeam';
import { startTracker } from '../support/startTracker';
import { temporaryFolder } from '../support/temporaryFolder';
import { nextEvent } from '../support/waitFor';

const NOW = new Date();

describe('the session of a team', () => {
  const cleanup = useCleanup();

  const seenBy = async ({ peer }: TestPeer): Promise<string[]> => {
    await peer.refreshNetwork();
    const { files } = await peer.networkFiles({ limit: 100 });
    return files.map(({ displayName, name }) => `${displayName}: ${name}`);
  };
  const isKind =
    (kind: ConnectionState['kind']) =>
    (state: ConnectionState): boolean =>
      state.kind === kind;

  it('lets members publish and fetch, and says which session it is', async () => {
    const team = await startTeam(cleanup);
    const alice = await team.join({ settings: { hostname: 'alice', displayName: 'Alice' } });
    const bob = await team.join({ settings: { hostname: 'bob' } });
    await alice.publish('docs/a.txt', 'for members');
    assert.deepEqual(await seenBy(bob), ['Alice: docs/a.txt']);
    const result = await bob.peer.fetch({
      ...{ name: 'docs/a.txt', destination: bob.path('a.txt'), ifExists: 'fail' },
    });
    assert.equal(result.displayName, 'Alice');
    assert.equal(readFileSync(bob.path('a.txt'), 'utf8'), 'for members');
    const { connection } = await bob.peer.snapshot();
    assert.ok(connection.kind === 'connected' && connection.team === 'Team');
  });

  it('lets members fetch a folder, and a large file from several', async () => {
    const team = await startTeam(cleanup);
    const alice = await team.join({ settings: { hostname: 'alice' } });
    const bob = await team.join({ settings: { hostname: 'bob' } });
    const carol = await team.join({ settings: { hostname: 'carol' } });
    const large = Buffer.alloc(24 * 1024 * 1024, 'large ');
    for (const peer of [alice, bob]) await peer.publish('large.bin', large);
    for (let index = 0; index < 50; index += 1)
      await alice.publish(`many/${index}.txt`, `${index}`);
    await carol.peer.fetch({
      ...{ name: 'large.bin', destination: carol.path('large.bin'), ifExists: 'fail' },
    });
    assert.ok(readFileSync(carol.path('large.bin')).equals(large));
    const folder = await carol.peer.fetchFolder({
      ...{ prefix: 'many/', destination: carol.path('many'), ifExists: 'fail' },
    });
    assert.deepEqual([folder.fetched, folder.failedCount], [50, 0]);
    assert.equal(readFileSync(carol.path('many/49.txt'), 'utf8'), '49');
  });

  it('takes nobody with the invite of another key, and does not try again', async () => {
    const team = await startTeam(cleanup);
    const other = await startTeam(cleanup, { record: withNewKey(team.record, NOW) });
    const stranger = await startPeer(cleanup);
    const ended = nextEvent(stranger.peer.onDidChangeConnection, isKind('disconnected'));
    const identity = await createIdentity(NOW);
    await rejectsWith(
      'INVITE_OUTDATED',
      stranger.peer.connect({ invite: other.inviteTo(team.address), identity }),
    );
    const state = await ended;
    assert.ok(state.kind === 'disconnected' && state.error?.code === 'INVITE_OUTDATED');
  });

  it('is found by its certificate: another tracker at the address is told nothing', async () => {
    const team = await startTeam(cleanup);
    const other = await startTeam(cleanup, { record: await createSessionRecord('Other', NOW) });
    const open = await startTracker(cleanup);
    const identity = await createIdentity(NOW);
    const one = await startPeer(cleanup);
    await rejectsWith(
      'TRACKER_IDENTITY_MISMATCH',
      one.peer.connect({ invite: team.inviteTo(other.address), identity }),
    );
    await rejectsWith(
      'TRACKER_UNREACHABLE',
      one.peer.connect({ invite: team.inviteTo(open.address), identity }),
    );
    await one.peer.connect({
      invite: team.inviteTo(open.address, other.address, team.address),
      identity,
    });
    assert.equal(team.tracker.connectionCount, 1);
    assert.equal(other.tracker.connectionCount, 0);
  });

  it('gives back a hostname to its identity only, also after both were away', async () => {
    const team = await startTeam(cleanup);
    const settings = { hostname: 'alice' };
    const alice = await team.join({ settings });
    await alice.publish('a');
    await alice.peer.stop();
    const mallory = await team.join({ settings });
    await mallory.publish('m');
    const bob = await team.join({ settings: { hostname: 'bob' } });
    await bob.peer.refreshNetwork();
    assert.deepEqual(
      (await bob.peer.networkPeers()).map(({ hostname }) => hostname),
      ['alice-2'],
    );
  });

  it('offers nothing of another session', async () => {
    const [one, two] = [await startTeam(cleanup), await startTeam(cleanup)];
    const storageFolder = temporaryFolder(cleanup);
    const alice = await one.join({ storageFolder });
    await alice.publish('only here');
    const identity = await createIdentity(NOW);
    await alice.peer.connect({ invite: two.invite, identity });
    assert.deepEqual((await alice.peer.snapshot()).published, []);
    assert.deepEqual(await seenBy(await two.join({ settings: { hostname: 'bob' } })), []);
    await alice.peer.connect({ invite: one.invite, identity });
    assert.deepEqual(
      (await alice.peer.snapshot()).published.map(({ name }) => name),
      ['only here'],
    );
  });

  it('goes on when its tracker was restarted, with the same invite', async () => {
    const first = await startTeam(cleanup);
    const alice = await first.join({ settings: { hostname: 'alice' } });
    await alice.publish('a');
    const { record, address } = first;
    const waiting = nextEvent(alice.peer.onDidChangeConnection, isKind('waiting'));
    await first.tracker.stop();
    await waiting;
    const connected = nextEvent(alice.peer.onDidChangeConnection, isKind('connected'));
    const second = await startTeam(cleanup, { record, port: address.port });
    await connected;
    const bob = await second.join({ settings: { hostname: 'bob' } });
    assert.deepEqual(await seenBy(bob), ['Somebody: a']);
  });

  it('refuses invites that are damaged, or none', async () => {
    const team = await startTeam(cleanup);
    const one = await startPeer(cleanup);
    const identity = await createIdentity(NOW);
    const damaged = `${team.invite.slice(0, -3)}xyz`;
    await rejectsWith('INVITE_DAMAGED', one.peer.connect({ invite: damaged, identity }));
    await rejectsWith('INVITE_NOT_FOUND', one.peer.connect({ invite: 'hello', identity }));
  });
});
