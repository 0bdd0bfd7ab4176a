import { strict as assert } from 'node:assert';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { systemClock } from '../../src/common/clock';
import { PeershelfError } from '../../src/common/errors';
import { openIdentity, type StoredIdentity } from '../../src/peer/identity/identity';
import { makeIdentity } from '../../src/peer/identity/makeIdentity';
import { bringStatement } from '../../src/peer/team/bringStatement';
import {
  inviteOf,
  type SessionRecord,
  withAdmission,
  withNewKey,
  withoutMembers,
} from '../../src/peer/team/sessionRecord';
import { formatInvite, parseInvite } from '../../src/protocol/invite';
import { useCleanup } from '../support/cleanup';
import { rejectsWith } from '../support/rejectsWith';
import { startPeer, type StartPeerOptions, type TestPeer } from '../support/startPeer';
import { startTeam, type TestTeam } from '../support/startTeam';
import { newInvite } from '../support/teams';
import { temporaryFolder } from '../support/temporaryFolder';
import { eventually, nextEvent } from '../support/waitFor';

const MIB = 1024 * 1024;

describe('a session that somebody attacks', () => {
  const cleanup = useCleanup();
  let team: TestTeam;
  let identities: Record<'alice' | 'bob' | 'mallory', StoredIdentity>;

  before(async () => {
    const [alice, bob, mallory] = await Promise.all([1, 2, 3].map(() => makeIdentity(new Date())));
    assert.ok(alice && bob && mallory);
    identities = { alice, bob, mallory };
  });

  beforeEach(async () => {
    team = await startTeam(cleanup);
  });

  type Who = keyof typeof identities;
  const idOf = (who: Who): string => openIdentity(identities[who]).fingerprint;
  const settingsOf = (hostname: string, more = {}): Pick<StartPeerOptions, 'settings'> => ({
    settings: { hostname, displayName: hostname.toUpperCase(), ...more },
  });
  const join = (who: Who, options: StartPeerOptions = {}): Promise<TestPeer> =>
    team.join({
      ...{ identity: identities[who], presence: true, ...settingsOf(who) },
      ...options,
    });
  const seenBy = async ({ peer }: TestPeer): Promise<string[]> => {
    await peer.refreshNetwork();
    return (await peer.networkFiles({ limit: 100 })).files.map(({ name }) => name).sort();
  };
  const fetch = (member: TestPeer, name: string): Promise<unknown> =>
    member.peer.fetch({ name, destination: member.path(`in/${name}`), ifExists: 'overwrite' });
  const bring = (record: SessionRecord): Promise<unknown> =>
    bringStatement(record, { addresses: [team.address], clock: systemClock });
  const without = async (removed: Who, by: TestPeer, record = team.record) => {
    const members = await by.peer.members();
    const recipients = members.flatMap(({ identity, sealingPoint }) =>
      sealingPoint === undefined ? [] : [{ identity, sealingPoint }],
    );
    return withoutMembers(record, { removed: [idOf(removed)], recipients, now: new Date() });
  };
  const endedWith = (member: TestPeer, code: string): Promise<unknown> =>
    nextEvent(
      member.peer.onDidChangeConnection,
      (state) => state.kind === 'disconnected' && state.error?.code === code,
    );

  it('cannot be claimed by an invite with its id, its tracker and its name, but other keys', async () => {
    const storageFolder = temporaryFolder(cleanup);
    const victim = await join('alice', { storageFolder });
    await victim.publish('secret-roadmap.txt', 'of the real team');
    const real = parseInvite(team.invite);
    // Nothing that an attacker can sign names the team: the id is the hash of a key that it lacks.
    const forged = newInvite({ ...real, addresses: [team.address], team: real.team });
    assert.notEqual(forged.team.id, real.team.id);
    const bytes = Buffer.from(real.signed);
    bytes.set(randomBytes(32), 40);
    const patched = formatInvite({ ...real, signed: bytes });
    await rejectsWith(
      'INVITE_FORGED',
      victim.peer.connect({ invite: patched, identity: identities.alice }),
    );
    const { connection, published } = await victim.peer.snapshot();
    assert.equal(connection.kind, 'connected', 'it replaces nothing');
    assert.equal(published[0]?.state, 'offered');
    // The other team is another session: it gets no file, no pin and no entry of this one.
    await rejectsWith(
      'MEMBERSHIP_UNCLEAR',
      victim.peer.connect({ invite: formatInvite(forged), identity: identities.alice }),
    );
    assert.deepEqual((await victim.peer.snapshot()).published, []);
    await victim.peer.connect({ invite: team.invite, identity: identities.alice });
    assert.equal((await victim.peer.snapshot()).published[0]?.state, 'offered');
  });

  it('loses a removed member at once, while the others go on without doing anything', async () => {
    const alice = await join('alice', settingsOf('alice', { maxUploadBytesPerSecond: MIB }));
    const bob = await join('bob');
    const mallory = await join('mallory', { storageFolder: temporaryFolder(cleanup) });
    await alice.publish('large.bin', randomBytes(40 * MIB));
    await seenBy(alice);
    const stolen = fetch(mallory, 'large.bin').then(
      () => 'whole',
      () => 'ended',
    );
    await eventually(
      async () => (await alice.peer.snapshot()).transfers.some(({ state }) => state === 'running'),
      'it is sent',
    );
    const rotated = await without('mallory', alice);
    const removed = endedWith(mallory, 'MEMBER_REMOVED');
    const startMs = systemClock.monotonic();
    await bring(rotated);
    await removed;
    assert.equal(await stolen, 'ended');
    assert.equal(existsSync(mallory.path('in/large.bin')), false);
    // Alice may be on her way into the new epoch, in which the tracker takes nothing of her.
    await eventually(
      () =>
        alice.publish('after.txt', 'for members').then(
          () => true,
          (error: unknown) => {
            if (!PeershelfError.is(error, 'TRACKER_REFUSED')) throw error;
            return undefined;
          },
        ),
      'alice goes on',
    );
    await alice.peer.configure({ maxUploadBytesPerSecond: 0 });
    await eventually(async () => {
      const seen = await seenBy(bob).catch((): string[] => []);
      return seen.includes('after.txt') || undefined;
    }, 'bob goes on');
    await fetch(bob, 'after.txt');
    const tookMs = systemClock.monotonic() - startMs;
    assert.ok(tookMs < 20_000, `${tookMs} ms`);
    // Neither the old invite nor a new identity behind it opens anything.
    await rejectsWith(
      'MEMBER_REMOVED',
      mallory.peer.connect({
        invite: team.invite,
        identity: identities.mallory,
        isReturning: true,
      }),
    );
    const fresh = await startPeer(cleanup);
    const identity = await makeIdentity(new Date());
    await rejectsWith('INVITE_OUTDATED', fresh.peer.connect({ invite: team.invite, identity }));
    // The new invite neither, for the identity that was removed.
    const leaked = formatInvite(inviteOf(rotated, [team.address]));
    await rejectsWith(
      'MEMBER_REMOVED',
      fresh.peer.connect({ invite: leaked, identity: identities.mallory }),
    );
  });

  it('takes a member back who was away for several epochs, by one envelope', async () => {
    const alice = await join('alice');
    const storageFolder = temporaryFolder(cleanup);
    const bob = await join('bob', { storageFolder });
    const mallory = await join('mallory');
    await alice.publish('a.txt', 'x');
    await eventually(async () => (await alice.peer.members()).length === 3 || undefined, 'all');
    await bob.peer.stop();
    await mallory.peer.stop();
    let record = await without('mallory', alice);
    await bring(record);
    for (let epoch = 0; epoch < 2; epoch += 1) {
      await seenBy(alice).catch(() => []);
      record = withoutMembers(record, {
        ...{ removed: [], now: new Date() },
        recipients: (await alice.peer.members()).flatMap(({ identity, sealingPoint }) =>
          sealingPoint === undefined ? [] : [{ identity, sealingPoint }],
        ),
      });
      await bring(record);
    }
    assert.equal(record.team.epoch, 4);
    const back = await startPeer(cleanup, { storageFolder, ...settingsOf('bob') });
    await back.peer.connect({
      ...{ invite: team.invite, identity: identities.bob, isReturning: true },
    });
    await eventually(
      async () => (await seenBy(back)).includes('a.txt') || undefined,
      'bob is back',
    );
    await fetch(back, 'a.txt');
  });

  it('never goes back: neither by a replayed statement nor by an older copy of the owner', async () => {
    const alice = await join('alice');
    await join('mallory');
    await eventually(async () => (await alice.peer.members()).length === 2 || undefined, 'both');
    const rotated = await without('mallory', alice);
    await bring(rotated);
    // A copy of the owner's key from before the removal signs another epoch.
    await rejectsWith('OWNER_BEHIND', bring(withNewKey(team.record, new Date())));
    await rejectsWith('OWNER_BEHIND', bring(team.record));
    await rejectsWith(
      'MEMBER_REMOVED',
      team.join({ identity: identities.mallory, ...settingsOf('mallory') }),
    );
  });

  it('lets in nobody but listed members, whoever has the invite', async () => {
    await join('alice');
    const members = [idOf('alice'), idOf('bob')];
    await bring(withAdmission(team.record, { admission: 'listed', members, now: new Date() }));
    await join('bob');
    await rejectsWith('MEMBER_REMOVED', join('mallory'));
  });

  it('refuses invites that are old or have expired before anything is connected', async () => {
    const storageFolder = temporaryFolder(cleanup);
    const alice = await join('alice', { storageFolder });
    const renewed = withNewKey(team.record, new Date());
    const outdated = endedWith(alice, 'INVITE_OUTDATED');
    await bring(renewed);
    await outdated;
    const invite = formatInvite(inviteOf(renewed, [team.address]));
    await alice.peer.connect({ invite, identity: identities.alice });
    await team.tracker.stop();
    await rejectsWith(
      'INVITE_OUTDATED',
      alice.peer.connect({ invite: team.invite, identity: identities.alice }),
    );
    const expired = formatInvite(inviteOf(renewed, [team.address], Date.now() - 1_000));
    const bob = await startPeer(cleanup);
    await rejectsWith(
      'INVITE_EXPIRED',
      bob.peer.connect({ invite: expired, identity: identities.bob }),
    );
  });
});
