import { strict as assert } from 'node:assert';
import type { CompareRequest, FileComparison } from '../../../src/peer/peerApi';
import { NetworkMarks } from '../../../src/views/networkMarks';
import type { FileNode } from '../../../src/views/networkNodes';
import { flushPromises } from '../../support/fakeClock';

const node = (name: string, sizeBytes = 1): FileNode => ({
  ...{ kind: 'file', id: name, parent: undefined, label: name, sources: [] },
  ...{ awaySinceMs: undefined, mark: undefined },
  file: {
    ...{ name, sizeBytes, hostname: 'bob', displayName: 'Bob' },
    ...{ modifiedMs: 0, publishedAtMs: 0 },
  },
});

describe('NetworkMarks', () => {
  const create = (
    answer: (path: string, mayRead: boolean) => FileComparison,
    platform: NodeJS.Platform = 'linux',
  ) => {
    const requests: CompareRequest[] = [];
    const marks = new NetworkMarks({
      calls: () => ({
        compareFiles: (request) => {
          requests.push(request);
          const { files, mayRead } = request;
          return Promise.resolve(files.map(({ paths }) => answer(paths[0] ?? '', mayRead)));
        },
      }),
      pathsOf: ({ name }) =>
        Promise.resolve(name === 'nowhere' ? [] : [`/w/shared/${name}`, `/w/${name}`]),
      platform,
    });
    return { marks, requests };
  };

  it('asks in small parts, and leaves what cannot be here without a mark', async () => {
    const { marks, requests } = create(() => 'new');
    const nodes = Array.from({ length: 250 }, (_, index) => node(`f${index}`));
    const nowhere = node('nowhere');
    await marks.look([...nodes, nowhere]);
    assert.deepEqual(
      requests.map(({ files }) => files.length),
      [100, 100, 50],
    );
    assert.ok(nodes.every(({ mark }) => mark === 'new'));
    assert.equal(nowhere.mark, undefined);
    assert.ok(requests.every(({ mayRead }) => !mayRead));
  });

  it('reads only what nothing else tells apart, a few at a time, until there is no more', async () => {
    const { marks, requests } = create((path, mayRead) => {
      if (!path.includes('same')) return 'different';
      return mayRead ? 'same' : 'unread';
    });
    const nodes = [
      node('other'),
      ...Array.from({ length: 20 }, (_, index) => node(`same${index}`)),
    ];
    await marks.look(nodes);
    const { signal } = new AbortController();
    const sizes = [];
    for (;;) {
      const marked = await marks.readSome(nodes, signal);
      if (marked.length === 0) break;
      sizes.push(marked.length);
    }
    assert.deepEqual(sizes, [16, 4]);
    assert.deepEqual(
      requests.map(({ mayRead }) => mayRead),
      [false, true, true],
    );
    assert.deepEqual(new Set(nodes.map(({ mark }) => mark)), new Set(['different', 'same']));
  });

  it('lets a row say what it said until its file is read again', async () => {
    let isTouched = false;
    const { marks } = create((_, mayRead) => (isTouched && !mayRead ? 'unread' : 'same'));
    const nodes = [node('fetched'), node('touched')];
    await marks.look(nodes);
    isTouched = true;
    await marks.look(nodes);
    assert.deepEqual(
      nodes.map(({ mark }) => mark),
      ['same', 'same'],
    );
    const { signal } = new AbortController();
    assert.deepEqual(await marks.readSome(nodes, signal), nodes);
    assert.deepEqual(await marks.readSome(nodes, signal), []);
  });

  it('reads what is offered anew also when the answer to what was offered before comes late', async () => {
    const waiting: ((answers: FileComparison[]) => void)[] = [];
    const marks = new NetworkMarks({
      calls: () => ({
        compareFiles: ({ mayRead }) =>
          mayRead ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(['unread']),
      }),
      pathsOf: () => Promise.resolve(['/w/x']),
    });
    const x = node('x');
    const { signal } = new AbortController();
    await marks.look([x]);
    const late = marks.readSome([x], signal);
    await flushPromises();
    x.file = { ...x.file, contentId: 'another' };
    x.mark = undefined;
    await marks.look([x]);
    waiting[0]?.(['same']);
    await late;
    assert.equal(x.mark, 'unread');
    const again = marks.readSome([x], signal);
    await flushPromises();
    waiting[1]?.(['different']);
    assert.deepEqual(await again, [x]);
    assert.equal(x.mark, 'different');
  });

  it('finds the rows of files and folders that have changed', async () => {
    const { marks } = create(() => 'same');
    const nodes = [node('a/b/c.txt'), node('a/d.txt'), node('e.txt')];
    await marks.look(nodes);
    const at = (...paths: string[]): string[] =>
      marks.at(new Set(paths), nodes).map(({ label }) => label);
    assert.deepEqual(at('/w/shared/e.txt'), ['e.txt']);
    assert.deepEqual(at('/w/a/b'), ['a/b/c.txt']);
    assert.deepEqual(at('/w/shared/a', '/elsewhere'), ['a/b/c.txt', 'a/d.txt']);
    assert.deepEqual(at('/w/shared/e'), []);
  });

  it('knows a file again that the system calls by another spelling of its name', async () => {
    const found = async (platform: NodeJS.Platform, changed: string): Promise<string[]> => {
      const { marks } = create(() => 'different', platform);
      const nodes = [node('notes.md'), node('été.md')];
      await marks.look(nodes);
      return marks.at(new Set([changed]), nodes).map(({ label }) => label);
    };
    for (const platform of ['win32', 'darwin'] as const) {
      assert.deepEqual(await found(platform, '/w/shared/Notes.md'), ['notes.md']);
      assert.deepEqual(await found(platform, '/w/été.md'.normalize('NFD')), ['été.md']);
    }
    // There these are two files.
    assert.deepEqual(await found('linux', '/w/shared/Notes.md'), []);
  });

  it('finds out once where a file may be, as long as that can be no other place', async () => {
    const asked: string[] = [];
    const marks = new NetworkMarks({
      calls: () => ({ compareFiles: ({ files }) => Promise.resolve(files.map(() => 'unread')) }),
      pathsOf: ({ name, displayName }) => {
        asked.push(displayName);
        return Promise.resolve([`/w/${displayName}/${name}`]);
      },
    });
    const one = node('one');
    await marks.look([one]);
    await marks.look([one]);
    await marks.readSome([one], new AbortController().signal);
    assert.deepEqual(asked, ['Bob']);
    one.file = { ...one.file, displayName: 'Robert' };
    await marks.look([one]);
    assert.deepEqual(marks.at(new Set(['/w/Robert/one']), [one]), [one]);
    marks.forgetPlaces([one]);
    await marks.look([one]);
    assert.deepEqual(asked, ['Bob', 'Robert', 'Robert']);
  });

  it('gives no mark to what is offered anew meanwhile', async () => {
    const changing = node('x');
    const marks = new NetworkMarks({
      calls: () => ({
        compareFiles: () => {
          changing.file = { ...changing.file, sizeBytes: 2 };
          return Promise.resolve(['same']);
        },
      }),
      pathsOf: () => Promise.resolve(['/w/x']),
    });
    await marks.look([changing]);
    assert.equal(changing.mark, undefined);
  });
});
