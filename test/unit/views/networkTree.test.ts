import { strict as assert } from 'node:assert';
import { nullLogger } from '../../../src/common/logger';
import { NetworkIndex } from '../../../src/peer/network/networkIndex';
import type { ListedHost } from '../../../src/protocol/controlReplies';
import type { FileNode, Grouping, NetworkNode, ParentNode } from '../../../src/views/networkNodes';
import { NetworkTree, type Redraw } from '../../../src/views/networkTree';
import { FakeClock } from '../../support/fakeClock';

const HEX = '0123456789abcdef';
/** A content id for each letter. */
const contentId = (letter: string) => ({
  root: HEX[letter.charCodeAt(0) % 16]!.repeat(64),
  sizeBytes: 1,
});

interface TestHost {
  /** Names, and what each holds. */
  files: Record<string, string>;
  awayMs?: number;
}

/** A view on a network that a test changes: a tree over a real index. */
class World {
  readonly clock = new FakeClock();
  readonly hosts = new Map<string, TestHost>();
  readonly marked: string[] = [];
  readonly index = new NetworkIndex({
    clock: this.clock,
    logger: nullLogger,
    list: () => Promise.resolve(this.listed()),
    ownHostname: () => 'me',
    shown: ({ signed: _, ...file }) => file,
  });
  /** Listings that were asked for, by what they are of. */
  readonly asked: string[] = [];
  readonly tree: NetworkTree;

  constructor(grouping: Grouping) {
    const { index, asked, clock } = this;
    this.tree = new NetworkTree(
      {
        clock,
        calls: () => ({
          networkPeerPage: (query) => {
            asked.push(`peers ${query.offset}`);
            return Promise.resolve(index.peerPage(query));
          },
          networkFolder: (query) => {
            asked.push(`${query.hostname ?? '*'}:${query.prefix} ${query.offset}`);
            return Promise.resolve(index.folder(query));
          },
        }),
        mark: (files) => {
          this.marked.push(...files.map(({ file }) => file.name));
          return Promise.resolve();
        },
      },
      grouping,
    );
  }

  async change(hostname: string, host: TestHost | undefined): Promise<void> {
    if (host === undefined) this.hosts.delete(hostname);
    else this.hosts.set(hostname, host);
    await this.index.refresh();
    this.tree.invalidate();
  }

  /** What a row shows, and below it what is unfolded, as VS Code would ask for it. */
  async drawn(parent?: ParentNode): Promise<string[]> {
    const rows = await this.tree.children(parent);
    const lines = [];
    for (const row of rows) {
      this.tree.noteDrawn(row);
      lines.push(describeRow(row));
      if (row.kind === 'peer' || row.kind === 'folder')
        lines.push(...(await this.drawn(row)).map((line) => `  ${line}`));
    }
    return lines;
  }

  private listed(): Map<string, ListedHost> {
    return new Map(
      [...this.hosts].map(([hostname, { files, awayMs }]) => [
        hostname,
        {
          ...{ displayName: hostname.toUpperCase(), ip: '127.0.0.1', port: 1, lastSeen: 0 },
          ...{ connectedAt: this.clock.now() / 1_000, ...(awayMs === undefined ? {} : { awayMs }) },
          files: new Map(
            Object.entries(files).map(([name, content]) => [
              name,
              { size: 1, modified: 1, publishedAt: 1, contentId: contentId(content) },
            ]),
          ),
        },
      ]),
    );
  }
}

function describeRow(row: NetworkNode): string {
  switch (row.kind) {
    case 'peer':
      return `${row.peer.displayName} (${row.peer.fileCount})`;
    case 'folder':
      return `${row.folder.name}/ (${row.folder.fileCount})`;
    case 'file':
      return `${row.label} of ${row.sources.map(({ displayName }) => displayName).join('+')}`;
    case 'more':
      return `${row.left} more`;
  }
}

const names = (redraw: Redraw): readonly string[] | 'all' =>
  redraw === 'all' ? redraw : redraw.map(describeRow);

const numbered = (count: number): Record<string, string> =>
  Object.fromEntries(
    Array.from({ length: count }, (_, index) => [`f${String(index).padStart(5, '0')}`, 'a']),
  );

