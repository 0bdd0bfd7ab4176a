import { strict as assert } from 'node:assert';
import { formatContentId } from '../../../src/protocol/contentId';
import { type DuplicateQuestions, findDuplicates } from '../../../src/peer/duplicates';

type Client = DuplicateQuestions['client'];
type Source = Awaited<ReturnType<Client['sources']>>[number];

const contentId = { root: 'a'.repeat(64), sizeBytes: 5 };
const otherId = { root: 'b'.repeat(64), sizeBytes: 5 };
const file = { name: 'plan.md', sizeBytes: 5, modifiedMs: 1_700_000_000_400, contentId };
const source = (more: Partial<Source>): Source => ({
  hostname: 'alice',
  displayName: 'Alice',
  ip: '127.0.0.1',
  port: 1,
  size: 5,
  modified: 1_700_000_000,
  ...more,
});

describe('finding duplicates', () => {
  let asked: string[];
  let sources: Source[];
  let located: { hostname: string; name: string }[];
  beforeEach(() => {
    asked = [];
    sources = [];
    located = [];
  });
  const client: Client = {
    locate: (ids) => {
      asked.push(`locate ${ids.length}`);
      const found = located.map((one) => ({ displayName: 'Alice', ip: '', port: 1, ...one }));
      return Promise.resolve(new Map([[formatContentId(contentId), found]]));
    },
    sources: (name) => {
      asked.push(`sources ${name}`);
      return Promise.resolve(sources);
    },
    list: () => {
      asked.push('list');
      const files = new Map([['plan.md', { size: 6, modified: 1, publishedAt: 1 }]]);
      const host = { displayName: 'Alice', ip: '', port: 1, files, lastSeen: 1, connectedAt: 1 };
      return Promise.resolve(
        new Map([
          ['alice', host],
          ['me', host],
        ]),
      );
    },
  };
  const find = async (
    files = [file],
  ): Promise<Awaited<ReturnType<typeof findDuplicates>>[number] | undefined> =>
    (await findDuplicates(files, { client, own: 'me' }))[0];

  it('names who has the same content, under any name, this peer left out', async () => {
    located = [
      { hostname: 'me', name: 'mine' },
      { hostname: 'alice', name: 'hers' },
    ];
    assert.deepEqual(await find(), {
      name: 'plan.md',
      sameContent: [{ hostname: 'alice', displayName: 'Alice', name: 'hers' }],
      sameName: [],
    });
    assert.deepEqual(asked, ['locate 1', 'sources plan.md']);
  });

  it('is certain about other content where it has an id', async () => {
    sources = [
      source({ contentId: otherId }),
      source({ hostname: 'bob', contentId }),
      source({ hostname: 'me', contentId: otherId }),
    ];
    const found = await find();
    assert.deepEqual(found?.sameName, [
      {
        ...{ hostname: 'alice', displayName: 'Alice' },
        ...{ sizeBytes: 5, modifiedMs: 1_700_000_000_000, certain: true },
      },
    ]);
  });

  it('goes by size and time where it has none', async () => {
    sources = [
      source({}),
      source({ hostname: 'bob', size: 6 }),
      source({ hostname: 'carol', modified: 1_700_000_009 }),
    ];
    const found = await find();
    assert.deepEqual(
      found?.sameName.map(({ hostname, certain }) => [hostname, certain]),
      [
        ['bob', false],
        ['carol', false],
      ],
    );
  });

  it('asks once for everything when there are many names, and names a few of many others', async () => {
    const many = Array.from({ length: 1_000 }, (_, index) => ({ ...file, name: `${index}` }));
    const found = await find([file, ...many]);
    assert.deepEqual(asked, ['locate 1001', 'list']);
    assert.deepEqual(
      found?.sameName.map(({ hostname }) => hostname),
      ['alice'],
    );
    located = Array.from({ length: 500 }, (_, index) => ({ hostname: `${index}`, name: 'x' }));
    assert.equal((await find())?.sameContent.length, 10);
  });
});
