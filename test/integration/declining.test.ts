import { strict as assert } from 'node:assert';
import { randomBytes } from 'node:crypto';
import type { Transfer } from '../../src/peer/peerApi';
import { useCleanup } from '../support/cleanup';
import { rejectsWith } from '../support/rejectsWith';
import { startPeer, type TestPeer } from '../support/startPeer';
import { startTracker } from '../support/startTracker';
import { eventually } from '../support/waitFor';

const MIB = 1024 * 1024;
/** Slow enough to be ended in the middle. */
const SLOW = MIB;
const SMALL_FILES = 60;

describe('an upload that is ended by who offers the file', () => {
  const cleanup = useCleanup();
  let alice: TestPeer;
  let bob: TestPeer;

  const start = async (slow: { alice?: number; bob?: number }): Promise<void> => {
    const { address: tracker } = await startTracker(cleanup);
    alice = await startPeer(cleanup, {
      tracker,
      settings: { hostname: 'alice', maxUploadBytesPerSecond: slow.alice ?? 0 },
    });
    bob = await startPeer(cleanup, {
      tracker,
      settings: { hostname: 'bob', maxDownloadBytesPerSecond: slow.bob ?? 0 },
    });
  };
  const fetch = (name: string): Promise<unknown> =>
    bob.peer.fetch({ name, destination: bob.path(`in/${name}`), ifExists: 'fail' });
  const uploads = async (): Promise<readonly Transfer[]> =>
    (await alice.peer.snapshot()).transfers.filter(({ bytes }) => bytes > 0);
  const running = (): Promise<Transfer> =>
    eventually(
      async () => (await uploads()).find(({ state }) => state === 'running'),
      'an upload that runs',
    );

  it('stops, although its bytes were on their way already, and is not begun again', async () => {
    // All that Bob has asked for is sent at once, and waits for him in the network.
    await start({ bob: SLOW });
    await alice.publish('large.bin', randomBytes(8 * MIB));
    const fetching = fetch('large.bin');
    const declined = rejectsWith('DECLINED', fetching);
    const { id } = await running();
    await alice.peer.cancelTransfer({ id });
    await declined;
    assert.deepEqual(
      (await uploads()).map(({ state }) => state),
      ['cancelled'],
    );
    const { transfers } = await bob.peer.snapshot();
    assert.ok((transfers.at(-1)?.bytes ?? 0) < 8 * MIB);
    // For this file alone.
    await alice.publish('other.txt');
    await fetch('other.txt');
    await rejectsWith('DECLINED', fetch('large.bin'));
  });

  it('is served again as soon as it is published again', async () => {
    await start({ alice: SLOW });
    const file = await alice.publish('large.bin', randomBytes(8 * MIB));
    const failed = assert.rejects(fetch('large.bin'));
    await running();
    await alice.peer.unpublish({ names: ['large.bin'] });
    await failed;
    await alice.peer.configure({ maxUploadBytesPerSecond: 0 });
    const files = [{ path: file, name: 'large.bin', folder: alice.folder }];
    const [outcome] = await alice.peer.publish({ files });
    assert.equal(outcome?.error, undefined);
    await fetch('large.bin');
  });

  it('is that of a whole folder, when it was of many small files', async () => {
    await start({ alice: SLOW });
    for (let index = 0; index < SMALL_FILES; index += 1)
      await alice.publish(`many/${index}.bin`, randomBytes(MIB / 4));
    const fetching = bob.peer.fetchFolder({
      prefix: 'many/',
      destination: bob.path('in'),
      folder: bob.folder,
      ifExists: 'fail',
    });
    await alice.peer.cancelTransfer(await running());
    const { fetched, failedCount, failed } = await fetching;
    assert.equal(fetched + failedCount, SMALL_FILES);
    assert.ok(failedCount > SMALL_FILES / 2, `${failedCount} failed`);
    assert.deepEqual(new Set(failed.map(({ error }) => error.code)), new Set(['DECLINED']));
  });
});