describe('the tree of the network', () => {
  it('shows folders below peers, or what everybody has in folders with equal files as one', async () => {
    const byPeer = new World('peer');
    const byFolder = new World('folder');
    for (const world of [byPeer, byFolder]) {
      await world.change('bob', {
        files: { 'docs/a.txt': 'a', 'docs/deep/b.txt': 'b', 'c.txt': 'c' },
      });
      await world.change('eve', { files: { 'c.txt': 'c', 'docs/a.txt': 'x' } });
      await world.change('empty', { files: {} });
    }
    assert.deepEqual(await byPeer.drawn(), [
      'BOB (3)',
      '  docs/ (2)',
      '    deep/ (1)',
      '      b.txt of BOB',
      '    a.txt of BOB',
      '  c.txt of BOB',
      'EVE (2)',
      '  docs/ (1)',
      '    a.txt of EVE',
      '  c.txt of EVE',
    ]);
    assert.deepEqual(await byFolder.drawn(), [
      'docs/ (2)',
      '  deep/ (1)',
      '    b.txt of BOB',
      '  a.txt of BOB',
      '  a.txt of EVE',
      'c.txt of BOB+EVE',
    ]);
  });

  it('keeps rows the same objects with the same ids, and knows their parents', async () => {
    const world = new World('peer');
    await world.change('bob', { files: { 'd/a': 'a', b: 'b' } });
    await world.drawn();
    const [bob] = await world.tree.children();
    const below = await world.tree.children(bob as ParentNode);
    await world.change('eve', { files: { 'd/a': 'a' } });
    assert.equal(await world.tree.refresh(), 'all');
    const again = await world.tree.children();
    assert.equal(again[0], bob);
    assert.deepEqual(await world.tree.children(bob as ParentNode), below);
    assert.ok(below.every((row) => row.parent === bob));
    await world.drawn();
    const ids = (await world.tree.children()).concat(below).map(({ id }) => id);
    assert.equal(new Set(ids).size, ids.length);
  });

  it('says of a change only what shows something else', async () => {
    const world = new World('peer');
    await world.change('bob', { files: { 'd/a': 'a', 'e/b': 'b', c: 'c' } });
    await world.change('eve', { files: { x: 'x' } });
    await world.drawn();
    await world.change('eve', { files: { x: 'x' } });
    assert.deepEqual(await world.tree.refresh(), []);
    // Another content, and nothing else.
    await world.change('bob', { files: { 'd/a': 'a', 'e/b': 'b', c: 'd' } });
    assert.deepEqual(names(await world.tree.refresh()), ['c of BOB']);
    assert.deepEqual(world.tree.miscounted(), []);
    // Another row: only its folder is drawn again, though all above it have another count.
    await world.change('bob', { files: { 'd/a': 'a', 'd/z': 'z', 'e/b': 'b', c: 'd' } });
    assert.deepEqual(names(await world.tree.refresh()), ['d/ (2)']);
    assert.deepEqual(names(world.tree.miscounted()), ['BOB (4)']);
    assert.ok((await world.drawn()).includes('    z of BOB'));
    assert.deepEqual(world.tree.miscounted(), []);
    await world.change('eve', undefined);
    assert.equal(await world.tree.refresh(), 'all');
  });

  it('asks for nothing that is folded, and catches up when it is unfolded', async () => {
    const world = new World('peer');
    await world.change('bob', { files: { 'd/a': 'a', c: 'c' } });
    await world.drawn();
    const [bob] = (await world.tree.children()) as [ParentNode];
    const [folder] = (await world.tree.children(bob)) as [ParentNode];
    world.tree.collapse(folder);
    await world.change('bob', { files: { 'd/b': 'b', c: 'c' } });
    world.asked.length = 0;
    assert.deepEqual(await world.tree.refresh(), []);
    assert.deepEqual(world.asked, ['peers 0', 'bob: 0']);
    world.tree.expand(folder);
    assert.deepEqual(names(await world.tree.refresh()), ['d/ (1)']);
    assert.deepEqual((await world.tree.children(folder)).map(describeRow), ['b of BOB']);
    // Whatever was below something that is gone is not asked for any more.
    await world.change('bob', { files: { c: 'c' } });
    await world.tree.refresh();
    await world.change('bob', { files: { c: 'c', f: 'f' } });
    world.asked.length = 0;
    await world.tree.refresh();
    assert.deepEqual(world.asked, ['peers 0', 'bob: 0']);
    assert.deepEqual(await world.tree.children(folder), []);
  });

  it('shows 500 rows below a node and one for the rest, and more when that is pressed', async () => {
    const world = new World('folder');
    await world.change('bob', { files: numbered(1_234) });
    const first = await world.tree.children();
    assert.equal(first.length, 501);
    assert.equal(describeRow(first[500]!), '734 more');
    world.tree.showMore(first[500]!.parent);
    assert.equal(await world.tree.refresh(), 'all');
    const second = await world.tree.children();
    assert.equal(second.length, 1_001);
    assert.deepEqual(second.slice(0, 500), first.slice(0, 500));
    world.tree.showMore(undefined);
    await world.tree.refresh();
    assert.equal((await world.tree.children()).length, 1_234);
  });

  it('comes to an end where only a filter helps', async () => {
    const world = new World('folder');
    await world.change('bob', { files: numbered(6_000) });
    await world.tree.children();
    for (let page = 1; page < 10; page += 1) world.tree.showMore(undefined);
    await world.tree.refresh();
    const rows = await world.tree.children();
    assert.equal(rows.length, 5_001);
    const last = rows.at(-1);
    assert.deepEqual(last?.kind === 'more' && [last.left, last.canGrow], [1_000, false]);
  });

  it('filters by words in names and owners, and unfolds the little that is left', async () => {
    const world = new World('peer');
    await world.change('bob', { files: { 'd/report one': 'a', 'd/other': 'b' } });
    await world.change('eve', { files: { 'report two': 'c', ...numbered(200) } });
    await world.tree.children();
    world.tree.show({ grouping: 'peer', filter: 'REPORT' });
    assert.deepEqual(await world.drawn(), [
      'BOB (1)',
      '  d/ (1)',
      '    report one of BOB',
      'EVE (1)',
      '  report two of EVE',
    ]);
    const peers = (await world.tree.children()) as ParentNode[];
    assert.ok(peers.every(({ isOpen }) => isOpen));
    world.tree.show({ grouping: 'folder', filter: 'report eve' });
    assert.deepEqual(await world.drawn(), ['report two of EVE']);
    world.tree.show({ grouping: 'folder', filter: 'no such' });
    assert.deepEqual(await world.drawn(), []);
    world.tree.show({ grouping: 'folder', filter: '' });
    const [folder] = (await world.tree.children()) as [ParentNode];
    assert.equal(folder.isOpen, false);
  });

  it('asks whoever is here, and says since when nobody is', async () => {
    const world = new World('folder');
    await world.change('bob', { files: { a: 'a' }, awayMs: 60_000 });
    await world.change('eve', { files: { a: 'a' } });
    const [file] = (await world.tree.children()) as [FileNode];
    assert.deepEqual([file.file.hostname, file.awaySinceMs], ['eve', undefined]);
    await world.change('eve', { files: { a: 'a' }, awayMs: 1_000 });
    await world.tree.refresh();
    // Whoever was here last is likelier to come back.
    assert.deepEqual([file.file.hostname, file.awaySinceMs], ['eve', world.clock.now() - 1_000]);
    world.clock.advance(2_000);
    await world.change('eve', { files: { a: 'a' }, awayMs: 3_100 });
    assert.deepEqual(await world.tree.refresh(), [], 'only time has passed');
  });

  it('lets each file be marked once, and again when another content is offered', async () => {
    const world = new World('peer');
    await world.change('bob', { files: { a: 'a', b: 'b' } });
    await world.drawn();
    for (const file of world.tree.files()) file.mark = 'same';
    await world.change('bob', { files: { a: 'a', b: 'c', n: 'n' } });
    await world.tree.refresh();
    assert.deepEqual(world.marked, ['a', 'b', 'b', 'n']);
    assert.deepEqual(
      world.tree.files().map(({ mark }) => mark),
      ['same', undefined, undefined],
    );
    for (const file of world.tree.files()) file.mark = 'same';
    world.marked.length = 0;
    // Fetched now, it would get another place.
    await world.change('eve', { files: { a: 'e' } });
    await world.tree.refresh();
    assert.deepEqual(world.marked, ['a']);
  });

  it('lists names that are no paths, each with something to read', async () => {
    const world = new World('folder');
    const hostile = ['/abs', '//two', 'ends/', 'a', 'a/b'];
    await world.change('bob', { files: Object.fromEntries(hostile.map((name) => [name, 'a'])) });
    assert.deepEqual(await world.drawn(), [
      '/ (2)',
      '  / (1)',
      '    two of BOB',
      '  abs of BOB',
      'a/ (1)',
      '  b of BOB',
      'ends/ (1)',
      '  ends/ of BOB',
      'a of BOB',
    ]);
  });

  it('folds peers at first when they are many', async () => {
    const world = new World('peer');
    for (let index = 0; index < 21; index += 1) world.hosts.set(`h${index}`, { files: { a: 'a' } });
    await world.index.refresh();
    const peers = (await world.tree.children()) as ParentNode[];
    assert.equal(peers.length, 21);
    assert.ok(peers.every(({ isOpen }) => !isOpen));
  });

  it('keeps the later of two answers that come in the wrong order', async () => {
    const answers: ((files: string[]) => void)[] = [];
    const tree = new NetworkTree(
      {
        clock: new FakeClock(),
        calls: () => ({
          networkPeerPage: () => Promise.reject(new Error('not asked for')),
          networkFolder: () =>
            new Promise((resolve) => {
              answers.push((found) =>
                resolve({
                  folders: found.map((name) => ({ name, prefix: `${name}/`, fileCount: 1 })),
                  files: [],
                  total: found.length,
                }),
              );
            }),
        }),
        mark: () => Promise.resolve(),
      },
      'folder',
    );
    const first = tree.children();
    tree.invalidate();
    const second = tree.children();
    answers[1]?.(['new']);
    assert.deepEqual((await second).map(describeRow), ['new/ (1)']);
    answers[0]?.(['old']);
    assert.deepEqual((await first).map(describeRow), ['new/ (1)']);
  });
});
