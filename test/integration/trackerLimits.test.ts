import { strict as assert } from 'node:assert';
import { systemClock } from '../../src/common/clock';
import { createLogger, type LogLevel } from '../../src/common/logger';
import type { HostPort } from '../../src/protocol/address';
import { DEFAULT_TRACKER_LIMITS, type TrackerLimits } from '../../src/tracker/limits';
import { MemoryRegistry } from '../../src/tracker/memoryRegistry';
import type { Registry } from '../../src/tracker/registry';
import { useCleanup } from '../support/cleanup';
import { CountingRegistry } from '../support/countingRegistry';
import { FakeClock } from '../support/fakeClock';
import { RawClient, request } from '../support/rawClient';
import { rejectsWith } from '../support/rejectsWith';
import { startPeer } from '../support/startPeer';
import { startTracker, type TestTracker } from '../support/startTracker';
import { eventually } from '../support/waitFor';

const DEAD = { status: 'DEAD' };
const PING = request('PING', { hostname: 'nobody' });

function refused(reason: string): object {
  return { status: 'ERROR', reason };
}

describe('limits of the tracker', () => {
  const cleanup = useCleanup();

  const start = (limits: Partial<TrackerLimits>, clock = systemClock): Promise<TestTracker> =>
    startTracker(cleanup, { limits }, { clock });

  it('refuses a connection too many with a reason, and takes the next when one has gone', async () => {
    const { address, tracker } = await start({ maxConnections: 2 });
    const first = await RawClient.connect(cleanup, address);
    const second = await RawClient.connect(cleanup, address);
    assert.deepEqual(await second.ask('PING', { hostname: 'x' }), DEAD);
    const third = await RawClient.connect(cleanup, address);
    third.send(PING);
    assert.equal(await third.readToEnd(), `${JSON.stringify(refused('too many connections'))}\n`);
    await first.vanish();
    await eventually(() => tracker.connectionCount < 2, 'the tracker notices');
    const fourth = await RawClient.connect(cleanup, address);
    assert.deepEqual(await fourth.ask('PING', { hostname: 'x' }), DEAD);
  });

  it('ends a connection with a line that is too long, ended or not', async () => {
    const { address } = await start({ maxLineBytes: 100 });
    const tooLong = `${JSON.stringify(refused('line too long'))}\n`;
    for (const bytes of [`${'x'.repeat(101)}\n`, 'x'.repeat(200), Buffer.alloc(3_000_000, 'x')]) {
      const client = await RawClient.connect(cleanup, address);
      client.send(bytes);
      client.send(PING);
      assert.equal(await client.readToEnd(), tooLong);
    }
    const client = await RawClient.connect(cleanup, address);
    const exact = PING.trim().padEnd(100);
    client.send(`${exact}\n${exact}\r\n`);
    assert.deepEqual(await client.readReplies(2), [DEAD, DEAD]);
  });

  it('takes the longest line by default, byte for byte', async () => {
    const { address } = await start({});
    const client = await RawClient.connect(cleanup, address);
    client.send(`${PING.trim().padEnd(DEFAULT_TRACKER_LIMITS.maxLineBytes)}\n`);
    assert.deepEqual(await client.readReply(), DEAD);
  });

  it('refuses files too many and changes nothing', async () => {
    const { address } = await start({ maxFilesPerHost: 2 });
    const client = await RawClient.connect(cleanup, address);
    const files = { a: {}, b: {}, c: {} };
    const host = { hostname: 'alice', port: 1 };
    assert.deepEqual(
      await client.ask('REGISTER', { ...host, files_metadata: files }),
      refused('too many files'),
    );
    assert.deepEqual(await client.ask('PING', { hostname: 'alice' }), DEAD);
    await client.ask('REGISTER', { ...host, files_metadata: { a: {}, b: {} } });
    assert.deepEqual(
      await client.ask('PUBLISH', { hostname: 'alice', fname: 'c' }),
      refused('too many files'),
    );
    assert.deepEqual(await client.ask('PUBLISH', { hostname: 'alice', fname: 'b' }), {
      status: 'ACK',
    });
  });

  it('refuses requests that come too fast and keeps the connection', async () => {
    const clock = new FakeClock();
    const { address } = await start({ requestsPerSecond: 2, requestBurst: 3 }, clock);
    const client = await RawClient.connect(cleanup, address);
    const other = await RawClient.connect(cleanup, address);
    client.send(PING.repeat(5));
    const tooMany = refused('too many requests');
    assert.deepEqual(await client.readReplies(5), [DEAD, DEAD, DEAD, tooMany, tooMany]);
    assert.deepEqual(await other.ask('PING', { hostname: 'x' }), DEAD);
    clock.advance(1_000);
    client.send(PING.repeat(3));
    assert.deepEqual(await client.readReplies(3), [DEAD, DEAD, tooMany]);
  });

  it('has no reply that clients do not read: all files at once are too much, and pages have them', async () => {
    const { address } = await start({});
    const client = await RawClient.connect(cleanup, address);
    await client.ask('HELLO', { versions: [2] });
    const claim = { hostname: 'alice', port: 6_000, instance: 'a', counter: 1 };
    await client.ask('REGISTER', claim);
    // Three kilobytes in a reply, each.
    const name = (index: number): string => `${'é'.repeat(500)}${index}`;
    const count = 23_000;
    for (let index = 0; index < count; index += 1_000) {
      const files = Array.from({ length: 1_000 }, (_, offset) => {
        return { name: name(index + offset), size: 1, modified: 1 };
      });
      assert.equal((await client.ask('PUBLISH', { hostname: 'alice', files }))['status'], 'ACK');
    }
    for (const [action, data] of [['LIST'], ['DISCOVER', { hostname: 'alice' }]] as const) {
      const { status, reason } = await client.ask(action, data);
      assert.deepEqual({ status, reason }, refused('reply too long'));
    }
    const { peer } = await startPeer(cleanup, { tracker: address, settings: { hostname: 'bob' } });
    await rejectsWith('TRACKER_REFUSED', peer.discover({ hostname: 'alice' }));
    const page = await client.ask('LIST', { limit: 1_000 });
    assert.deepEqual([page['status'], typeof page['cursor']], ['OK', 'string']);
  });

  it('takes 5,000 files published in one go', async () => {
    const { address } = await start({});
    const client = await RawClient.connect(cleanup, address);
    await client.ask('REGISTER', { hostname: 'alice', port: 1 });
    const publish = (_: unknown, index: number): string =>
      request('PUBLISH', { hostname: 'alice', fname: `${index}` });
    client.send(Array.from({ length: 5_000 }, publish).join(''));
    for (const reply of await client.readReplies(5_000)) assert.deepEqual(reply, { status: 'ACK' });
  });

  it('closes connections without a host that say nothing for long, and no others', async () => {
    const clock = new FakeClock();
    const { address } = await start({}, clock);
    const [silent, asking, host] = await Promise.all(
      [1, 2, 3].map(() => RawClient.connect(cleanup, address)),
    );
    assert.ok(silent && asking && host);
    await silent.ask('PING', {});
    await host.ask('REGISTER', { hostname: 'alice', port: 1 });
    clock.advance(659_000);
    await asking.ask('PING', {});
    clock.advance(31_000);
    assert.equal(await silent.readToEnd(), '');
    assert.deepEqual(await asking.ask('PING', { hostname: 'x' }), DEAD);
    assert.deepEqual(await host.ask('PING', { hostname: 'alice' }), { status: 'ALIVE' });
  });
});

