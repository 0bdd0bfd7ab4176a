import { strict as assert } from 'node:assert';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { nullLogger } from '../../../src/common/logger';
import { Previews } from '../../../src/peer/previews';
import type { FetchRequest, PreviewRequest } from '../../../src/peer/peerApi';
import type { ContentHasher } from '../../../src/peer/hash/contentHasher';
import { formatContentId } from '../../../src/protocol/contentId';
import { useCleanup } from '../../support/cleanup';
import { FakeClock } from '../../support/fakeClock';
import { temporaryFolder } from '../../support/temporaryFolder';

const SIZE = 100;

/** A content of one piece, which is its own proof. */
const contentOf = (letter: string): { text: string; id: string } => {
  const text = letter.repeat(SIZE);
  const root = createHash('sha256').update(text).digest('hex');
  return { text, id: formatContentId({ root, sizeBytes: SIZE }) };
};

describe('the cache of previews', () => {
  const cleanup = useCleanup();
  let clock: FakeClock;
  let folder: string;
  let fetched: string[];
  let previews: Previews;

  beforeEach(() => {
    clock = new FakeClock();
    folder = temporaryFolder(cleanup);
    fetched = [];
    const hash = (path: string): Promise<unknown> => {
      const root = createHash('sha256').update(readFileSync(path)).digest('hex');
      return Promise.resolve({ contentId: { root, sizeBytes: statSync(path).size } });
    };
    const fetch = ({ name, destination: path }: FetchRequest): Promise<never> => {
      fetched.push(name);
      writeFileSync(path, contentOf(name).text);
      return Promise.resolve({ path } as never);
    };
    previews = new Previews({
      ...{ clock, folder, logger: nullLogger, maxCacheBytes: 3 * SIZE },
      hasher: { hash } as unknown as ContentHasher,
      locate: () => Promise.resolve([{ hostname: 'h' } as never]),
      fetchFrom: fetch,
      fetchByName: fetch,
    });
  });

  /** Content ids of what is kept; the rest of a name says whose it is. */
  const keptIds = (): string[] =>
    readdirSync(folder)
      .map((name) => name.split('-').slice(0, 2).join('-'))
      .sort();
  const look = async (name: string, more: Partial<PreviewRequest> = {}): Promise<string> => {
    clock.advance(1_000);
    const request = { name, hostname: 'h', contentId: contentOf(name).id, sizeBytes: SIZE };
    return previews.get({ ...request, ...more }, {});
  };

  it('forgets what was not looked at for longest when there is too much', async () => {
    for (const name of ['a', 'b', 'c', 'a', 'd']) await look(name);
    assert.deepEqual(fetched, ['a', 'b', 'c', 'd']);
    const kept = keptIds();
    assert.deepEqual(kept, [contentOf('a').id, contentOf('c').id, contentOf('d').id].sort());
  });

  it('keeps the file that it gives, however large that is', async () => {
    const path = await look('a', { contentId: undefined });
    writeFileSync(path, 'x'.repeat(10 * SIZE));
    await look('b');
    assert.deepEqual(keptIds(), [contentOf('b').id]);
  });

  it('fetches anew each time what has no content id', async () => {
    const first = await look('a', { contentId: undefined });
    const second = await look('a', { contentId: undefined });
    const other = await look('a', { contentId: undefined, hostname: 'other' });
    assert.equal(first, second);
    assert.notEqual(first, other);
    assert.deepEqual(fetched, ['a', 'a', 'a']);
  });

  it('fetches again what is damaged in the cache', async () => {
    const path = await look('a');
    writeFileSync(path, 'x'.repeat(SIZE));
    assert.equal(readFileSync(await look('a'), 'utf8'), contentOf('a').text);
    assert.deepEqual(fetched, ['a', 'a']);
  });
});
