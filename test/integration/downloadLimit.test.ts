import { strict as assert } from 'node:assert';
import { randomBytes } from 'node:crypto';
import { useCleanup } from '../support/cleanup';
import { startPeer } from '../support/startPeer';
import { startTracker } from '../support/startTracker';

const MIB = 1024 * 1024;
const RATE = 5 * MIB;

describe('the limit of downloads', () => {
  const cleanup = useCleanup();

  it('holds for all downloads together, to the tenth of a second that may come at once', async () => {
    const { address: tracker } = await startTracker(cleanup);
    const alice = await startPeer(cleanup, { tracker, settings: { hostname: 'alice' } });
    const settings = { maxDownloadBytesPerSecond: RATE };
    const bob = await startPeer(cleanup, { tracker, settings });
    const names = ['first', 'second'];
    for (const name of names) await alice.publish(name, randomBytes(3 * MIB));

    const startMs = performance.now();
    await Promise.all(
      names.map((name) => bob.peer.fetch({ name, destination: bob.path(name), ifExists: 'fail' })),
    );
    const seconds = (performance.now() - startMs) / 1000;
    // What each download has asked for last is over when it has come, whatever it owes.
    const leastBytes = names.length * 3 * MIB - names.length * MIB - RATE / 10;
    assert.ok(seconds >= leastBytes / RATE, `${seconds} s`);
  });
});
