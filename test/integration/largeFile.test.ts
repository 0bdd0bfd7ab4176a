import { strict as assert } from 'node:assert';
import { statSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { useCleanup } from '../support/cleanup';
import { startPeer } from '../support/startPeer';
import { startTracker } from '../support/startTracker';

/** More than 32 bits can count. */
const LARGE_BYTES = 5 * 1024 ** 3;
/** What one transfer may hold, both ends of it in this one process; measured alone it is a sixth. */
const MAX_GROWTH_BYTES = 2 * 64 * 1024 ** 2;

describe('a file of 5 GiB', () => {
  const cleanup = useCleanup();

  it('arrives whole, through little memory', async function () {
    this.timeout(240_000);
    const { address: tracker } = await startTracker(cleanup);
    const alice = await startPeer(cleanup, { tracker, settings: { hostname: 'alice' } });
    const bob = await startPeer(cleanup, { tracker, settings: { hostname: 'bob' } });
    const path = alice.write('large.bin', '');
    truncateSync(path, LARGE_BYTES);
    await alice.peer.publish({ files: [{ path, name: 'large.bin' }] });
    const before = process.memoryUsage().rss;
    let peak = before;
    const destination = join(bob.folder, 'large.bin');
    const result = await bob.peer.fetch(
      { name: 'large.bin', destination, ifExists: 'fail' },
      { onProgress: () => (peak = Math.max(peak, process.memoryUsage().rss)) },
    );
    assert.equal(result.sizeBytes, LARGE_BYTES);
    assert.equal(statSync(destination).size, LARGE_BYTES);
    assert.ok(peak - before < MAX_GROWTH_BYTES, `grew by ${(peak - before) / 1024 ** 2} MiB`);
    unlinkSync(destination);
  });
});

describe('places that cannot be written', () => {
  const cleanup = useCleanup();

  it('say so, and nothing is left', async () => {
    const { address: tracker } = await startTracker(cleanup);
    const alice = await startPeer(cleanup, { tracker, settings: { hostname: 'alice' } });
    await alice.publish('a.txt');
    const bob = await startPeer(cleanup, { tracker, settings: { hostname: 'bob' } });
    writeFileSync(join(bob.folder, 'file'), '');
    for (const place of ['file/in/it', 'file/it']) {
      const fetching = bob.peer.fetch({
        name: 'a.txt',
        destination: join(bob.folder, place),
        ifExists: 'fail',
      });
      await assert.rejects(fetching, { code: 'FOLDER_NOT_WRITABLE' });
    }
  });
});
