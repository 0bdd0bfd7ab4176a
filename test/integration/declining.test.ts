import { strict as assert } from 'node:assert';
import { randomBytes } from 'node:crypto';
import type { Transfer } from '../../src/peer/peerApi';
import { useCleanup } from '../support/cleanup';
import { connectRaw } from '../support/rawPeer';
import { rejectsWith } from '../support/rejectsWith';
import { startPeer, type StartPeerOptions, type TestPeer } from '../support/startPeer';
import { startTeam } from '../support/startTeam';
import { startTracker } from '../support/startTracker';
import { eventually } from '../support/waitFor';

const MIB = 1024 * 1024;
/** Slow enough to be ended in the middle. */
const SLOW = MIB;
const SMALL_FILES = 60;

describe('an upload that is ended', () => {
  const cleanup = useCleanup();
  let alice: TestPeer;
  let bob: TestPeer;

  const slow = (hostname: string, up = 0, down = 0): StartPeerOptions => ({
    settings: {
      ...{ hostname, displayName: hostname.toUpperCase() },
      ...{ maxUploadBytesPerSecond: up, maxDownloadBytesPerSecond: down },
    },
  });
  const start = async (speed: { alice?: number; bob?: number }): Promise<void> => {
    const { address: tracker } = await startTracker(cleanup);
    alice = await startPeer(cleanup, { tracker, ...slow('alice', speed.alice) });
    bob = await startPeer(cleanup, { tracker, ...slow('bob', 0, speed.bob) });
  };
  const speedUp = (): Promise<void> => alice.peer.configure({ maxUploadBytesPerSecond: 0 });
  const fetch = (name: string, by = bob): Promise<unknown> =>
    by.peer.fetch({ name, destination: by.path(`in/${name}`), ifExists: 'fail' });
  const uploads = async (): Promise<readonly Transfer[]> =>
    (await alice.peer.snapshot()).transfers.filter(({ direction }) => direction === 'upload');
  const states = async (): Promise<string[]> => (await uploads()).map(({ state }) => state);
  const running = (name: string): Promise<Transfer> =>
    eventually(
      async () =>
        (await uploads()).find((one) => one.state === 'running' && one.name.startsWith(name)),
      `${name} is sent`,
    );

  it('by who offers the file stops, although its bytes were on their way, and is not begun again', async () => {
    // All that Bob has asked for is sent at once, and waits for him in the network.
    await start({ bob: SLOW });
    await alice.publish('large.bin', randomBytes(8 * MIB));
    const declined = rejectsWith('DECLINED', fetch('large.bin'));
    await alice.peer.cancelTransfer(await running('large.bin'));
    assert.equal((await declined).details['displayName'], 'ALICE');
    assert.deepEqual(await states(), ['cancelled']);
    const { transfers } = await bob.peer.snapshot();
    assert.ok((transfers.at(-1)?.bytes ?? 0) < 8 * MIB);
    // For this file alone.
    await alice.publish('other.txt');
    await fetch('other.txt');
    await rejectsWith('DECLINED', fetch('large.bin'));
  });

  it('by who offers the file is declined to programs of version 1, too', async () => {
    await start({ bob: SLOW });
    await alice.publish('large.bin', randomBytes(8 * MIB));
    const declined = rejectsWith('DECLINED', fetch('large.bin'));
    await alice.peer.cancelTransfer(await running('large.bin'));
    await declined;
    const { serving } = await alice.peer.snapshot();
    assert.ok(serving !== undefined);
    const program = await connectRaw(cleanup, serving);
    program.send('GET large.bin\n');
    assert.equal((await program.readAll()).toString(), 'ERROR interrupted\n');
  });

  it('by who offers the file goes on for others in a team, who share an address', async () => {
    const team = await startTeam(cleanup);
    alice = await team.join(slow('alice', SLOW));
    bob = await team.join(slow('bob'));
    const carol = await team.join({ ...slow('carol'), presence: true });
    await alice.publish('large.bin', randomBytes(8 * MIB));
    await alice.peer.refreshNetwork();
    const declined = rejectsWith('DECLINED', fetch('large.bin'));
    const { id } = await running('large.bin');
    const fetched = fetch('large.bin', carol);
    await eventually(async () => (await uploads()).length === 2 || undefined, 'both are served');
    await alice.peer.cancelTransfer({ id });
    await declined;
    await speedUp();
    await fetched;
    // Who is known by a certificate has a name; who has not said anything to the tracker has none.
    const named = (await uploads()).map(({ peer }) => peer);
    assert.deepEqual(named.sort(), ['127.0.0.1', 'CAROL']);
  });

  for (const [how, again] of [
    ['is taken back and published again', undefined],
    ['was ended, taken back and published again', 'cancelled'],
  ] as const)
    it(`by who offers the file is served again as soon as it ${how}`, async () => {
      await start({ alice: SLOW });
      const file = await alice.publish('large.bin', randomBytes(8 * MIB));
      const failed = assert.rejects(fetch('large.bin'));
      const upload = await running('large.bin');
      if (again === 'cancelled') await alice.peer.cancelTransfer(upload);
      await alice.peer.unpublish({ names: ['large.bin'] });
      await failed;
      await speedUp();
      const files = [{ path: file, name: 'large.bin', folder: alice.folder }];
      const [outcome] = await alice.peer.publish({ files });
      assert.equal(outcome?.error, undefined);
      await fetch('large.bin');
    });

  it('by who offers a folder is that of all of it, and of nothing else', async () => {
    await start({ alice: SLOW });
    for (let index = 0; index < SMALL_FILES; index += 1)
      await alice.publish(`many/${index}.bin`, randomBytes(MIB / 4));
    await alice.publish('other.bin', randomBytes(2 * MIB));
    const fetching = bob.peer.fetchFolder({
      prefix: 'many/',
      destination: bob.path('in'),
      folder: bob.folder,
      ifExists: 'fail',
    });
    const upload = await running('many/');
    const other = fetch('other.bin');
    await running('other.bin');
    await alice.peer.cancelTransfer(upload);
    await speedUp();
    const { fetched, failedCount, failed } = await fetching;
    assert.equal(fetched + failedCount, SMALL_FILES);
    assert.ok(failedCount > SMALL_FILES / 2, `${failedCount} failed`);
    assert.deepEqual(new Set(failed.map(({ error }) => error.code)), new Set(['DECLINED']));
    await other;
    // Batches that were under way were ended or done; none was begun to be declined.
    assert.ok((await uploads()).length <= 5, (await states()).join());
  });

  it('by who fetches is told as such, with what was sent', async () => {
    await start({ bob: SLOW });
    await alice.publish('large.bin', randomBytes(8 * MIB));
    const cancelled = rejectsWith('CANCELLED', fetch('large.bin'));
    await running('large.bin');
    const [download] = (await bob.peer.snapshot()).transfers;
    assert.ok(download !== undefined);
    await bob.peer.cancelTransfer(download);
    await cancelled;
    const ended = await eventually(
      async () => (await uploads()).find(({ state }) => state !== 'running'),
      'the upload has ended',
    );
    assert.ok(ended.bytes < 8 * MIB);
  });

  it('by leaving the session is nobody else’s doing', async () => {
    await start({ alice: SLOW });
    await alice.publish('large.bin', randomBytes(8 * MIB));
    const failed = assert.rejects(fetch('large.bin'));
    await running('large.bin');
    await alice.peer.disconnect();
    await failed;
    assert.deepEqual(await states(), ['cancelled']);
  });
});
