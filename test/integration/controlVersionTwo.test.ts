import { strict as assert } from 'node:assert';
import type { HostPort } from '../../src/protocol/address';
import { HOST_EXPIRY_MS, MAX_PUBLISH_ENTRIES } from '../../src/protocol/limits';
import { useCleanup } from '../support/cleanup';
import { FakeClock } from '../support/fakeClock';
import { RawClient, request } from '../support/rawClient';
import { startTracker } from '../support/startTracker';

const NOW = 1_700_000_000_000;
const ROOT = 'ab'.repeat(32);
const ID = `${ROOT}-5`;
const ENTRY = { name: 'plan.md', size: 5, modified: 1_500, published_at: 2_500, root: ROOT };
const ALICE = {
  ...{ hostname: 'alice', display_name: 'Alice', ip: '10.0.0.1', port: 6000 },
  ...{ instance: 'w1', counter: 10 },
};
const HEARTBEAT = { idle: 300_000, active: 60_000, busy: 30_000 };

type Reply = Record<string, unknown>;

function withId(id: number | string, action: string, data?: unknown): string {
  return `${JSON.stringify({ id, action, data })}\n`;
}

describe('version 2 of the tracker', () => {
  const cleanup = useCleanup();
  let clock: FakeClock;
  let address: HostPort;

  beforeEach(async () => {
    clock = new FakeClock(NOW);
    ({ address } = await startTracker(cleanup, {}, { clock }));
  });

  const connectV1 = (): Promise<RawClient> => RawClient.connect(cleanup, address);
  const connect = async (): Promise<RawClient> => {
    const client = await connectV1();
    assert.equal((await client.ask('HELLO', { versions: [1, 2] }))['version'], 2);
    return client;
  };
  const ok = (more: object = {}): Reply => ({ now: clock.now(), status: 'OK', ...more });
  const refused = (reason: string): Reply => ({ now: clock.now(), status: 'ERROR', reason });

  it('says the same as its document, from HELLO to UNREGISTER', async () => {
    const client = await connectV1();
    const file = { size: 5, modified: 1_500, root: ROOT, version: 1, seq: 0 };
    const source = { hostname: 'alice', display_name: 'Alice', ip: '10.0.0.1', port: 6000 };
    const addr = ['10.0.0.1', 6000];
    const files = { 'plan.md': { ...file, published_at: 2_500 } };
    const registered = { addr, display_name: 'Alice', files, age: 0, connected_at: NOW };
    const transcript: [string, unknown, Reply][] = [
      ['HELLO', { versions: [1, 2], agent: 'test' }, ok({ version: 2, max_publish: 1_000 })],
      ['REGISTER', { ...ALICE, files: [ENTRY] }, ok({ heartbeat_ms: HEARTBEAT })],
      [
        'REQUEST',
        { fname: 'plan.md' },
        ok({ status: 'FOUND', hosts: [{ ...source, ...file, age: 0 }] }),
      ],
      ['REQUEST', { fname: 'x' }, ok({ status: 'NOTFOUND', hosts: [] })],
      [
        'LOCATE',
        { ids: [ID, `${ROOT}-6`] },
        ok({ status: 'FOUND', hosts: { [ID]: [{ ...source, name: 'plan.md' }] } }),
      ],
      ['DISCOVER', { hostname: 'alice' }, ok(registered)],
      ['DISCOVER', { hostname: 'bob' }, refused('unknown host')],
      ['LIST', undefined, ok({ registry: { alice: registered } })],
      ['PING', { hostname: 'alice' }, ok({ status: 'ALIVE' })],
      [
        'UNPUBLISH',
        { hostname: 'alice', names: ['plan.md', 'x'] },
        ok({ status: 'ACK', refused: [{ name: 'x', reason: 'file not found' }] }),
      ],
      ['LOCATE', { ids: [ID] }, ok({ status: 'FOUND', hosts: {} })],
      ['PUBLISH', { hostname: 'alice', files: [ENTRY] }, ok({ status: 'ACK' })],
      ['UNREGISTER', { hostname: 'alice' }, ok()],
      ['NOTHING', {}, refused('unknown action NOTHING')],
      ['REGISTER', { hostname: 'alice', port: 0, counter: 1 }, refused('instance is missing')],
    ];
    for (const [action, data, reply] of transcript)
      assert.deepEqual(await client.ask(action, data), reply, action);
  });

  it('echoes the id of every request, pipelined ones too, and in version 1 as well', async () => {
    const client = await connectV1();
    client.send(withId(1, 'PING', { hostname: 'x' }) + withId('two', 'HELLO', { versions: [2] }));
    client.send(withId(3, 'REQUEST', { fname: 'x' }) + withId(4, 'LIST') + request('LIST'));
    client.send(withId(5, 'PUBLISH', { hostname: 'x', files: [] }) + withId(0, 'NOTHING'));
    const now = clock.now();
    const list = { status: 'OK', registry: {} };
    assert.deepEqual(await client.readReplies(7), [
      { id: 1, status: 'DEAD' },
      { id: 'two', now, status: 'OK', version: 2, max_publish: 1_000 },
      { id: 3, now, status: 'NOTFOUND', hosts: [] },
      { id: 4, now, ...list },
      { now, ...list },
      { id: 5, ...refused('unknown host') },
      { id: 0, ...refused('unknown action NOTHING') },
    ]);
    client.send(`${JSON.stringify({ id: {}, action: 'LIST' })}\n`);
    const badId = 'id must be a whole number or a string of at most 64 characters';
    assert.deepEqual(await client.readReply(), refused(badId));
  });

  it('goes on in version 1 when there is no common version', async () => {
    const client = await connectV1();
    const reason = 'no common version';
    assert.deepEqual(await client.ask('HELLO', { versions: [7] }), { status: 'ERROR', reason });
    assert.deepEqual(await client.ask('PING', { hostname: 'x' }), { status: 'DEAD' });
    const { version } = await client.ask('HELLO', { versions: [1] });
    assert.equal(version, 1);
    assert.deepEqual(await client.ask('LOCATE', { ids: [] }), {
      ...{ status: 'ERROR', reason: 'unknown action LOCATE' },
    });
  });

  it('names the id of a request that comes too fast', async () => {
    const limits = { requestBurst: 2, requestsPerSecond: 1 };
    const slow = await startTracker(cleanup, { limits }, { clock });
    const client = await RawClient.connect(cleanup, slow.address);
    await client.ask('HELLO', { versions: [2] });
    await client.ask('PING', { hostname: 'x' });
    client.send(withId(3, 'LIST') + withId('x-4', 'LIST'));
    assert.deepEqual(await client.readReplies(2), [
      { id: 3, ...refused('too many requests') },
      { id: 'x-4', ...refused('too many requests') },
    ]);
  });

  it('gives the hostname to the higher counter at once, and tells the other one', async () => {
    const first = await connect();
    await first.ask('REGISTER', { ...ALICE, files: [ENTRY] });
    const second = await connect();
    for (const counter of [9, 10])
      assert.deepEqual(await second.ask('REGISTER', { ...ALICE, counter }), refused('replaced'));
    assert.equal((await second.ask('REGISTER', { ...ALICE, counter: 11 }))['status'], 'OK');
    assert.deepEqual(JSON.parse(await first.readToEnd()), { event: 'replaced', now: NOW });
    assert.deepEqual(await second.ask('LOCATE', { ids: [ID] }), ok({ status: 'FOUND', hosts: {} }));
    const other = await connect();
    const claim = { ...ALICE, instance: 'w2', counter: 99 };
    assert.deepEqual(await other.ask('REGISTER', claim), refused('hostname in use'));
    const old = await connectV1();
    const reply = await old.ask('REGISTER', { hostname: 'alice', port: 1 });
    assert.deepEqual(reply, { status: 'ERROR', reason: 'hostname in use' });
  });

  it('takes over by counter from a connection that is gone, whatever its address', async () => {
    const first = await connect();
    await first.ask('REGISTER', ALICE);
    await first.vanish();
    const second = await connect();
    assert.deepEqual(await second.ask('REGISTER', ALICE), refused('replaced'));
    assert.equal((await second.ask('REGISTER', { ...ALICE, counter: 11 }))['status'], 'OK');
  });

  it('takes many files at once, and says which not', async () => {
    const client = await connect();
    await client.ask('REGISTER', { ...ALICE, files: [{ ...ENTRY, seq: 5 }] });
    const files = Array.from({ length: MAX_PUBLISH_ENTRIES - 2 }, (_, n) => ({
      ...ENTRY,
      name: `${n}`,
    }));
    const bad = [
      { ...ENTRY, seq: 4 },
      { ...ENTRY, name: 'bad', root: 'x' },
    ];
    assert.deepEqual(
      await client.ask('PUBLISH', { hostname: 'alice', files: [...files, ...bad] }),
      {
        ...ok({ status: 'ACK' }),
        refused: [
          { name: 'bad', reason: 'root and size are no content id' },
          { name: 'plan.md', reason: 'old sequence' },
        ],
      },
    );
    const listed = (await client.ask('DISCOVER', { hostname: 'alice' }))['files'] as object;
    assert.equal(Object.keys(listed).length, MAX_PUBLISH_ENTRIES - 1);
    const tooMany = [...files, ...bad, ENTRY];
    const reply = await client.ask('PUBLISH', { hostname: 'alice', files: tooMany });
    assert.deepEqual(reply, refused('too many entries'));
    const stranger = await connect();
    for (const [action, data] of [
      ['PUBLISH', { hostname: 'alice', files }],
      ['UNPUBLISH', { hostname: 'alice', names: ['plan.md'] }],
    ] as const)
      assert.deepEqual(await stranger.ask(action, data), refused('not your host'));
  });

  it('locates nobody who serves nothing, has unpublished, or has expired', async () => {
    const client = await connect();
    const located = async (by = client): Promise<unknown> =>
      ((await by.ask('LOCATE', { ids: [ID] }))['hosts'] as Reply)[ID];
    const register = (port: number): Promise<Reply> =>
      client.ask('REGISTER', { ...ALICE, port, files: [ENTRY] });
    await register(0);
    assert.equal(await located(), undefined);
    const old = await connectV1();
    assert.equal((await old.ask('REQUEST', { fname: 'plan.md' }))['status'], 'NOTFOUND');
    const { files } = await old.ask('DISCOVER', { hostname: 'alice' });
    assert.deepEqual(Object.keys(files as object), ['plan.md']);
    await register(6000);
    assert.equal(((await located()) as unknown[]).length, 1);
    await client.ask('UNPUBLISH', { hostname: 'alice', names: ['plan.md'] });
    assert.equal(await located(), undefined);
    await client.ask('PUBLISH', { hostname: 'alice', files: [ENTRY] });
    assert.equal(((await located()) as unknown[]).length, 1);
    clock.advance(HOST_EXPIRY_MS + 30_000);
    // Its own connection has been silent, and is closed with it.
    assert.equal(await located(await connect()), undefined);
  });

  it('shows both kinds of peers to both kinds of clients', async () => {
    const two = await connect();
    await two.ask('REGISTER', { ...ALICE, files: [ENTRY] });
    const one = await connectV1();
    const metadata = { size: 3, modified: 1.5, published_at: 2.5 };
    const bob = { hostname: 'bob', port: 7, ip: '10.0.0.2' };
    await one.ask('REGISTER', { ...bob, files_metadata: { 'plan.md': metadata } });
    clock.advance(1_000);
    const { hosts: seen } = await one.ask('REQUEST', { fname: 'plan.md' });
    assert.deepEqual(seen, [
      {
        hostname: 'alice',
        display_name: 'Alice',
        ip: '10.0.0.1',
        port: 6000,
        size: 5,
        modified: 1.5,
        is_published: true,
      },
      {
        hostname: 'bob',
        display_name: 'bob',
        ip: '10.0.0.2',
        port: 7,
        size: 3,
        modified: 1.5,
        is_published: true,
      },
    ]);
    const { hosts } = await two.ask('REQUEST', { fname: 'plan.md' });
    assert.deepEqual((hosts as Reply[])[1], {
      ...{ hostname: 'bob', display_name: 'bob', ip: '10.0.0.2', port: 7 },
      ...{ size: 3, modified: 1_500, age: 0 },
    });
    const { registry } = (await one.ask('LIST')) as { registry: Record<string, Reply> };
    assert.deepEqual(registry['alice'], {
      addr: ['10.0.0.1', 6000],
      display_name: 'Alice',
      files: { 'plan.md': { size: 5, modified: 1.5, published_at: 2.5, is_published: true } },
      last_seen: (NOW + 1_000) / 1_000,
      connected_at: NOW / 1_000,
    });
  });

  it('tells the intervals that it was started with', async () => {
    const limits = {
      heartbeatIdleSeconds: 100,
      heartbeatActiveSeconds: 20,
      heartbeatBusySeconds: 5,
    };
    const tracker = await startTracker(cleanup, { limits }, { clock });
    const client = await RawClient.connect(cleanup, tracker.address);
    await client.ask('HELLO', { versions: [2] });
    const { heartbeat_ms: heartbeat } = await client.ask('REGISTER', ALICE);
    assert.deepEqual(heartbeat, { idle: 100_000, active: 20_000, busy: 5_000 });
  });
});
