import { strict as assert } from 'node:assert';
import type { HostPort } from '../../src/protocol/address';
import {
  CLOSE_DEADLINE_MS,
  DEFAULT_TRACKER_LIMITS,
  TAKEOVER_SILENCE_MS,
} from '../../src/tracker/limits';
import { Tracker } from '../../src/tracker/tracker';
import { type Clock, systemClock } from '../../src/common/clock';
import { nullLogger } from '../../src/common/logger';
import { useCleanup } from '../support/cleanup';
import { CountingRegistry } from '../support/countingRegistry';
import { FakeClock, watch } from '../support/fakeClock';
import { RawClient, request } from '../support/rawClient';
import { rejectsWith } from '../support/rejectsWith';
import { startTracker } from '../support/startTracker';
import { eventually } from '../support/waitFor';

const OK = { status: 'OK' };
const ALIVE = { status: 'ALIVE' };
const DEAD = { status: 'DEAD' };
const IN_USE = { status: 'ERROR', reason: 'hostname in use' };
const NOT_YOURS = { status: 'ERROR', reason: 'not your host' };
const ALICE = { hostname: 'alice', port: 6000, files_metadata: { f: { size: 1 } } };

// macOS has only one IPv4 address of its own without configuration, but always the IPv6 one.
const MACOS = process.platform === 'darwin';

describe('hosts of the tracker', () => {
  const cleanup = useCleanup();
  let clock: FakeClock;
  let address: HostPort;

  beforeEach(async () => {
    clock = new FakeClock();
    const options = MACOS ? { host: '::' } : {};
    ({ address } = await startTracker(cleanup, options, { clock }));
  });

  const connect = (): Promise<RawClient> =>
    RawClient.connect(cleanup, { host: '127.0.0.1', port: address.port });
  const connectFromElsewhere = (): Promise<RawClient> =>
    MACOS
      ? RawClient.connect(cleanup, { host: '::1', port: address.port })
      : RawClient.connect(cleanup, address, { localAddress: '127.0.0.2' });

  it('are changed only by the connection that registered them', async () => {
    const alice = await connect();
    await alice.ask('REGISTER', ALICE);
    const mallory = await connect();
    const attempts: [string, object][] = [
      ['PUBLISH', { hostname: 'alice', fname: 'evil' }],
      ['UNPUBLISH', { hostname: 'alice', fname: 'f' }],
      ['UNREGISTER', { hostname: 'alice' }],
    ];
    for (const [action, data] of attempts)
      assert.deepEqual(await mallory.ask(action, data), NOT_YOURS, action);
    assert.deepEqual(await mallory.ask('REGISTER', ALICE), IN_USE);
    const { files } = (await mallory.ask('DISCOVER', { hostname: 'alice' })) as { files: object };
    assert.deepEqual(Object.keys(files), ['f']);
  });

  it('are known by the address of their connection, as others see it', async () => {
    const elsewhere = await connectFromElsewhere();
    await elsewhere.ask('REGISTER', { hostname: 'bob', port: 7 });
    const { addr } = await elsewhere.ask('DISCOVER', { hostname: 'bob' });
    assert.deepEqual(addr, [MACOS ? '::1' : '127.0.0.2', 7]);
  });

  it('go when their connection registers another one', async () => {
    const alice = await connect();
    await alice.ask('REGISTER', ALICE);
    assert.deepEqual(await alice.ask('REGISTER', { hostname: 'alicia', port: 6000 }), OK);
    assert.deepEqual(await alice.ask('PING', { hostname: 'alice' }), DEAD);
    assert.deepEqual(await alice.ask('REQUEST', { fname: 'f' }), { status: 'NOTFOUND', hosts: [] });
    const other = await connectFromElsewhere();
    assert.deepEqual(await other.ask('REGISTER', ALICE), OK);
  });

  it('stay when their connection disappears, and are taken over from the same address', async () => {
    const alice = await connect();
    await alice.ask('REGISTER', ALICE);
    await alice.vanish();
    const stranger = await connectFromElsewhere();
    assert.deepEqual(await stranger.ask('PING', { hostname: 'alice' }), ALIVE);
    const again = await connect();
    await eventually(
      async () => (await again.ask('REGISTER', ALICE))['status'] === 'OK',
      'the end of the old connection is noticed',
    );
    assert.deepEqual(await stranger.ask('REGISTER', ALICE), IN_USE);
  });

  it('are never taken over from another address before they expire', async () => {
    const alice = await connect();
    await alice.ask('REGISTER', ALICE);
    await alice.vanish();
    clock.advance(1_199_000);
    const stranger = await connectFromElsewhere();
    assert.deepEqual(await stranger.ask('REGISTER', ALICE), IN_USE);
    clock.advance(31_000);
    assert.deepEqual(await stranger.ask('REGISTER', ALICE), OK);
  });

  it('of an open connection are taken over only after a long silence', async () => {
    const alice = await connect();
    await alice.ask('REGISTER', ALICE);
    const again = await connect();
    clock.advance(TAKEOVER_SILENCE_MS - 1);
    assert.deepEqual(await again.ask('REGISTER', ALICE), IN_USE);
    clock.advance(1);
    const stranger = await connectFromElsewhere();
    assert.deepEqual(await stranger.ask('REGISTER', ALICE), IN_USE);
    assert.deepEqual(await again.ask('REGISTER', ALICE), OK);
    assert.deepEqual(await alice.ask('PUBLISH', { hostname: 'alice', fname: 'g' }), NOT_YOURS);
    assert.deepEqual(await alice.ask('PING', { hostname: 'alice' }), ALIVE);
  });

  it('live by any request of their connection that can be read', async () => {
    const alice = await connect();
    await alice.ask('REGISTER', ALICE);
    const signs: [string, object?][] = [
      ['PING', { hostname: 'somebody else' }],
      ['REQUEST', { fname: 'x' }],
      ['LIST'],
      ['HELLO'],
    ];
    for (const [action, data] of signs) {
      clock.advance(1_190_000);
      await alice.ask(action, data);
      const watcher = await connect();
      assert.deepEqual(await watcher.ask('PING', { hostname: 'alice' }), ALIVE);
    }
  });

  it('expire after silence, connected or not, and can register again', async () => {
    const alice = await connect();
    const bob = await connect();
    const watcher = await connect();
    await alice.ask('REGISTER', ALICE);
    await bob.ask('REGISTER', { hostname: 'bob', port: 1 });
    await bob.vanish();
    clock.advance(600_000);
    await watcher.ask('PING', {});
    clock.advance(599_000);
    assert.deepEqual(await watcher.ask('PING', { hostname: 'alice' }), ALIVE);
    clock.advance(31_000);
    for (const hostname of ['alice', 'bob'])
      assert.deepEqual(await watcher.ask('PING', { hostname }), DEAD);
    assert.deepEqual(await watcher.ask('REQUEST', { fname: 'f' }), {
      status: 'NOTFOUND',
      hosts: [],
    });
    assert.equal(await alice.readToEnd(), '', 'a silent connection goes with its host');
    const again = await connect();
    assert.deepEqual(await again.ask('REGISTER', ALICE), OK);
  });
});

