import { strict as assert } from 'node:assert';
import { createServer } from 'node:net';
import { useCleanup } from '../support/cleanup';
import { occupyPort } from '../support/ports';
import { connectRaw } from '../support/rawPeer';
import { rejectsWith } from '../support/rejectsWith';
import { startPeer } from '../support/startPeer';
import { startTracker } from '../support/startTracker';

describe('the port of a peer', () => {
  const cleanup = useCleanup();

  const publishWith = async (ports: { first: number; last: number }): Promise<number> => {
    const { address: tracker } = await startTracker(cleanup);
    const alice = await startPeer(cleanup, { tracker, settings: { ports } });
    await alice.publish('a.txt');
    return (await alice.peer.snapshot()).serving?.port ?? 0;
  };

  it('is open to the network when an address is advertised, also through a tunnel', async () => {
    const { address: tracker } = await startTracker(cleanup);
    const alice = await startPeer(cleanup, {
      tracker,
      settings: { advertiseAddress: '192.0.2.1' },
    });
    await alice.publish('a.txt');
    const { serving } = await alice.peer.snapshot();
    assert.equal(serving?.host, '192.0.2.1');
    await connectRaw(cleanup, { host: '127.0.0.2', port: serving.port });
  });

  it('is the next free one of its range', async () => {
    const taken = await occupyPort(cleanup);
    const chosen = await publishWith({ first: taken, last: Math.min(taken + 20, 65_535) });
    assert.ok(chosen > taken && chosen <= taken + 20);
  });

  it('is said to be in use, and nothing looks published', async () => {
    const port = await occupyPort(cleanup);
    await rejectsWith('PORT_IN_USE', publishWith({ first: port, last: port }));
  });

  it('is not opened on an address of another computer, which is said', async () => {
    const { address: tracker } = await startTracker(cleanup);
    const alice = await startPeer(cleanup, { tracker, settings: { listenHost: '192.0.2.1' } });
    await rejectsWith('INVALID_ARGUMENT', alice.publish('a.txt'));
    assert.deepEqual((await alice.peer.snapshot()).published, []);
  });

  it('is said to be missing when the whole range is taken', async () => {
    const { address: tracker } = await startTracker(cleanup);
    const holder = await startPeer(cleanup, { tracker, settings: { hostname: 'holder' } });
    await holder.publish('x');
    const first = await occupyPort(cleanup);
    const second = createServer();
    cleanup.add(() => second.close());
    // A neighbour that is taken by somebody else already is just as good.
    await new Promise((resolve) => {
      second.once('error', resolve).listen(first + 1, '127.0.0.1', () => resolve(undefined));
    });
    const alice = await startPeer(cleanup, {
      tracker,
      settings: { ports: { first, last: first + 1 } },
    });
    await rejectsWith('NO_FREE_PORT', alice.publish('a.txt'));
    assert.deepEqual((await alice.peer.snapshot()).published, []);
    // Another setting is enough to go on.
    await alice.peer.configure({ ports: { first: 0, last: 0 } });
    await alice.publish('a.txt');
    const { published } = await alice.peer.snapshot();
    assert.equal(published[0]?.state, 'offered');
  });
});