describe('a client that does not read', () => {
  const cleanup = useCleanup();
  const LISTS = 40;
  let registry: CountingRegistry;

  beforeEach(() => {
    registry = new CountingRegistry(systemClock, DEFAULT_TRACKER_LIMITS);
  });

  /** Asks for about 90 MB, which no socket buffer takes. */
  const askForMuch = async (address: HostPort): Promise<RawClient> => {
    const client = await RawClient.connect(cleanup, address);
    const files = Array.from({ length: 2_000 }, (_, index) => [`${index}${'x'.repeat(1_000)}`, {}]);
    await client.ask('REGISTER', {
      hostname: 'alice',
      port: 1,
      files_metadata: Object.fromEntries(files) as object,
    });
    client.socket.pause();
    client.send(request('LIST').repeat(LISTS) + PING);
    await eventually(() => registry.lists > 1, 'the first replies');
    return client;
  };

  it('is not answered any further until it reads, and then gets everything', async () => {
    const { address } = await startTracker(cleanup, {}, { registry });
    const client = await askForMuch(address);
    const other = await RawClient.connect(cleanup, address);
    for (let turn = 0; turn < 20; turn += 1) await other.ask('PING', {});
    assert.ok(registry.lists < LISTS, `${registry.lists} replies made`);
    client.socket.resume();
    for (let turn = 0; turn < LISTS; turn += 1) await client.readLine();
    assert.deepEqual(await client.readReply(), DEAD);
    assert.equal(registry.lists, LISTS);
  });

  it('is dropped when it goes on like that', async () => {
    const limits = { unreadSeconds: 0.2 };
    const { address, tracker } = await startTracker(cleanup, { limits }, { registry });
    await askForMuch(address);
    await eventually(() => tracker.connectionCount === 0, 'the client is dropped');
    assert.ok(registry.lists < LISTS);
  });

  it('gets everything although it has closed its side', async () => {
    const { address } = await startTracker(cleanup, {}, { registry });
    const client = await askForMuch(address);
    client.socket.end();
    client.socket.resume();
    const text = await client.readToEnd();
    assert.equal(text.trim().split('\n').length, LISTS + 1);
    assert.ok(text.endsWith(`${JSON.stringify(DEAD)}\n`));
  });
});