describe('starting and stopping the tracker', () => {
  const cleanup = useCleanup();

  it('is done once each, and stopping twice is one stop', async () => {
    const { tracker, address } = await startTracker(cleanup);
    await rejectsWith('ALREADY_RUNNING', tracker.start());
    const client = await RawClient.connect(cleanup, address);
    await client.ask('PING', {});
    await Promise.all([tracker.stop(), tracker.stop()]);
    await tracker.stop();
    assert.equal(await client.readToEnd(), '');
    await rejectsWith('ALREADY_RUNNING', tracker.start());
    const next = await startTracker(cleanup, { port: address.port });
    assert.deepEqual(next.address, address);
  });

  it('stops before and while it starts', async () => {
    const options = { host: '127.0.0.1', port: 0 };
    const dependencies = { clock: systemClock, logger: nullLogger };
    await new Tracker(dependencies, options).stop();
    const tracker = new Tracker(dependencies, options);
    const started = tracker.start();
    await tracker.stop();
    const address = await started;
    await assert.rejects(RawClient.connect(cleanup, address));
  });

  const askForMuch = async (
    lists: number,
    clock: Clock = systemClock,
  ): Promise<[Tracker, RawClient]> => {
    const registry = new CountingRegistry(clock, DEFAULT_TRACKER_LIMITS);
    const { tracker, address } = await startTracker(cleanup, {}, { registry, clock });
    const client = await RawClient.connect(cleanup, address);
    const names = Array.from({ length: 2_000 }, (_, index) => `${index}${'x'.repeat(1_000)}`);
    const files = Object.fromEntries(names.map((name) => [name, {}]));
    assert.deepEqual(await client.ask('REGISTER', { ...ALICE, files_metadata: files }), OK);
    client.socket.pause();
    client.send(request('LIST').repeat(lists));
    await eventually(() => registry.lists > 0, 'the request');
    return [tracker, client];
  };

  /** However slow this machine is: no more time passes for the tracker than it may take. */
  const stopsSoon = async (tracker: Tracker, clock: FakeClock): Promise<void> => {
    const untilMs = clock.monotonic() + 5 * CLOSE_DEADLINE_MS;
    const stopping = watch(tracker.stop());
    await eventually(() => {
      if (clock.monotonic() < untilMs) clock.advance(100);
      return stopping.isSettled() || undefined;
    }, 'the tracker has stopped');
    await stopping.promise;
  };

  it('sends replies that are due before it stops', async () => {
    const [tracker, client] = await askForMuch(1);
    const stopped = tracker.stop();
    client.socket.resume();
    const text = await client.readToEnd();
    assert.ok(text.length > 2_000_000 && text.endsWith('}}\n'), `${text.length}`);
    await stopped;
    assert.equal(tracker.connectionCount, 0);
  });

  it('does not wait long for clients that close their side and do not read', async () => {
    const clock = new FakeClock();
    const [tracker, client] = await askForMuch(20, clock);
    client.socket.end();
    await stopsSoon(tracker, clock);
  });

  it('does not wait long for clients that keep their side open', async () => {
    const clock = new FakeClock();
    const { tracker, address } = await startTracker(cleanup, {}, { clock });
    const client = await RawClient.connect(cleanup, address, { allowHalfOpen: true });
    await client.ask('PING', {});
    await stopsSoon(tracker, clock);
  });

  it('names the port that is in use and the address that is not here', async () => {
    const { address } = await startTracker(cleanup);
    const inUse = await rejectsWith('PORT_IN_USE', startTracker(cleanup, { port: address.port }));
    assert.deepEqual(inUse.details, address);
    // 192.0.2.0/24 is reserved for examples: no computer has such an address.
    await rejectsWith('INVALID_ADDRESS', startTracker(cleanup, { host: '192.0.2.1' }));
  });
});
