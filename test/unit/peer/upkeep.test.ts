import { strict as assert } from 'node:assert';
import {
  chmodSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { deferred } from '../../../src/common/deferred';
import { Emitter } from '../../../src/common/events';
import { nullLogger } from '../../../src/common/logger';
import { type CatalogueEntry, entryCondition } from '../../../src/peer/catalogue/catalogue';
import { stampOf } from '../../../src/peer/hash/fileStamp';
import { Upkeep } from '../../../src/peer/upkeep';
import { useCleanup } from '../../support/cleanup';
import { FakeClock, flushPromises } from '../../support/fakeClock';
import { FakeWatch } from '../../support/fakeWatch';
import { temporaryFolder } from '../../support/temporaryFolder';

describe('the upkeep of published files', () => {
  const cleanup = useCleanup();
  let clock: FakeClock;
  let fake: FakeWatch;
  let folder: string;
  let entries: Map<string, CatalogueEntry>;
  let changes: Emitter<void>;
  let upkeep: Upkeep;
  let republishes: boolean;
  let done: string[];
  /** Files that were read to see whether they hold what they did; only those with "content" do. */
  let read: string[];
  let republish: (entry: CatalogueEntry) => Promise<void>;

  beforeEach(() => {
    clock = new FakeClock();
    fake = new FakeWatch();
    folder = temporaryFolder(cleanup);
    entries = new Map();
    changes = new Emitter<void>();
    republishes = true;
    done = [];
    read = [];
    republish = (entry) => {
      add(entry.name);
      return Promise.resolve();
    };
    upkeep = new Upkeep({
      clock,
      logger: nullLogger,
      session: {
        catalogue: { all: () => [...entries.values()], get: (name) => entries.get(name) },
        onDidChangeCatalogue: changes.event,
      },
      check: entryCondition,
      republishes: () => republishes,
      confirm: (changed) => {
        read.push(changed.map(({ name }) => name).join(' '));
        for (const entry of changed)
          if (readFileSync(entry.path, 'utf8') === 'content')
            entries.set(entry.name, { ...entry, stamp: stampOf(entry.path) });
        changes.fire();
        return Promise.resolve();
      },
      republish: (entry) => {
        done.push(`again ${entry.name}`);
        return republish(entry);
      },
      unpublish: (gone) => {
        gone.forEach(({ name }) => entries.delete(name));
        done.push(`gone ${gone.map(({ name }) => name).join(' ')}`);
        return Promise.resolve();
      },
      watchFolder: fake.watchFolder,
    });
    cleanup.add(() => upkeep.dispose());
  });

  const path = (name: string): string => join(folder, name);
  const add = (name: string): void => {
    const stamp = stampOf(path(name));
    entries.set(name, {
      name,
      path: path(name),
      realPath: path(name),
      sizeBytes: stamp.sizeBytes,
      modifiedMs: stamp.modifiedMs,
      stamp,
      publishedAtMs: 0,
    });
    changes.fire();
  };
  const publish = async (name: string): Promise<void> => {
    mkdirSync(dirname(path(name)), { recursive: true });
    write(name, 'content');
    add(name);
    await flushPromises();
  };
  let writes = 0;
  /** Every write has a time of its own, also on a disk that counts whole seconds. */
  const write = (name: string, content: string): void => {
    writeFileSync(path(name), content);
    writes += 1;
    utimesSync(path(name), 1_700_000_000 + writes, 1_700_000_000 + writes);
  };
  const change = (name: string, content = 'changed'): void => {
    write(name, content);
    fake.change(dirname(path(name)), name.split('/').pop());
  };

  describe('of those that are gone', () => {
    it('takes them back together when they stay away', async () => {
      for (const name of ['sub/a', 'sub/b', 'c']) await publish(name);
      rmSync(path('sub'), { recursive: true });
      fake.change(path('sub'), 'a');
      await clock.advanceSlowly(4_900, 700);
      assert.deepEqual(done, []);
      await clock.advanceSlowly(500, 100);
      assert.deepEqual(done, ['gone sub/a sub/b']);
      assert.deepEqual([...entries.keys()], ['c']);
    });

    it('keeps one that comes back in time, as it was or changed', async () => {
      await publish('a');
      const { mtime } = statSync(path('a'));
      unlinkSync(path('a'));
      fake.change(folder, 'a');
      await clock.advanceSlowly(4_000);
      writeFileSync(path('a'), 'content');
      utimesSync(path('a'), mtime, mtime);
      await clock.advanceSlowly(60_000);
      assert.deepEqual(done, []);

      unlinkSync(path('a'));
      fake.change(folder, 'a');
      await clock.advanceSlowly(3_000);
      change('a');
      await clock.advanceSlowly(60_000);
      assert.deepEqual(done, ['again a']);
    });

    it('notices it without a watcher, and in what was stored before', async () => {
      fake.refused.add(folder);
      await publish('a');
      unlinkSync(path('a'));
      await clock.advanceSlowly(36_000);
      assert.deepEqual(done, ['gone a']);

      await publish('stored');
      const stored = entries.get('stored');
      assert.ok(stored);
      unlinkSync(path('stored'));
      entries.set('stored', { ...stored });
      changes.fire();
      await clock.advanceSlowly(6_000);
      assert.deepEqual(done, ['gone a', 'gone stored']);
    });

    it('leaves alone what was taken back or published anew meanwhile', async () => {
      await publish('a');
      unlinkSync(path('a'));
      fake.change(folder, 'a');
      await clock.advanceSlowly(1_000);
      await publish('a');
      await clock.advanceSlowly(60_000);
      assert.deepEqual(done, []);
    });
  });

  describe('of those that have changed', () => {
    it('publishes them again after a quiet moment', async () => {
      await publish('a');
      change('a', '1');
      await clock.advanceSlowly(1_500, 500);
      change('a', '22');
      await clock.advanceSlowly(1_500, 500);
      assert.deepEqual(done, []);
      await clock.advanceSlowly(1_000, 500);
      assert.deepEqual(done, ['again a']);
      await clock.advanceSlowly(60_000);
      assert.deepEqual(done, ['again a']);
    });

    it('does nothing unless it is wished for, and begins when it is', async () => {
      republishes = false;
      await publish('a');
      change('a');
      await clock.advanceSlowly(60_000);
      assert.deepEqual(done, []);
      republishes = true;
      upkeep.lookAtAll();
      await clock.advanceSlowly(3_000);
      assert.deepEqual(done, ['again a']);
    });

    it('does it seldom for a file that changes all the time', async () => {
      await publish('a');
      const everyMs = async (stepMs: number): Promise<void> => {
        for (let passed = 0; passed < 60_000; passed += stepMs) {
          change('a', `${passed} ${stepMs}`);
          await clock.advanceSlowly(stepMs, 500);
        }
      };
      await everyMs(1_000);
      assert.deepEqual(done, [], 'it is never quiet');
      await everyMs(3_500);
      assert.ok(done.length > 1 && done.length <= 7, `${done.length} times`);
    });

    it('does one at a time, and goes on after a failure', async () => {
      for (const name of ['a', 'b']) await publish(name);
      const first = deferred<undefined>();
      republish = () => first.promise;
      for (const name of ['a', 'b']) change(name);
      await clock.advanceSlowly(3_000);
      assert.deepEqual(done, ['again a']);
      republish = (entry) => {
        add(entry.name);
        return Promise.resolve();
      };
      first.reject(new Error('the disk is full'));
      await flushPromises();
      assert.deepEqual(done, ['again a', 'again b']);
      await clock.advanceSlowly(60_000);
      assert.deepEqual(done, ['again a', 'again b', 'again a']);
    });
  });

  describe('of those that only look otherwise', () => {
    beforeEach(() => {
      republishes = false;
    });
    const condition = (name: string): string => entryCondition(entries.get(name)!);

    it('offers them on under what they hold, after a quiet moment', async () => {
      for (const name of ['touched', 'chmodded', 'copied back']) await publish(name);
      write('touched', 'content');
      chmodSync(path('chmodded'), 0o600);
      writeFileSync(path('new'), 'content');
      renameSync(path('new'), path('copied back'));
      for (const name of entries.keys()) assert.equal(condition(name), 'changed');
      fake.change(folder, undefined);
      await clock.advanceSlowly(1_500, 500);
      assert.deepEqual(read, []);
      await clock.advanceSlowly(60_000);
      assert.deepEqual(read, ['touched chmodded copied back']);
      for (const name of entries.keys()) assert.equal(condition(name), 'same');
      assert.deepEqual(done, []);
    });

    it('reads what holds something else once, and again when it looks otherwise again', async () => {
      await publish('a');
      change('a');
      await clock.advanceSlowly(60_000);
      assert.deepEqual(read, ['a']);
      assert.equal(condition('a'), 'changed');
      change('a', 'content');
      await clock.advanceSlowly(60_000);
      assert.deepEqual(read, ['a', 'a']);
      assert.equal(condition('a'), 'same');
      change('a', 'of another size');
      await clock.advanceSlowly(60_000);
      assert.deepEqual(read, ['a', 'a']);
    });
  });

  it('ends with its owner', async () => {
    await publish('a');
    change('a');
    unlinkSync(path('a'));
    upkeep.dispose();
    await clock.advanceSlowly(60_000);
    assert.deepEqual(done, []);
    assert.equal(clock.pending, 0);
    assert.deepEqual(fake.folders, []);
  });
});
