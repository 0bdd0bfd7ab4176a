import { strict as assert } from 'node:assert';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type Clock, systemClock } from '../../src/common/clock';
import { nullLogger } from '../../src/common/logger';
import { TrackerClient } from '../../src/peer/control/trackerClient';
import { TrackerConnection } from '../../src/peer/control/trackerConnection';
import type { HostPort } from '../../src/protocol/address';
import { formatContentId } from '../../src/protocol/contentId';
import { HOST_EXPIRY_MS, MAX_SOURCES } from '../../src/protocol/limits';
import { useCleanup } from '../support/cleanup';
import { FakeClock } from '../support/fakeClock';
import { startMisbehavingPeer } from '../support/misbehavingPeer';
import { RawClient } from '../support/rawClient';
import { rejectsWith } from '../support/rejectsWith';
import { startPeer } from '../support/startPeer';
import { startTracker } from '../support/startTracker';
import { startV1Tracker } from '../support/v1Program';
import { eventually, nextEvent } from '../support/waitFor';

const CONTENT = { root: 'ab'.repeat(32), sizeBytes: 5 };
const ID = formatContentId(CONTENT);
const HELLO = '{"status":"OK","version":2,"now":1,"max_publish":1000}\n';
const SOURCE = {
  ...{ hostname: 'a', ip: '10.0.0.1', port: 1, name: 'f' },
  ...{ size: 5, modified: 1, root: CONTENT.root },
};

interface Sent {
  readonly id: number;
  readonly action: string;
}

