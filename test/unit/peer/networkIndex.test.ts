import { strict as assert } from 'node:assert';
import { deferred } from '../../../src/common/deferred';
import { nullLogger } from '../../../src/common/logger';
import { NetworkIndex } from '../../../src/peer/network/networkIndex';
import type { ListedHost } from '../../../src/protocol/controlReplies';
import { FakeClock, flushPromises } from '../../support/fakeClock';

const host = (displayName: string, names: readonly string[], lastSeen = 0): ListedHost => ({
  displayName,
  ip: '127.0.0.1',
  port: 6000,
  files: new Map(names.map((name) => [name, { size: 1, modified: 1, publishedAt: 1 }])),
  lastSeen,
  connectedAt: 0,
});

describe('NetworkIndex', () => {
  const create = () => {
    const clock = new FakeClock();
    const tracker = { hosts: new Map<string, ListedHost>(), questions: 0 };
    const index = new NetworkIndex({
      clock,
      logger: nullLogger,
      list: () => {
        tracker.questions += 1;
        return Promise.resolve(tracker.hosts);
      },
      ownHostname: () => 'me',
      shown: ({ signed: _, ...file }) => file,
    });
    let changes = 0;
    index.onDidChange(() => (changes += 1));
    return { clock, tracker, index, changes: () => changes };
  };

  it('leaves out this peer, and sorts by name', async () => {
    const { tracker, index } = create();
    tracker.hosts.set('me', host('Me', ['mine']));
    tracker.hosts.set('b', host('Bea', ['z', 'a']));
    tracker.hosts.set('a', host('Zoe', ['m']));
    await index.refresh();
    assert.deepEqual(
      index.peers().map(({ displayName }) => displayName),
      ['Bea', 'Zoe'],
    );
    const page = index.files({ limit: 2 });
    assert.deepEqual(
      page.files.map(({ name }) => name),
      ['a', 'm'],
    );
    assert.equal(page.total, 3);
    assert.equal(index.files({ hostname: 'b', text: 'Z', limit: 9 }).total, 1);
  });

  it('pages the peers with files, and counts what matches', async () => {
    const { tracker, index } = create();
    tracker.hosts.set('none', host('Nobody', []));
    tracker.hosts.set('b', host('Bea', ['plan b', 'x']));
    tracker.hosts.set('a', host('Zoe', ['plan z', 'plan']));
    await index.refresh();
    const pageOf = (text: string, offset = 0, limit = 10): [string[], number] => {
      const { peers, total } = index.peerPage({ text, offset, limit });
      return [peers.map(({ displayName, fileCount }) => `${displayName} ${fileCount}`), total];
    };
    assert.deepEqual(pageOf(''), [['Bea 2', 'Zoe 2'], 2]);
    assert.deepEqual(pageOf('', 1, 1), [['Zoe 2'], 2]);
    assert.deepEqual(pageOf(' PLAN '), [['Bea 1', 'Zoe 2'], 2]);
    assert.deepEqual(pageOf('plan zoe'), [['Zoe 2'], 1]);
    assert.deepEqual(pageOf('nowhere'), [[], 0]);
  });

  it('lists a folder of a host with few of many files, in order and no others', async () => {
    const { tracker, index } = create();
    const many = Array.from({ length: 1_000 }, (_, number) => `d/${number}`);
    tracker.hosts.set('large', host('Large', many));
    tracker.hosts.set('small', host('Small', ['d/z', 'top', 'd/a', 'd/e/f']));
    await index.refresh();
    const listed = (prefix: string): string[] => {
      const { folders, files } = index.folder({ prefix, hostname: 'small' });
      return [...folders.map((folder) => folder.prefix), ...files.map(({ name }) => name)];
    };
    assert.deepEqual(listed(''), ['d/', 'top']);
    assert.deepEqual(listed('d/'), ['d/e/', 'd/a', 'd/z']);
    assert.equal(index.folder({ prefix: '', hostname: 'unknown' }).total, 0);
    assert.equal(index.folder({ prefix: 'd/', hostname: 'large' }).total, 1_000);
  });

  it('says for how long a source is away', async () => {
    const { clock, tracker, index } = create();
    tracker.hosts.set('a', { ...host('A', ['x']), awayMs: 5_000 });
    tracker.hosts.set('b', host('B', ['y']));
    await index.refresh();
    clock.advance(1_000);
    const sources = index.folder({ prefix: '' }).files.map((file) => file.sources[0]);
    assert.deepEqual(
      sources.map((source) => [source?.hostname, source?.state, source?.awayForMs]),
      [
        ['a', 'away', 6_000],
        ['b', 'online', undefined],
      ],
    );
    assert.deepEqual(
      ['a', 'b', 'unknown'].map((hostname) => index.awayForMs(hostname)),
      [6_000, undefined, undefined],
    );
  });

  it('fires only when something changed that is shown', async () => {
    const { tracker, index, changes } = create();
    tracker.hosts.set('a', host('A', ['x'], 1));
    await index.refresh();
    const afterFirst = changes();
    tracker.hosts.set('a', host('A', ['x'], 2));
    await index.refresh();
    assert.equal(changes(), afterFirst);
    tracker.hosts.set('a', host('A', ['x', 'y'], 2));
    await index.refresh();
    assert.equal(changes(), afterFirst + 1);
  });

  it('asks again while watched, one question at a time, and not after', async () => {
    const { clock, tracker, index } = create();
    index.watch(true);
    index.watch(true);
    await flushPromises();
    await clock.advanceSlowly(9_000);
    assert.equal(tracker.questions, 4);
    index.watch(false);
    await clock.advanceSlowly(60_000);
    assert.equal(tracker.questions, 4);
    assert.equal(clock.pending, 0);
  });

  it('shares a question that is under way', async () => {
    const answer = deferred<Map<string, ListedHost>>();
    let questions = 0;
    const index = new NetworkIndex({
      clock: new FakeClock(),
      logger: nullLogger,
      list: () => {
        questions += 1;
        return answer.promise;
      },
      ownHostname: () => undefined,
      shown: (file) => file,
    });
    const both = Promise.all([index.refresh(), index.refresh()]);
    answer.resolve(new Map());
    await both;
    await flushPromises();
    assert.equal(questions, 1);
  });
});
