import { strict as assert } from 'node:assert';
import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { compareFiles } from '../../src/peer/comparison';
import type { CompareRequest, FileComparison } from '../../src/peer/peerApi';
import { formatContentId } from '../../src/protocol/contentId';
import { useCleanup } from '../support/cleanup';
import { hashBytes, startHasher } from '../support/hashFiles';
import { rejectsWith } from '../support/rejectsWith';
import { temporaryFolder } from '../support/temporaryFolder';

/** A time of modification long ago. */
const OLD_SECONDS = 1_700_000_000;

describe('comparing files here with what others offer', () => {
  const cleanup = useCleanup();

  const create = () => {
    const folder = temporaryFolder(cleanup);
    const { hasher, pool } = startHasher(cleanup, temporaryFolder(cleanup));
    const write = (name: string, content: string): string => {
      const path = join(folder, name);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, content);
      return path;
    };
    const offered = (content: string, ...paths: string[]): CompareRequest['files'][number] => {
      const { contentId } = hashBytes(Buffer.from(content));
      return { paths, sizeBytes: contentId.sizeBytes, contentId: formatContentId(contentId) };
    };
    const compare = (files: CompareRequest['files'], mayRead = true): Promise<FileComparison[]> =>
      compareFiles({ files, mayRead }, hasher, {});
    return { folder, pool, write, offered, compare, hasher };
  };

  it('goes by path, then by size, then by content', async () => {
    const { folder, write, offered, compare } = create();
    const same = write('same.txt', 'content');
    const other = write('other.txt', 'CONTENT');
    const longer = write('longer.txt', 'content and more');
    mkdirSync(join(folder, 'folder'));
    const missing = join(folder, 'missing.txt');
    assert.deepEqual(
      await compare([
        offered('content', same),
        offered('content', other),
        offered('content', longer),
        offered('content', missing),
        offered('content', missing, same),
        // The likeliest place counts, whatever the next one holds.
        offered('content', other, same),
        offered('content', join(folder, 'folder')),
        offered('content', join(same, 'below a file')),
        offered('content'),
      ]),
      ['same', 'different', 'different', 'new', 'same', 'different', 'new', 'new', 'new'],
    );
  });

  it('reads nothing unless it may, and nothing twice', async () => {
    const { pool, write, offered, compare } = create();
    const read = (): number => pool.tasks;
    const paths = ['a', 'b', 'c'].map((name) => write(name, 'content'));
    // What was written a moment ago may change without its looks showing it, and is not remembered.
    for (const path of paths) utimesSync(path, OLD_SECONDS, OLD_SECONDS);
    const files = [...paths.map((path) => offered('content', path)), offered('longer', paths[0]!)];
    assert.deepEqual(await compare(files, false), ['unread', 'unread', 'unread', 'different']);
    assert.equal(read(), 0);
    assert.deepEqual(await compare(files), ['same', 'same', 'same', 'different']);
    const tasks = read();
    assert.ok(tasks > 0);
    assert.deepEqual(await compare(files, false), ['same', 'same', 'same', 'different']);
    assert.equal(read(), tasks);
  });

  it('says only "same size" where the publisher does not say what the content is', async () => {
    const { write, compare } = create();
    const path = write('a', '1234');
    const files = [
      { paths: [path], sizeBytes: 4 },
      { paths: [path], sizeBytes: 4, contentId: 'no content id' },
      { paths: [path], sizeBytes: 5 },
    ];
    assert.deepEqual(await compare(files), ['sameSize', 'sameSize', 'different']);
  });

  it('ends when nobody wants to know any more', async () => {
    const { write, offered, hasher } = create();
    const files = [offered('content', write('a', 'content'))];
    const request = { files, mayRead: true };
    await rejectsWith('CANCELLED', compareFiles(request, hasher, { signal: AbortSignal.abort() }));
  });
});
