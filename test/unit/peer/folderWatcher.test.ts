import { strict as assert } from 'node:assert';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createLogger } from '../../../src/common/logger';
import { FolderWatcher, MAX_WATCHED_FOLDERS } from '../../../src/peer/folderWatcher';
import { useCleanup } from '../../support/cleanup';
import { FakeClock } from '../../support/fakeClock';
import { FakeWatch } from '../../support/fakeWatch';
import { temporaryFolder } from '../../support/temporaryFolder';

describe('the folder watcher', () => {
  const cleanup = useCleanup();
  let clock: FakeClock;
  let fake: FakeWatch;
  let watcher: FolderWatcher;
  let folder: string;
  let told: string[][];
  let logged: string[];

  beforeEach(() => {
    clock = new FakeClock();
    fake = new FakeWatch();
    folder = temporaryFolder(cleanup);
    told = [];
    logged = [];
    const logger = createLogger((level, _tag, message) => logged.push(`${level} ${message}`));
    watcher = new FolderWatcher({ clock, logger, watchFolder: fake.watchFolder });
    cleanup.add(() => watcher.dispose());
    watcher.onDidChange((paths) => told.push([...paths]));
  });

  it('tells many changes at once, soon, and those that come later again', () => {
    watcher.watch(new Set([folder]));
    fake.change(folder, 'a');
    clock.advance(150);
    fake.change(folder, 'b');
    fake.change(folder, 'a');
    assert.deepEqual(told, []);
    clock.advance(50);
    assert.deepEqual(told, [[join(folder, 'a'), join(folder, 'b')]]);
    fake.change(folder);
    clock.advance(200);
    assert.deepEqual(told[1], [folder]);
  });

  it('tells a flood of changes as one of the folder', () => {
    watcher.watch(new Set([folder]));
    for (let index = 0; index < 5_000; index += 1) fake.change(folder, `${index}`);
    clock.advance(200);
    assert.equal(told[0]?.length, 1_001);
    assert.ok(told[0].includes(folder));
  });

  it('watches what it is told to and no more, and not too many', () => {
    watcher.watch(new Set(['/a', '/b']));
    watcher.watch(new Set(['/b', '/c']));
    assert.deepEqual(fake.folders, ['/b', '/c']);
    watcher.watch(new Set(Array.from({ length: 1_000 }, (_, index) => `/${index}`)));
    assert.equal(fake.folders.length, MAX_WATCHED_FOLDERS);
    watcher.dispose();
    assert.deepEqual(fake.folders, []);
  });

  it('names a folder that cannot be watched in the log, watches the others, and tries again', () => {
    fake.refused.add('/a').add('/b');
    watcher.watch(new Set(['/a', '/b', folder]));
    assert.deepEqual(fake.folders, [folder]);
    assert.deepEqual(
      logged.map((line) => line.split(' ', 1)[0]),
      ['warn', 'debug'],
    );
    fake.fail(folder);
    assert.deepEqual(fake.folders, []);
    fake.refused.clear();
    watcher.watch(new Set(['/a', '/b', folder]));
    assert.deepEqual(fake.folders, ['/a', '/b', folder]);
  });

  it('lets go of a folder that is gone, and watches the one that comes in its place', () => {
    const inner = join(folder, 'inner');
    mkdirSync(inner);
    watcher.watch(new Set([inner]));
    rmSync(inner, { recursive: true });
    fake.change(inner, 'inner');
    assert.deepEqual(fake.folders, []);
    clock.advance(200);
    assert.ok(told[0]?.includes(inner));
    mkdirSync(inner);
    watcher.watch(new Set([inner]));
    assert.deepEqual(fake.folders, [inner]);
  });
});
