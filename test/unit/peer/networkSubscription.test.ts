import { strict as assert } from 'node:assert';
import { nullLogger } from '../../../src/common/logger';
import type { NetworkPart, SubscribableNetwork } from '../../../src/peer/control/networkRequests';
import { NetworkIndex } from '../../../src/peer/network/networkIndex';
import type { ListedHost } from '../../../src/protocol/controlReplies';
import { FakeClock, flushPromises } from '../../support/fakeClock';

const ROOT = 'ab'.repeat(32);

const host = (displayName: string, names: readonly string[], root?: string): ListedHost => ({
  ...{ displayName, ip: '127.0.0.1', port: 6000, lastSeen: 0, connectedAt: 0, ageMs: 0 },
  files: new Map(
    names.map((name) => [
      name,
      {
        ...{ size: 1, modified: 1, publishedAt: 1 },
        ...(root !== undefined && { contentId: { root, sizeBytes: 1 } }),
      },
    ]),
  ),
});

/** A tracker that says what a test wants. */
class FakeNetwork implements SubscribableNetwork {
  hosts = new Map<string, ListedHost>();
  sequence = 0;
  snapshots = 0;
  /** Hosts whose records are good. */
  known: (hostname: string) => boolean = () => true;

  subscribe(): Promise<NetworkPart & { sequence: number }> {
    this.snapshots += 1;
    const { hosts, sequence } = this;
    return Promise.resolve({ hosts, sequence, recordOf: () => undefined, cursor: undefined });
  }
  page(): Promise<NetworkPart> {
    return Promise.reject(new Error('there is one page only'));
  }
  sync(): Promise<number> {
    return Promise.resolve(this.sequence);
  }
  identify(hostname: string): 'anybody' | undefined {
    return this.known(hostname) ? 'anybody' : undefined;
  }
}

