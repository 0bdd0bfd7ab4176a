import { strict as assert } from 'node:assert';
import type { FileMetadata } from '../../../src/protocol/controlRequests';
import type { PageRequest } from '../../../src/protocol/controlRequestsV2';
import { MAX_CHANGES } from '../../../src/protocol/limits';
import { ChangeFeed, type Subscriber } from '../../../src/tracker/changeFeed';
import { CHANGE_DELAY_MS, MAX_EVENTS_AT_ONCE } from '../../../src/tracker/limits';
import { MemoryRegistry } from '../../../src/tracker/memoryRegistry';
import type { Owner, Registration } from '../../../src/tracker/registry';
import { FakeClock } from '../../support/fakeClock';

const EVERYTHING: PageRequest = {
  ...{ limit: 1_000, cursor: undefined, prefix: '', query: undefined },
};

interface Change {
  readonly hostname: string;
  readonly gone?: boolean;
  readonly addr?: unknown;
  readonly away?: number;
  readonly busy?: boolean;
  readonly files?: Record<string, { size: number }>;
  readonly withdrawn?: string[];
}

interface Event {
  readonly event: string;
  readonly seq: number;
  readonly changes: Change[];
  readonly records?: Record<string, unknown>;
}

interface Page {
  readonly registry: Record<string, { files: Record<string, unknown> }>;
  readonly cursor?: string;
}

const file = (size = 1): FileMetadata => ({
  ...{ size, modified: 1, publishedAt: 1, isPublished: true },
});

/** Keeps what it is sent, and has room as long as it is said to have. */
class TestSubscriber implements Subscriber {
  readonly lines: Buffer[] = [];
  hasRoom = true;
  isReady = (): boolean => this.hasRoom;
  send = (line: Buffer): void => void this.lines.push(line);

  /** Events since the last call. */
  take(): Event[] {
    return this.lines.splice(0).map((line) => JSON.parse(line.toString()) as Event);
  }
}

