import { strict as assert } from 'node:assert';
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join as joinPath } from 'node:path';
import { systemClock } from '../../src/common/clock';
import { nullLogger } from '../../src/common/logger';
import { processExists } from '../../src/common/processExists';
import { LocalTracker, type TrackerStart } from '../../src/editor/localTracker';
import { createIdentity } from '../../src/peer/identity/identity';
import { bringStatement } from '../../src/peer/team/bringStatement';
import {
  createSessionRecord,
  inviteOf,
  type SessionRecord,
  verifierOf,
  withNewKey,
} from '../../src/peer/team/sessionRecord';
import type { HostPort } from '../../src/protocol/address';
import { formatInvite } from '../../src/protocol/invite';
import { deriveTeamKeys } from '../../src/protocol/teamKeys';
import { useCleanup } from '../support/cleanup';
import { rejectsWith } from '../support/rejectsWith';
import { startPeer, type TestPeer } from '../support/startPeer';
import { startTracker } from '../support/startTracker';
import { temporaryFolder } from '../support/temporaryFolder';
import { nextEvent } from '../support/waitFor';

const DIST = joinPath(__dirname, '../../dist');

interface Started {
  readonly tracker: LocalTracker;
  readonly address: HostPort;
  readonly record: SessionRecord;
  readonly team: string;
}

function startOf(record: SessionRecord, { host, port }: HostPort): TrackerStart {
  return { host, port, team: record.team.id, verifier: JSON.stringify(verifierOf(record)) };
}

function inviteTo({ record, address }: Pick<Started, 'record' | 'address'>): string {
  return formatInvite(inviteOf(record, [address]));
}