describe('the index of a network that tells what changes', () => {
  const create = async (hosts: Record<string, ListedHost> = {}) => {
    const clock = new FakeClock();
    const network = new FakeNetwork();
    network.hosts = new Map(Object.entries(hosts));
    const index = new NetworkIndex({
      ...{ clock, logger: nullLogger },
      list: () => Promise.reject(new Error('nobody polls')),
      shown: ({ signed: _, ...file }) => file,
      ownHostname: () => 'me',
    });
    let events = 0;
    index.onDidChange(() => (events += 1));
    await index.connected(network);
    const tell = async (seq: number, ...changes: object[]): Promise<void> => {
      index.receive({ name: 'changes', members: { event: 'changes', now: 0, seq, changes } });
      await flushPromises();
    };
    const names = (): string[] => index.files({ limit: 100 }).files.map(({ name }) => name);
    return { clock, network, index, tell, names, events: () => events };
  };
  const entry = (size = 1): object => ({ size, modified: 1_000, published_at: 1_000 });

  it('takes changes in order, and leaves out this peer', async () => {
    const { tell, names, index } = await create({
      a: host('A', ['x', 'y']),
      me: host('Me', ['m']),
    });
    await tell(1, { hostname: 'a', files: { b: entry() }, withdrawn: ['x'] });
    assert.deepEqual(names(), ['b', 'y']);
    const addr = ['10.0.0.1', 1];
    await tell(2, { hostname: 'a', addr, display_name: 'Away', age: 9, away: 5, connected_at: 0 });
    const [peer, ...others] = index.peers();
    assert.deepEqual([peer?.displayName, peer?.state, peer?.sinceAgeMs], ['Away', 'away', 5]);
    assert.equal(others.length, 0);
    await tell(3, { hostname: 'a', gone: true }, { hostname: 'a', addr, age: 0 });
    assert.deepEqual([names(), index.peers()[0]?.fileCount], [[], 0]);
  });

  it('takes another snapshot after a gap, after a rest, and forgets what is not in it', async () => {
    const { clock, network, tell, names, index } = await create({ a: host('A', ['x']) });
    network.hosts = new Map([['b', host('B', ['z'])]]);
    network.sequence = 7;
    await tell(2, { hostname: 'a', files: { late: entry() } });
    assert.deepEqual([names(), network.snapshots], [['x'], 1]);
    await clock.advanceSlowly(1_000);
    assert.deepEqual([names(), network.snapshots], [['z'], 2]);
    // What belongs to the earlier subscription is not a gap.
    await tell(7, { hostname: 'b', gone: true });
    assert.deepEqual(names(), ['z']);
    await tell(8, { hostname: 'b', files: { new: entry() } });
    assert.deepEqual(names(), ['new', 'z']);
    index.receive({ name: 'resync', members: {} });
    await flushPromises();
    await clock.advanceSlowly(1_000);
    assert.deepEqual([names(), network.snapshots], [['z'], 3]);
  });

  it('tells many changes in a few events, the last one included', async () => {
    const { clock, tell, events, index } = await create({ a: host('A', []) });
    const before = events();
    for (let seq = 1; seq <= 50; seq += 1) {
      await tell(seq, { hostname: 'a', files: { [`f${seq}`]: entry() } });
      clock.advance(20);
    }
    clock.advance(200);
    assert.ok(events() - before <= 6, `${events() - before} events`);
    assert.equal(index.summary.files, 50);
  });

  it('shows a host only while it is known for what it says, with the files that it had', async () => {
    const { clock, network, names, index, tell } = await create({ a: host('A', ['x']) });
    network.known = () => false;
    await clock.advanceSlowly(60_000);
    assert.deepEqual([names(), index.peers()], [[], []]);
    network.known = () => true;
    await tell(1, { hostname: 'a', addr: ['10.0.0.1', 1], age: 0 });
    assert.deepEqual(names(), ['x']);
  });

  it('forgets everything without a connection, and asks nobody', async () => {
    const { clock, names, index, network } = await create({ a: host('A', ['x']) });
    index.watch(true);
    await clock.advanceSlowly(30_000);
    index.clear();
    assert.deepEqual([names(), network.snapshots, clock.pending], [[], 1, 0]);
  });

  it('lists folders with counts, then files, equal content once with its sources', async () => {
    const { index } = await create({
      a: host('A', ['d/x', 'd/e/y', 'same', 'z'], ROOT),
      b: host('B', ['d/x', 'same'], ROOT),
      c: host('C', ['same', 'd-/n'], 'cd'.repeat(32)),
    });
    const top = index.folder({ prefix: '' });
    assert.deepEqual(
      top.folders.map(({ name, prefix, fileCount }) => [name, prefix, fileCount]),
      [
        ['d-', 'd-/', 1],
        ['d', 'd/', 2],
      ],
    );
    assert.deepEqual(
      top.files.map(({ name, sources }) => [name, sources.map(({ hostname }) => hostname)]),
      [
        ['same', ['a', 'b']],
        ['same', ['c']],
        ['z', ['a']],
      ],
    );
    assert.equal(top.total, 5);
    const page = index.folder({ prefix: '', offset: 1, limit: 2 });
    assert.deepEqual([page.folders[0]?.name, page.files[0]?.name, page.total], ['d', 'same', 5]);
    const own = index.folder({ prefix: 'd/', hostname: 'a' });
    assert.deepEqual([own.folders[0]?.prefix, own.files[0]?.name], ['d/e/', 'd/x']);
    const filtered = index.folder({ prefix: '', text: 'y A' });
    assert.deepEqual([filtered.folders.length, filtered.files.length], [1, 0]);
    assert.equal(index.files({ prefix: 'd/', limit: 1, offset: 1 }).files[0]?.name, 'd/x');
  });

  it('finds contents by words, each under each name once, in pages', async () => {
    const other = 'cd'.repeat(32);
    const { index } = await create({
      a: host('Ann', ['d/x', 'same', 'z'], ROOT),
      b: host('Bob', ['d/x', 'same'], ROOT),
      c: host('Cid', ['same'], other),
      old: host('Old', ['same', 'z']),
    });
    const shown = (query: Parameters<typeof index.rows>[0]): unknown[] =>
      index
        .rows(query)
        .rows.map(({ name, sources }) => [name, sources.map(({ hostname }) => hostname).join()]);
    assert.deepEqual(shown({ limit: 9 }), [
      ['d/x', 'a,b'],
      ['same', 'a,b'],
      ['same', 'c'],
      ['same', 'old'],
      ['z', 'a'],
      ['z', 'old'],
    ]);
    assert.deepEqual(shown({ limit: 2, offset: 1 }), [
      ['same', 'a,b'],
      ['same', 'c'],
    ]);
    assert.equal(index.rows({ limit: 1 }).total, 6);
    assert.deepEqual(shown({ text: 'same bob', limit: 9 }), [['same', 'b']]);
    assert.deepEqual(index.rows({ prefix: 'd/', limit: 0 }), { rows: [], total: 1 });
    assert.deepEqual(shown({ hostname: 'c', limit: 9 }), [['same', 'c']]);
  });

  it('finds by words what is found by looking at every name, few or many', async () => {
    const names = Array.from({ length: 6_000 }, (_, number) => `Đường ${number}/b`);
    const { index, tell } = await create({ a: host('Ánh', names), b: host('B', ['đường']) });
    assert.equal(index.files({ text: 'đường', limit: 1 }).total, 6_001);
    assert.equal(index.files({ text: 'ÁNH 599/', limit: 9 }).total, 6);
    await tell(1, { hostname: 'a', withdrawn: ['Đường 599/b'] });
    assert.equal(index.files({ text: 'ánh 599/', limit: 9 }).total, 5);
    assert.equal(index.files({ text: 'b 599/', limit: 9 }).total, 5);
  });
});