describe('subscribing to a registry', () => {
  let clock: FakeClock;
  let registry: MemoryRegistry;
  let subscriber: TestSubscriber;
  const alice: Owner = { id: 'c1', address: '10.0.0.1' };

  beforeEach(() => {
    clock = new FakeClock();
    registry = new MemoryRegistry(clock, { maxFilesPerHost: 100_000, expirySeconds: 1_200 });
    subscriber = new TestSubscriber();
  });

  const register = (more: Partial<Registration> = {}, owner = alice): void => {
    const outcome = registry.register(owner, {
      ...{ hostname: 'alice', displayName: 'Alice', ip: '10.0.0.1', port: 6000 },
      files: new Map(),
      ...more,
    });
    assert.equal(outcome, 'done');
  };
  const subscribe = (by: Subscriber = subscriber) => {
    const result = registry.subscribe(by, EVERYTHING);
    assert.ok(!(result instanceof Promise));
    return result;
  };
  const page = (request: Partial<PageRequest>): Page => {
    const reply = registry.page({ ...EVERYTHING, ...request });
    assert.equal(typeof reply, 'string');
    return JSON.parse(reply as string) as Page;
  };
  const namesOf = ({ registry: hosts }: Page): string[] =>
    Object.values(hosts).flatMap(({ files }) => Object.keys(files));
  const changes = (): Change[] => {
    clock.advance(CHANGE_DELAY_MS);
    return subscriber.take().flatMap((event) => event.changes);
  };

  it('tells what 1,000 changes came to in one event, written once for all', () => {
    register();
    subscribe();
    const other = new TestSubscriber();
    subscribe(other);
    for (let number = 0; number < 1_000; number += 1)
      registry.publish(alice, 'alice', `f${number % 10}`, file(number));
    registry.unpublish(alice, 'alice', 'f0');
    assert.equal(subscriber.lines.length, 0);
    clock.advance(CHANGE_DELAY_MS);
    assert.equal(subscriber.lines[0], other.lines[0]);
    const [event, ...more] = subscriber.take();
    assert.deepEqual([event?.event, event?.seq, more.length], ['changes', 1, 0]);
    const [change] = event?.changes ?? [];
    assert.deepEqual(change?.withdrawn, ['f0']);
    assert.equal(Object.keys(change.files ?? {}).length, 9);
    assert.equal(change.files?.['f9']?.size, 999);
    assert.equal(change.addr, undefined);
  });

  it('says who comes, is away, is back and goes, and the files of who is back only if they differ', () => {
    subscribe();
    const files = new Map([
      ['a', file()],
      ['b', file()],
    ]);
    register({ files });
    const [came] = changes();
    assert.deepEqual(Object.keys(came?.files ?? {}), ['a', 'b']);
    assert.deepEqual(came?.addr, ['10.0.0.1', 6000]);
    registry.release(alice);
    const [away] = changes();
    assert.deepEqual([away?.away, away?.files], [CHANGE_DELAY_MS, undefined]);
    const back: Owner = { id: 'c2', address: '10.0.0.1' };
    register({ files: new Map([...files, ['b', file(2)]]) }, back);
    const [returned] = changes();
    assert.deepEqual([returned?.away, returned?.files?.['b']?.size], [undefined, 2]);
    assert.deepEqual(Object.keys(returned?.files ?? {}), ['b']);
    registry.unregister(back, 'alice');
    assert.deepEqual(changes(), [{ hostname: 'alice', gone: true }]);
  });

  it('tells a host that goes and comes again within one event as another one', () => {
    register({ files: new Map([['old', file()]]) });
    subscribe();
    registry.unregister(alice, 'alice');
    register({ files: new Map([['new', file()]]) });
    const [gone, came, ...more] = changes();
    assert.deepEqual(gone, { hostname: 'alice', gone: true });
    assert.deepEqual(Object.keys(came?.files ?? {}), ['new']);
    assert.equal(more.length, 0);
  });

  it('says when a host begins and ends to be busy, and nothing of other signs of life', () => {
    register();
    subscribe();
    registry.renew(alice, 'alice', { isBusy: true });
    assert.deepEqual(
      changes().map(({ busy }) => busy),
      [true],
    );
    registry.renew(alice, 'alice', { isBusy: true });
    registry.touch(alice);
    assert.deepEqual(changes(), []);
    registry.renew(alice, 'alice', { isBusy: false });
    assert.deepEqual(
      changes().map(({ busy }) => busy),
      [undefined],
    );
  });

  it('tells what is much in several events, not all at once', () => {
    subscribe();
    const count = MAX_CHANGES * (MAX_EVENTS_AT_ONCE + 1);
    register({
      files: new Map(Array.from({ length: count }, (_, index) => [`f${index}`, file()])),
    });
    clock.advance(CHANGE_DELAY_MS);
    const first = subscriber.take();
    assert.equal(first.length, MAX_EVENTS_AT_ONCE);
    clock.advance(CHANGE_DELAY_MS);
    const all = [...first, ...subscriber.take()];
    assert.deepEqual(
      all.map(({ seq }) => seq),
      all.map((_, index) => index + 1),
    );
    const told = all.flatMap((event) =>
      event.changes.flatMap(({ files = {} }) => Object.keys(files)),
    );
    assert.equal(new Set(told).size, count);
  });

  it('says when everything was told', async () => {
    register();
    subscribe();
    assert.equal(registry.flushed(), 0);
    registry.publish(alice, 'alice', 'a', file());
    const flushed = registry.flushed();
    clock.advance(CHANGE_DELAY_MS);
    assert.equal(await flushed, 1);
    assert.equal(subscriber.lines.length, 1);
  });

  it('lists everything in pages, each thing at least once, while other things come and go', () => {
    for (const hostname of ['a', 'b', 'c'])
      register(
        {
          hostname,
          files: new Map(Array.from({ length: 7 }, (_, index) => [`${hostname}${index}`, file()])),
        },
        { id: hostname, address: '1' },
      );
    const seen = new Set<string>();
    let cursor: string | undefined;
    let pages = 0;
    do {
      const found = page({ limit: 4, cursor });
      namesOf(found).forEach((name) => seen.add(name));
      ({ cursor } = found);
      pages += 1;
      // Behind the cursor, before it, and where it is.
      if (pages === 2) registry.unpublish({ id: 'a', address: '1' }, 'a', 'a6');
      if (pages === 2) registry.unregister({ id: 'b', address: '1' }, 'b');
      if (pages === 3) registry.publish({ id: 'c', address: '1' }, 'c', 'late', file());
    } while (cursor !== undefined);
    for (const name of ['a0', 'a5', 'c0', 'c6', 'late']) assert.ok(seen.has(name), name);
    assert.ok(pages >= 4);
  });

  it('lists below a prefix, and searches names and owners', () => {
    register({ files: new Map(['docs/Plan.md', 'docs/b', 'x/docs/c'].map((n) => [n, file()])) });
    register({ hostname: 'bob', displayName: 'Ánh' }, { id: 'c2', address: '2' });
    assert.deepEqual(namesOf(page({ prefix: 'docs/' })), ['docs/Plan.md', 'docs/b']);
    assert.deepEqual(Object.keys(page({ prefix: 'docs/' }).registry), ['alice']);
    assert.deepEqual(Object.keys(page({}).registry), ['alice', 'bob']);
    assert.deepEqual(namesOf(page({ query: ' ALICE  plan ' })), ['docs/Plan.md']);
    assert.deepEqual(namesOf(page({ query: 'plan ánh' })), []);
    registry.publish({ id: 'c2', address: '2' }, 'bob', 'Kế hoạch', file());
    assert.deepEqual(namesOf(page({ query: 'a\u0301nh kê\u0301' })), ['Kế hoạch']);
    const first = page({ query: 'docs', limit: 2 });
    assert.equal(namesOf(first).length, 2);
    assert.deepEqual(namesOf(page({ query: 'docs', limit: 2, cursor: first.cursor })), [
      'x/docs/c',
    ]);
  });
});