describe('the local tracker', () => {
  const cleanup = useCleanup();

  const create = (folder: string): LocalTracker => {
    const localTracker = new LocalTracker({
      bundle: joinPath(DIST, 'tracker.js'),
      folder,
      logger: nullLogger,
    });
    cleanup.add(() => localTracker.dispose());
    return localTracker;
  };
  const joinWith = async (invite: string): Promise<TestPeer> => {
    const member = await startPeer(cleanup);
    const identity = await createIdentity(new Date(systemClock.now()));
    await member.peer.connect({ invite, identity });
    return member;
  };
  const join = (started: Started): Promise<TestPeer> => joinWith(inviteTo(started));
  const pidIn = (folder: string): number =>
    (JSON.parse(readFileSync(joinPath(folder, 'record.json'), 'utf8')) as { pid: number }).pid;
  const start = async (folder: string, record?: SessionRecord): Promise<Started> => {
    const session = record ?? (await createSessionRecord('Team', new Date(systemClock.now())));
    const tracker = create(folder);
    const address = await tracker.start(startOf(session, { host: '127.0.0.1', port: 0 }));
    const pid = pidIn(folder);
    cleanup.add(() => processExists(pid) && process.kill(pid));
    return { tracker, address, record: session, team: session.team.id };
  };

  it('is a process of its own that outlives its window, is adopted, and stops when told', async () => {
    const folder = temporaryFolder(cleanup);
    const first = await start(folder);
    await join(first);
    const pid = pidIn(folder);
    assert.notEqual(pid, process.pid);
    first.tracker.dispose();

    const second = create(folder);
    const adopted = (): number | undefined => second.adopted?.port;
    assert.equal(adopted(), undefined);
    second.adopt(first.team);
    assert.equal(adopted(), first.address.port);
    await join(first);
    await second.stop();
    assert.equal(processExists(pid), false);
    assert.equal(second.recorded, undefined);
    assert.deepEqual(
      readdirSync(folder).filter((name) => !name.startsWith('hostnames-')),
      ['last.json'],
    );
    assert.equal(second.last?.port, first.address.port);
  });

  it('is recorded whole or not at all, so that no other window reads a part and puts it aside', async () => {
    const folder = temporaryFolder(cleanup);
    const first = await start(folder);
    await first.tracker.stop();
    const reader = openSync(joinPath(folder, 'last.json'), 'r');
    cleanup.add(() => closeSync(reader));
    const second = await start(folder);
    const { port } = JSON.parse(readFileSync(reader, 'utf8')) as HostPort;
    assert.equal(port, first.address.port);
    assert.equal(second.tracker.last?.port, second.address.port);
  });

  it('stays stopped when another window renews at that moment', async () => {
    const folder = temporaryFolder(cleanup);
    const first = await start(folder);
    const pid = pidIn(folder);
    const second = create(folder);
    second.adopt(first.team);
    const stopping = first.tracker.stop();
    // Taking it up again renews at once, as the timer of the other window might.
    second.adopt(first.team);
    assert.equal(second.adopted, undefined);
    await stopping;
    assert.equal(processExists(pid), false);
  });

  it('ends no other tracker than its own', async () => {
    const folder = temporaryFolder(cleanup);
    const first = await start(folder);
    const firstPid = pidIn(folder);
    const second = await start(folder);
    await first.tracker.stop();
    assert.equal(processExists(firstPid), false);
    await join(second);
    assert.deepEqual(second.tracker.recorded?.port, second.address.port);
    await second.tracker.stop();
    assert.deepEqual(
      readdirSync(folder).filter((name) => !name.startsWith('hostnames-')),
      ['last.json'],
    );
  });

  it('gives up a tracker whose lease another window has removed', async () => {
    const folder = temporaryFolder(cleanup);
    const first = await start(folder);
    const second = create(folder);
    second.adopt(first.team);
    await first.tracker.stop();
    let changes = 0;
    second.onDidChange(() => (changes += 1));
    // As the timer does every 15 seconds.
    const inside = second as unknown as { renew(record: unknown): void; current: unknown };
    inside.renew(inside.current);
    assert.equal(second.adopted, undefined);
    assert.equal(changes, 1);
  });

  it('adopts nothing that is not the recorded one', async () => {
    const folder = temporaryFolder(cleanup);
    const { address, tracker } = await start(folder);
    const other = create(folder);
    other.adopt('0'.repeat(64));
    assert.equal(other.adopted, undefined);
    assert.equal(other.recorded?.port, address.port);
    await tracker.stop();
  });

  it('says that its port is in use', async () => {
    const { address: taken } = await startTracker(cleanup);
    const tracker = create(temporaryFolder(cleanup));
    const record = await createSessionRecord('Team', new Date(systemClock.now()));
    const error = await rejectsWith('PORT_IN_USE', tracker.start(startOf(record, taken)));
    assert.equal(error.details['port'], taken.port);
  });

  it('takes a damaged record for none', () => {
    const folder = temporaryFolder(cleanup);
    mkdirSync(folder, { recursive: true });
    writeFileSync(joinPath(folder, 'record.json'), '{"pid":');
    assert.equal(create(folder).recorded, undefined);
  });

  it('goes on as the same session on the same port, with an invite that stays valid', async () => {
    const folder = temporaryFolder(cleanup);
    const first = await start(folder);
    const invite = inviteTo(first);
    await first.tracker.stop();
    const second = create(folder);
    const { last } = second;
    assert.equal(last?.team, first.team);
    await second.start(startOf(first.record, last));
    await joinWith(invite);
    await second.stop();
  });

  it('takes another token while it runs: who has the old invite is out, who has the new one in', async () => {
    const folder = temporaryFolder(cleanup);
    const first = await start(folder);
    const member = await join(first);
    const renewed = withNewKey(first.record, new Date());
    const ended = nextEvent(
      member.peer.onDidChangeConnection,
      (state) => state.kind === 'disconnected' && state.error?.code === 'INVITE_OUTDATED',
    );
    await bringStatement(renewed, { addresses: [first.address], clock: systemClock });
    await ended;
    await rejectsWith('INVITE_OUTDATED', joinWith(inviteTo(first)));
    await joinWith(inviteTo({ ...first, record: renewed }));
    await first.tracker.stop();
  });

  it('shows nothing secret in its folder, its arguments and its environment', async () => {
    const folder = temporaryFolder(cleanup);
    const { record, tracker } = await start(folder);
    const pid = pidIn(folder);
    // Other systems have no such files; there the folder alone is looked at.
    const ofProcess = process.platform === 'linux' ? ['cmdline', 'environ'] : [];
    const seen = ofProcess.map((file) => readFileSync(`/proc/${pid}/${file}`));
    const files = readdirSync(folder).map((name) => readFileSync(joinPath(folder, name)));
    const { trackerToken, membershipKey, proofKey } = deriveTeamKeys(record.team);
    const keys = [record.team.key, trackerToken, membershipKey, proofKey].map((key) =>
      key.export(),
    );
    for (const text of [...seen, ...files]) {
      for (const key of keys)
        for (const encoding of ['hex', 'base64', 'base64url'] as const)
          assert.equal(text.includes(key.toString(encoding)), false);
      assert.equal(text.includes(record.tracker.privateKey), false);
    }
    await tracker.stop();
  });
});