describe('the client of the control conversation', () => {
  const cleanup = useCleanup();

  const open = async (
    address: HostPort,
    clock: Clock = systemClock,
  ): Promise<{ connection: TrackerConnection; client: TrackerClient }> => {
    const socket = connect(address);
    await once(socket, 'connect');
    const connection = new TrackerConnection(socket, { clock, logger: nullLogger });
    cleanup.add(() => connection.dispose());
    return { connection, client: new TrackerClient(connection) };
  };

  /** A tracker that greets as one of version 2, then answers each line as told. */
  const startHostile = (
    answer: (request: Sent, socket: Socket) => void,
    greeting = HELLO,
  ): Promise<HostPort> =>
    startMisbehavingPeer(cleanup, (socket) => {
      let text = '';
      socket.setEncoding('utf8').on('data', (chunk: string) => {
        const lines = (text + chunk).split('\n');
        text = lines.pop() ?? '';
        for (const line of lines) {
          const request = JSON.parse(line) as Sent;
          if (request.action === 'HELLO') socket.write(greeting);
          else answer(request, socket);
        }
      });
    });

  const file = (name: string, sequence = 0) => ({
    ...{ name, sizeBytes: 5, modifiedMs: 1_500.5, publishedAtMs: 2_500 },
    ...{ contentId: CONTENT, version: 2, sequence },
  });
  const registration = (hostname: string, counter = 1) => ({
    ...{ hostname, displayName: 'Alice', port: 6000, ip: '' },
    ...{ instance: { id: 'w1', counter }, files: [file('a', 3)] },
  });

  it('tells and asks everything in version 2', async () => {
    const { address } = await startTracker(cleanup);
    const { client } = await open(address);
    assert.equal(await client.hello(), 2);
    assert.equal(client.batchLimit, 1_000);
    assert.deepEqual(await client.register(registration('alice')), {
      heartbeatIntervals: { idle: 300_000, active: 60_000, busy: 30_000 },
      refused: [],
    });
    assert.deepEqual(await client.publish('alice', [file('a', 2), file('b')]), [
      { name: 'a', reason: 'old sequence' },
    ]);
    const [source] = await client.sources('a');
    assert.deepEqual(source, {
      ...{ hostname: 'alice', displayName: 'Alice', ip: '127.0.0.1', port: 6000 },
      ...{ size: 5, modified: 1.501, contentId: CONTENT, version: 2, sequence: 3 },
    });
    const located = await client.locate([CONTENT, { ...CONTENT, sizeBytes: 6 }]);
    assert.deepEqual(
      [...located],
      [[ID, [{ hostname: 'alice', displayName: 'Alice', ip: '127.0.0.1', port: 6000, name: 'a' }]]],
    );
    const files = await client.discover('alice');
    assert.deepEqual(files.get('b'), {
      ...{ size: 5, modified: 1.501, publishedAt: 2.5, contentId: CONTENT },
    });
    const listed = (await client.list()).get('alice');
    assert.deepEqual(listed?.files, files);
    assert.ok((listed.ageMs ?? -1) >= 0 && listed.lastSeen > 1e9);
    assert.deepEqual(await client.unpublish('alice', ['a', 'x']), [
      { name: 'x', reason: 'file not found' },
    ]);
    assert.deepEqual(await client.publish('bob', [file('a')]), [
      { name: 'a', reason: 'unknown host' },
    ]);
    await rejectsWith('NOT_FOUND', client.discover('bob'));
    await client.unregister('alice');
    assert.equal(await client.ping('alice'), false);
  });

  it('is refused as replaced, or because the name is taken', async () => {
    const { address } = await startTracker(cleanup);
    const [one, two] = [await open(address), await open(address)];
    await Promise.all([one.client.hello(), two.client.hello()]);
    await one.client.register(registration('alice', 2));
    await rejectsWith('REPLACED', two.client.register(registration('alice', 1)));
    const other = { ...registration('alice', 3), instance: { id: 'w2', counter: 3 } };
    await rejectsWith('NAME_TAKEN', two.client.register(other));
    const told = nextEvent(one.connection.onDidReceiveEvent);
    const closed = nextEvent(one.connection.onDidClose);
    await two.client.register(registration('alice', 3));
    assert.equal((await told).name, 'replaced');
    assert.equal((await closed).code, 'TRACKER_UNREACHABLE');
  });

  it('recognises a tracker of version 1, and speaks that', async () => {
    const { client } = await open(await startV1Tracker(cleanup));
    assert.equal(await client.hello(), 1);
    assert.deepEqual(await client.register(registration('alice')), {
      ...{ heartbeatIntervals: undefined, refused: [] },
    });
    assert.deepEqual(await client.publish('alice', [file('b'), file('c')]), []);
    assert.deepEqual(await client.unpublish('alice', ['c', 'x']), [
      { name: 'x', reason: 'file not found' },
    ]);
    assert.deepEqual([...(await client.discover('alice')).keys()], ['a', 'b']);
    const [source] = await client.sources('b');
    assert.equal(source?.contentId, undefined);
    assert.equal((await client.locate([CONTENT])).size, 0);
  });

  it('takes replies in any order', async () => {
    const waiting: Sent[] = [];
    const tracker = await startHostile((request, socket) => {
      waiting.push(request);
      if (waiting.length < 3) return;
      for (const { id, action } of waiting.reverse())
        socket.write(`{"id":${id},"status":"${action === 'PING' ? 'ALIVE' : 'NOTFOUND'}"}\n`);
    });
    const { client } = await open(tracker);
    await client.hello();
    const replies = [client.ping('x'), client.sources('y'), client.ping('z')];
    assert.deepEqual(await Promise.all(replies), [true, [], true]);
  });

  it('takes a reply and an event that come together with the greeting', async () => {
    const events = '{"event":"x"}\n{"event":"y","now":5}\n';
    const tracker = await startHostile(() => undefined, HELLO + events);
    const { client, connection } = await open(tracker);
    const heard: string[] = [];
    connection.onDidReceiveEvent(({ name }) => heard.push(name));
    assert.equal(await client.hello(), 2);
    assert.deepEqual(heard, ['x', 'y']);
  });

  it('does not wait for ever for a reply because events come', async () => {
    const sockets: Socket[] = [];
    const tracker = await startHostile((_, socket) => sockets.push(socket));
    const clock = new FakeClock();
    const { client, connection } = await open(tracker, clock);
    await client.hello();
    const outcome = rejectsWith('TIMED_OUT', client.ping('x'));
    const [socket] = await eventually(() => (sockets.length > 0 ? sockets : undefined), 'a ping');
    const ends: unknown[] = [];
    connection.onDidClose((reason) => ends.push(reason));
    for (let seconds = 0; ends.length === 0; seconds += 10) {
      assert.ok(seconds <= 700, 'it waits for ever');
      const heard = nextEvent(connection.onDidReceiveEvent);
      socket?.write('{"event":"x"}\n');
      await heard;
      clock.advance(10_000);
    }
    await outcome;
  });

  it('takes a thousand of a million sources', async () => {
    const million = `[${Array(1_000_000).fill('{}').join(',')}]`;
    const some = JSON.stringify(Array(2_000).fill(SOURCE));
    const tracker = await startHostile(({ id, action }, socket) => {
      const fewer = `{"${ID}":${some},"${'cd'.repeat(32)}-5":${million},"x":[1]}`;
      const hosts = action === 'LOCATE' ? fewer : million.replace('{}', JSON.stringify(SOURCE));
      socket.write(`{"id":${id},"status":"FOUND","hosts":${hosts}}\n`);
    });
    const { client } = await open(tracker);
    await client.hello();
    assert.equal((await client.sources('a')).length, 1);
    const located = await client.locate([CONTENT, { ...CONTENT, root: 'cd'.repeat(32) }]);
    assert.deepEqual(
      [...located].map(([id, { length }]) => [id, length]),
      [[ID, MAX_SOURCES]],
    );
  });

  it('passes over events that make no sense, however many', async () => {
    const garbage = ['{"event":5}', '{"event":{"a":[]}}', '{"event":null}', '{"event":"later"}'];
    const flood = `${garbage.join('\n')}\n`.repeat(5_000);
    const tracker = await startHostile(({ id }, socket) => {
      socket.write(`${flood}{"id":${id},"status":"ALIVE"}\n`);
    });
    const { client } = await open(tracker);
    await client.hello();
    assert.equal(await client.ping('x'), true);
  });

  const endings: [string, string, 'INVALID_MESSAGE' | 'TRACKER_REFUSED'][] = [
    ['a reply to nothing', '{"id":99,"status":"OK"}', 'INVALID_MESSAGE'],
    ['a reply without id', '{"status":"ALIVE"}', 'INVALID_MESSAGE'],
    ['an id of another type', '{"id":"2","status":"ALIVE"}', 'INVALID_MESSAGE'],
    ['no JSON', 'HTTP/1.1 200 OK', 'INVALID_MESSAGE'],
    ['no object', '[1]', 'INVALID_MESSAGE'],
    ['no status', '{"id":2}', 'INVALID_MESSAGE'],
    ['a refusal of everything', '{"status":"ERROR","reason":"full"}', 'TRACKER_REFUSED'],
  ];
  for (const [what, line, code] of endings)
    it(`ends the connection on ${what}`, async () => {
      const tracker = await startHostile((_, socket) => socket.write(`${line}\n`));
      const { client, connection } = await open(tracker);
      await client.hello();
      const closed = nextEvent(connection.onDidClose);
      await rejectsWith(code, client.ping('x'));
      assert.equal((await closed).code, code);
    });

  it('does not take for a tracker who greets in a version of the future', async () => {
    for (const greeting of ['{"status":"OK","version":3}\n', '{"status":"OK"}\n']) {
      const { client } = await open(await startHostile(() => undefined, greeting));
      await rejectsWith('INVALID_MESSAGE', client.hello());
    }
  });
});

