import { strict as assert } from 'node:assert';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Cleanup } from '../../scripts/host/cleanup';
import { liveDisposables } from '../../src/common/disposable';
import { createIdentity } from '../../src/peer/identity/identity';
import { startPeer } from '../support/startPeer';
import { startTeam } from '../support/startTeam';
import { startTracker } from '../support/startTracker';
import { eventually } from '../support/waitFor';

const CYCLES = 200;
/** Caches are full and code is compiled after these. */
const WARM_UP = 40;
const HEAP_TOLERANCE = 0.05;
/** 240 handshakes of a team, on a busy machine. */
const TIMEOUT_MS = 90_000;

/** What an engine keeps after doing the same thing often. */
describe('an engine', function () {
  this.timeout(TIMEOUT_MS);
  const cleanup = new Cleanup();
  afterEach(() => cleanup.run());

  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const measure = (): { disposables: number; heapBytes: number } => {
    collect();
    collect();
    return { disposables: liveDisposables(), heapBytes: process.memoryUsage().heapUsed };
  };

  const repeat = async (act: () => Promise<void>): Promise<void> => {
    for (let cycle = 0; cycle < WARM_UP; cycle += 1) await act();
    const before = measure();
    for (let cycle = 0; cycle < CYCLES; cycle += 1) await act();
    // What the last cycle has closed may still be on its way out.
    const after = await eventually(() => {
      const now = measure();
      return now.disposables <= before.disposables ? now : undefined;
    }, 'as many disposables as before');
    const growth = after.heapBytes / before.heapBytes - 1;
    assert.ok(growth <= HEAP_TOLERANCE, `the heap has grown by ${(growth * 100).toFixed(1)} %`);
  };

  it('keeps nothing of 200 times connecting and disconnecting in an open session', async () => {
    const { address } = await startTracker(cleanup);
    const bob = await startPeer(cleanup, { tracker: address, settings: { hostname: 'bob' } });
    await bob.publish('theirs.txt');
    const erin = await startPeer(cleanup, { tracker: address });
    await erin.publish('mine.txt');
    const { peer } = erin;
    await repeat(async () => {
      await peer.disconnect();
      await peer.connect({ tracker: address });
      await peer.networkFiles({ limit: 10 });
    });
  });

  it('keeps nothing of 200 times connecting and disconnecting in a team session', async () => {
    const team = await startTeam(cleanup);
    const bob = await team.join({ settings: { hostname: 'bob' } });
    await bob.publish('theirs.txt');
    const identity = await createIdentity(new Date());
    const erin = await team.join({ identity });
    await erin.publish('mine.txt');
    const { peer } = erin;
    await repeat(async () => {
      await peer.disconnect();
      await peer.connect({ invite: team.invite, identity });
      await peer.networkFiles({ limit: 10 });
    });
  });

  it('keeps nothing of 200 times refreshing', async () => {
    const { address } = await startTracker(cleanup);
    const bob = await startPeer(cleanup, { tracker: address, settings: { hostname: 'bob' } });
    await bob.publish('theirs.txt');
    const { peer } = await startPeer(cleanup, { tracker: address });
    await repeat(async () => {
      await peer.refreshNetwork();
      await peer.networkFiles({ limit: 10 });
    });
  });
});
