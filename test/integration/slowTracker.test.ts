import type { PublishedFile } from '../../src/peer/peerApi';
import { useCleanup } from '../support/cleanup';
import { startGate } from '../support/relay';
import { startPeer } from '../support/startPeer';
import { startTracker } from '../support/startTracker';
import { nextEvent } from '../support/waitFor';

describe('a tracker that takes its time', () => {
  const cleanup = useCleanup();

  it('has published files reported as waiting, and as offered once it has taken them', async () => {
    const { address } = await startTracker(cleanup);
    const gate = await startGate(cleanup, address.port);
    const tracker = { host: '127.0.0.1', port: gate.port };
    const before = await startPeer(cleanup, { tracker });
    await before.publish('a.txt');
    await before.peer.stop();
    gate.close();
    const { peer } = await startPeer(cleanup, { storageFolder: before.storageFolder });
    const reported = (state: PublishedFile['state']): Promise<unknown> =>
      nextEvent(peer.onDidChangePublished, ([file]) => file?.state === state);
    const waiting = reported('pending');
    const connecting = peer.connect({ tracker });
    await waiting;
    const offered = reported('offered');
    gate.open();
    await connecting;
    await offered;
  });
});