describe('a peer on a tracker of version 2', () => {
  const cleanup = useCleanup();

  it('sees the content ids of others', async () => {
    const { address: tracker } = await startTracker(cleanup);
    const raw = await RawClient.connect(cleanup, tracker);
    await raw.ask('HELLO', { versions: [2] });
    await raw.ask('REGISTER', {
      ...{ hostname: 'raw', port: 1, instance: 'x', counter: 1 },
      files: [
        { name: 'a', size: 5, modified: 1, root: CONTENT.root },
        { name: 'b', size: 5, modified: 1 },
      ],
    });
    const { peer } = await startPeer(cleanup, { tracker });
    await peer.refreshNetwork();
    const { files } = await peer.networkFiles({ limit: 10 });
    assert.deepEqual(
      files.map(({ contentId }) => contentId),
      [ID, undefined],
    );
    assert.equal('contentId' in (files[1] ?? {}), false);
  });

  it('publishes thousands of files in a few messages', async () => {
    const limits = { requestBurst: 30, requestsPerSecond: 1 };
    const { address: tracker } = await startTracker(cleanup, { limits });
    const alice = await startPeer(cleanup, { tracker });
    const { peer } = alice;
    const path = alice.write('one', 'x');
    const files = Array.from({ length: 2_500 }, (_, n) => ({ path, name: `${n}.txt` }));
    for (const some of [files.slice(0, 1), files]) {
      const outcomes = await peer.publish({ files: some });
      assert.ok(outcomes.every(({ error }) => error === undefined));
    }
    await peer.unpublish({ names: files.slice(1).map(({ name }) => name) });
    const looker = await startPeer(cleanup, { tracker, settings: { hostname: 'looker' } });
    await looker.peer.refreshNetwork();
    assert.equal((await looker.peer.networkFiles({ limit: 1 })).total, 1);
  });

  it('gives way to a later one of the same window, and takes its place back when told to', async () => {
    const { address: tracker } = await startTracker(cleanup);
    const options = { tracker, windowId: 'one window', settings: { hostname: 'alice' } };
    const first = await startPeer(cleanup, options);
    await first.publish('a.txt');
    const over = nextEvent(
      first.peer.onDidChangeConnection,
      (state) => state.kind === 'disconnected' && state.error?.code === 'REPLACED',
    );
    const second = await startPeer(cleanup, options);
    await second.publish('b.txt');
    await over;
    const secondState = (await second.peer.snapshot()).connection;
    assert.equal(secondState.kind === 'connected' && secondState.hostname, 'alice');
    await eventually(
      async () => ((await first.peer.snapshot()).serving === undefined ? true : undefined),
      'nothing is served any more',
    );
    const secondOver = nextEvent(
      second.peer.onDidChangeConnection,
      ({ kind }) => kind === 'disconnected',
    );
    await first.peer.connect({ tracker });
    await secondOver;
    assert.equal((await first.peer.snapshot()).published[0]?.state, 'offered');
    await second.peer.disconnect();
    assert.deepEqual((await second.peer.snapshot()).connection, { kind: 'disconnected' });
  });

  it('pings as often as the tracker asks for', async () => {
    const trackerClock = new FakeClock();
    const clock = new FakeClock();
    const limits = { heartbeatActiveSeconds: 5 };
    const { address: tracker } = await startTracker(cleanup, { limits }, { clock: trackerClock });
    const settings = { hostname: 'alice' };
    const alice = await startPeer(cleanup, { tracker, settings, dependencies: { clock } });
    await alice.publish('a.txt');
    trackerClock.advance(HOST_EXPIRY_MS + 60_000);
    const looker = await startPeer(cleanup, { tracker, settings: { hostname: 'looker' } });
    assert.equal(await looker.peer.ping({ hostname: 'alice' }), false);
    clock.advance(5_000);
    await eventually(
      async () => (await looker.peer.ping({ hostname: 'alice' })) || undefined,
      'the heartbeat has found out that it was forgotten',
    );
  });
});
