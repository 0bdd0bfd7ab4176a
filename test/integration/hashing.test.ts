import { strict as assert } from 'node:assert';
import { randomBytes } from 'node:crypto';
import {
  appendFileSync,
  readdirSync,
  renameSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { Cleanup } from '../../scripts/host/cleanup';
import { PeershelfError } from '../../src/common/errors';
import { hasLayer } from '../../src/protocol/hashTree';
import { FakeClock } from '../support/fakeClock';
import { hashBytes, startHasher } from '../support/hashFiles';
import { rejectsWith } from '../support/rejectsWith';
import { temporaryFolder } from '../support/temporaryFolder';

const MIB = 1024 * 1024;

describe('hashing files', () => {
  const cleanup = new Cleanup();
  afterEach(() => cleanup.run());

  /** A file that looks as if it had been written a minute ago. */
  function write(folder: string, name: string, content: Buffer): string {
    const path = join(folder, name);
    writeFileSync(path, content);
    const beforeMs = Date.now() - 60_000;
    utimesSync(path, beforeMs / 1000, beforeMs / 1000);
    return path;
  }

  it('gives what the hash tree says, for all sizes, in the order asked', async () => {
    const folder = temporaryFolder(cleanup);
    const { hasher, layers } = startHasher(cleanup, folder);
    const contents = [0, 1, 70_000, MIB, MIB + 1, 37 * MIB + 99].map((size) => randomBytes(size));
    const paths = contents.map((content, index) => write(folder, `${index}`, content));
    const results = await hasher.hashAll([...paths, paths[0] ?? '']);
    assert.equal(results.length, paths.length + 1);
    contents.forEach((content, index) => {
      const result = results[index];
      assert.ok(result !== undefined && !(result instanceof PeershelfError));
      const expected = hashBytes(content);
      assert.deepEqual(result.contentId, expected.contentId);
      if (hasLayer(content.length)) assert.deepEqual(layers.get(result.contentId), expected.layer);
    });
  });

  it('reports progress that adds up', async () => {
    const folder = temporaryFolder(cleanup);
    const { hasher } = startHasher(cleanup, folder);
    const paths = [write(folder, 'a', randomBytes(40 * MIB)), write(folder, 'b', randomBytes(10))];
    let bytes = 0;
    await hasher.hashAll(paths, { onBytes: (count) => (bytes += count) });
    assert.equal(bytes, 40 * MIB + 10);
  });

  it('never reads an unchanged file twice, not even in the next process', async () => {
    const folder = temporaryFolder(cleanup);
    const first = startHasher(cleanup, folder);
    const paths = [write(folder, 'a', randomBytes(3 * MIB)), write(folder, 'b', randomBytes(10))];
    const before = await first.hasher.hashAll(paths);
    assert.ok(first.pool.tasks > 0);
    const second = startHasher(cleanup, folder);
    assert.deepEqual(await second.hasher.hashAll(paths), before);
    assert.equal(second.pool.tasks, 0);
  });

  it('reads a file again that was written, replaced, or has lost its layer', async () => {
    const folder = temporaryFolder(cleanup);
    const { hasher } = startHasher(cleanup, folder);
    const path = write(folder, 'a', randomBytes(2 * MIB));
    await hasher.hash(path);
    // The same size and time, another file.
    const other = randomBytes(2 * MIB);
    const { mtimeMs } = statSync(path);
    renameSync(write(folder, 'b', other), path);
    utimesSync(path, mtimeMs / 1000, mtimeMs / 1000);
    assert.deepEqual((await hasher.hash(path)).contentId, hashBytes(other).contentId);
    appendFileSync(path, 'x');
    const grown = hashBytes(Buffer.concat([other, Buffer.from('x')])).contentId;
    assert.deepEqual((await hasher.hash(path)).contentId, grown);
    for (const layer of readdirSync(join(folder, 'layers')))
      writeFileSync(join(folder, 'layers', layer), 'damaged');
    const { hasher: next, layers, pool } = startHasher(cleanup, folder);
    const { contentId } = await next.hash(path);
    assert.deepEqual(contentId, grown);
    assert.ok(pool.tasks > 0);
    assert.ok(layers.has(contentId));
  });

  it('removes the layers that nobody has used for a month, and keeps those in use', async () => {
    const folder = temporaryFolder(cleanup);
    const clock = new FakeClock();
    const { hasher, layers } = startHasher(cleanup, folder, { clock });
    const used = await hasher.hash(write(folder, 'used', randomBytes(2 * MIB)));
    const old = await hasher.hash(write(folder, 'old', randomBytes(2 * MIB)));
    const at = (time: number): void => {
      for (const name of readdirSync(join(folder, 'layers')))
        utimesSync(join(folder, 'layers', name), time / 1000, time / 1000);
    };
    at(clock.now());
    clock.advance(20 * 24 * 3_600_000);
    const later = startHasher(cleanup, folder, { clock }).layers;
    assert.ok(later.has(used.contentId));
    clock.advance(20 * 24 * 3_600_000);
    layers.sweep();
    const { layers: last } = startHasher(cleanup, folder, { clock });
    assert.ok(last.has(used.contentId));
    assert.ok(!last.has(old.contentId));
  });

  it('does not remember what was written a moment ago', async () => {
    const folder = temporaryFolder(cleanup);
    const { hasher, pool } = startHasher(cleanup, folder);
    const path = join(folder, 'young');
    writeFileSync(path, 'one');
    const soon = Date.now() + 5_000;
    utimesSync(path, soon / 1000, soon / 1000);
    await hasher.hash(path);
    const { tasks } = pool;
    await hasher.hash(path);
    assert.ok(pool.tasks > tasks);
  });

  it('reads a renamed file again, as a rename cannot be told from a change', async () => {
    const folder = temporaryFolder(cleanup);
    const { hasher, pool } = startHasher(cleanup, folder);
    const path = write(folder, 'a', randomBytes(17 * MIB));
    utimesSync(path, 1_700_000_000, 1_700_000_000);
    const { contentId } = await hasher.hash(path);
    const { tasks } = pool;
    const moved = join(folder, 'b');
    renameSync(path, moved);
    assert.deepEqual((await hasher.hash(moved)).contentId, contentId);
    assert.ok(pool.tasks > tasks);
  });

  it('begins again when a file changes while it is read', async () => {
    const folder = temporaryFolder(cleanup);
    const { hasher } = startHasher(cleanup, folder);
    const content = randomBytes(48 * MIB);
    const path = write(folder, 'a', content);
    let changed = false;
    const onBytes = (): void => {
      if (!changed) appendFileSync(path, 'tail');
      changed = true;
    };
    const { contentId } = await hasher.hash(path, { onBytes });
    assert.deepEqual(contentId, hashBytes(Buffer.concat([content, Buffer.from('tail')])).contentId);
  });

  it('gives up a file that changes all the time, with a reason', async () => {
    const folder = temporaryFolder(cleanup);
    const { hasher } = startHasher(cleanup, folder);
    const path = write(folder, 'a', randomBytes(17 * MIB));
    const onBytes = (): void => appendFileSync(path, 'more');
    await rejectsWith('FILE_CHANGED', hasher.hash(path, { onBytes }));
  });

  it('can be cancelled in the middle', async () => {
    const folder = temporaryFolder(cleanup);
    const { hasher, pool } = startHasher(cleanup, folder, { workers: 1 });
    const path = write(folder, 'a', randomBytes(120 * MIB));
    const controller = new AbortController();
    const { signal } = controller;
    await rejectsWith(
      'CANCELLED',
      hasher.hash(path, { signal, onBytes: () => controller.abort() }),
    );
    assert.ok(pool.tasks < 8, `${pool.tasks} tasks were begun`);
  });

  it('names files that are gone, or are links, and hashes the others', async () => {
    const folder = temporaryFolder(cleanup);
    const { hasher } = startHasher(cleanup, folder);
    const good = write(folder, 'good', Buffer.from('good'));
    symlinkSync(good, join(folder, 'link'));
    symlinkSync('around', join(folder, 'around'));
    await rejectsWith('FILE_UNREADABLE', hasher.hash(join(folder, 'around')));
    await rejectsWith('FILE_GONE', hasher.hash(join(folder, 'good/gone')));
    const [gone, link, found] = await hasher.hashAll([
      join(folder, 'gone'),
      join(folder, 'link'),
      good,
    ]);
    assert.ok(PeershelfError.is(gone, 'FILE_GONE'));
    assert.ok(PeershelfError.is(link, 'FILE_UNREADABLE'));
    assert.deepEqual(found, await hasher.hash(good));
  });

  it('hashes thousands of small files, and ends with its pool', async () => {
    const folder = temporaryFolder(cleanup);
    const { hasher, pool } = startHasher(cleanup, folder);
    const paths = Array.from({ length: 2_000 }, (_, index) =>
      write(folder, `${index}`, Buffer.from(`${index}`)),
    );
    const results = await hasher.hashAll(paths);
    assert.ok(results.every((result) => !(result instanceof PeershelfError)));
    const pending = hasher.hash(write(folder, 'last', randomBytes(64 * MIB)));
    const refused = rejectsWith('ENGINE_STOPPED', pending);
    await pool.stop();
    await refused;
    await rejectsWith('ENGINE_STOPPED', hasher.hash(write(folder, 'more', randomBytes(10))));
  });
});