describe('ChangeFeed', () => {
  it('makes everybody begin anew when more changes than can be told, and holds a bounded number', () => {
    const clock = new FakeClock();
    const told: string[] = [];
    const feed = new ChangeFeed({
      ...{ clock, maxPendingChanges: 1_000 },
      render: (hostname, names) => {
        told.push(...names);
        return { json: JSON.stringify({ hostname, withdrawn: names }), record: undefined };
      },
    });
    const subscribers = [new TestSubscriber(), new TestSubscriber()];
    const [subscription] = subscribers.map((one) => feed.subscribe(one));
    for (let index = 0; index < 5_000; index += 1) feed.fileChanged('a', `f${index % 900}`);
    feed.hostGone('a');
    for (let index = 0; index < 1_000; index += 1) feed.fileChanged('a', `g${index}`);
    assert.equal(subscription?.isActive, true, 'so many may wait');
    feed.fileChanged('b', 'one more');
    assert.equal(subscription.isActive, false);
    for (const subscriber of subscribers)
      assert.deepEqual(
        subscriber.take().map(({ event }) => event),
        ['resync'],
      );
    assert.equal(clock.pending, 0);
    feed.subscribe(subscribers[0] ?? new TestSubscriber());
    feed.fileChanged('b', 'next');
    clock.advance(CHANGE_DELAY_MS);
    assert.deepEqual(told, ['next']);
    assert.equal(subscribers[0]?.lines.length, 1);
  });

  for (const [what, change] of [
    ['files', (feed: ChangeFeed, name: string) => feed.fileChanged('a', name)],
    ['hosts that come', (feed: ChangeFeed, name: string) => feed.hostChanged(name)],
    ['hosts that go', (feed: ChangeFeed, name: string) => feed.hostGone(name)],
  ] as const)
    it(`makes everybody begin anew when names of ${what} that wait take too much memory`, () => {
      const clock = new FakeClock();
      const feed = new ChangeFeed({
        ...{ clock, maxPendingBytes: 100_000 },
        render: (hostname) => ({ json: JSON.stringify({ hostname }), record: undefined }),
      });
      const nameOf = (index: number): string => `${index}`.padEnd(900, 'n');
      const subscription = feed.subscribe(new TestSubscriber());
      // Changes that were told take nothing any more.
      for (let round = 0; round < 3; round += 1) {
        for (let index = 0; index < 90; index += 1) change(feed, nameOf(index));
        assert.equal(subscription.isActive, true);
        clock.advance(CHANGE_DELAY_MS);
      }
      for (let index = 0; index < 120; index += 1) change(feed, nameOf(index));
      assert.equal(subscription.isActive, false);
      assert.equal(clock.pending, 0);
      const again = feed.subscribe(new TestSubscriber());
      for (let index = 0; index < 90; index += 1) change(feed, nameOf(index));
      assert.equal(again.isActive, true);
    });

  it('counts what was told as told', () => {
    const clock = new FakeClock();
    const feed = new ChangeFeed({
      ...{ clock, maxPendingChanges: 1_000 },
      render: (hostname) => ({ json: JSON.stringify({ hostname }), record: undefined }),
    });
    const subscription = feed.subscribe(new TestSubscriber());
    for (let round = 0; round < 5; round += 1) {
      for (let index = 0; index < 900; index += 1) feed.fileChanged('a', `${round} ${index}`);
      clock.advance(CHANGE_DELAY_MS);
    }
    assert.equal(subscription.isActive, true);
  });

  it('makes a subscriber that does not read begin anew, holds a bounded log, and spares the others', () => {
    const clock = new FakeClock();
    const maxLogBytes = 2_000;
    const json = JSON.stringify({ hostname: 'a', pad: 'x'.repeat(400) });
    const feed = new ChangeFeed({
      ...{ clock, maxLogBytes },
      render: () => ({ json, record: undefined }),
    });
    const [fast, slow] = [new TestSubscriber(), new TestSubscriber()];
    feed.subscribe(fast);
    const subscription = feed.subscribe(slow);
    slow.hasRoom = false;
    for (let count = 0; count < 20; count += 1) {
      feed.hostChanged('a');
      clock.advance(CHANGE_DELAY_MS);
      assert.ok(feed.heldBytes <= maxLogBytes);
    }
    assert.equal(subscription.isActive, false);
    assert.deepEqual(
      slow.take().map(({ event }) => event),
      ['resync'],
    );
    const told = fast.take();
    assert.deepEqual(
      told.map(({ seq }) => seq),
      told.map((_, index) => index + 1),
    );
    assert.equal(told.length, 20);
    assert.equal(feed.heldBytes, 0);
    const again = feed.subscribe(slow);
    slow.hasRoom = true;
    feed.hostChanged('a');
    clock.advance(CHANGE_DELAY_MS);
    assert.equal(slow.take()[0]?.seq, again.sequence + 1);
  });

  it('lets a subscriber that has room again go on where it was', () => {
    const clock = new FakeClock();
    const feed = new ChangeFeed({ clock, render: () => ({ json: '{}', record: undefined }) });
    const subscriber = new TestSubscriber();
    const subscription = feed.subscribe(subscriber);
    subscriber.hasRoom = false;
    for (let count = 0; count < 3; count += 1) {
      feed.hostChanged('a');
      clock.advance(CHANGE_DELAY_MS);
    }
    assert.equal(subscriber.lines.length, 0);
    assert.ok(feed.heldBytes > 0);
    subscriber.hasRoom = true;
    subscription.resume();
    assert.deepEqual(
      subscriber.take().map(({ seq }) => seq),
      [1, 2, 3],
    );
    assert.equal(feed.heldBytes, 0);
    subscription.dispose();
    feed.hostChanged('a');
    assert.equal(clock.pending, 0);
  });
});
