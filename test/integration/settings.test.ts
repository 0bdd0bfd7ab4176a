import { strict as assert } from 'node:assert';
import { useCleanup } from '../support/cleanup';
import { freePort, occupyPort } from '../support/ports';
import { startPeer } from '../support/startPeer';
import { startTracker } from '../support/startTracker';

describe('settings that change while a peer is connected', () => {
  const cleanup = useCleanup();

  it('move what is published to another port, and tell of a problem no longer than there is one', async () => {
    const { address: tracker } = await startTracker(cleanup);
    const [port, busy] = [await freePort(), await occupyPort(cleanup)];
    const alice = await startPeer(cleanup, { tracker, settings: { hostname: 'alice' } });
    await alice.publish('a.txt');
    const problemOf = async (): Promise<string | undefined> => {
      const { connection } = await alice.peer.snapshot();
      return connection.kind === 'connected' ? connection.problem?.code : undefined;
    };
    await alice.peer.configure({ ports: { first: port, last: port } });
    assert.equal((await alice.peer.snapshot()).serving?.port, port);
    const bob = await startPeer(cleanup, { tracker, settings: { hostname: 'bob' } });
    await bob.peer.fetch({ name: 'a.txt', destination: bob.path('a'), ifExists: 'fail' });
    await alice.peer.configure({ ports: { first: busy, last: busy } });
    assert.equal(await problemOf(), 'PORT_IN_USE');
    assert.equal((await alice.peer.snapshot()).serving, undefined);
    assert.equal((await alice.peer.snapshot()).published[0]?.state, 'pending');
    await alice.peer.configure({ ports: { first: 0, last: 0 } });
    assert.equal(await problemOf(), undefined);
    assert.equal((await alice.peer.snapshot()).published[0]?.state, 'offered');
  });
});