describe('a registry that answers later', () => {
  const cleanup = useCleanup();
  const log: [LogLevel, string][] = [];

  /** As the registry in memory, each answer some turns of the event loop later. */
  const startSlow = async (fail: readonly (keyof Registry)[] = []): Promise<HostPort> => {
    const registry = new MemoryRegistry(systemClock, DEFAULT_TRACKER_LIMITS);
    const slow = new Proxy<Registry>(registry, {
      get:
        (_, property: keyof Registry) =>
        async (...args: unknown[]): Promise<unknown> => {
          for (let turns = (args.length * 7) % 5; turns >= 0; turns -= 1)
            await new Promise((resolve) => setImmediate(resolve));
          if (fail.includes(property)) throw new Error(`${property} failed`);
          return (registry[property] as (...all: unknown[]) => unknown).apply(registry, args);
        },
    });
    const logger = createLogger((level, _, message) => log.push([level, message]));
    return (await startTracker(cleanup, {}, { registry: slow, logger })).address;
  };

  beforeEach(() => log.splice(0));

  it('does not change the order of replies', async () => {
    const client = await RawClient.connect(cleanup, await startSlow());
    client.send(request('REGISTER', { hostname: 'a', port: 1 }));
    client.send(request('PUBLISH', { hostname: 'a', fname: 'f' }));
    client.send(PING + request('X') + request('REQUEST', { fname: 'f' }));
    client.send(request('UNREGISTER', { hostname: 'a' }) + PING);
    client.socket.end();
    const replies = (await client.readToEnd()).trim().split('\n');
    assert.deepEqual(
      replies.map((reply) => (JSON.parse(reply) as { status: string }).status),
      ['OK', 'ACK', 'DEAD', 'ERROR', 'FOUND', 'OK', 'DEAD'],
    );
  });

  it('that fails gives an answer, a line in the log, and no end of the connection', async () => {
    const client = await RawClient.connect(cleanup, await startSlow(['list', 'touch', 'release']));
    assert.deepEqual(await client.ask('LIST'), refused('the tracker failed'));
    assert.deepEqual(await client.ask('PING', { hostname: 'x' }), DEAD);
    await client.vanish();
    await eventually(
      () => log.some(([, message]) => message.includes('release failed')),
      'the failure of the goodbye',
    );
    const errors = log.filter(([level]) => level === 'error').map(([, message]) => message);
    for (const failure of ['list failed', 'touch failed'])
      assert.ok(
        errors.some((message) => message.includes(failure)),
        failure,
      );
  });
});
