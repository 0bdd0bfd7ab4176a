import { strict as assert } from 'node:assert';
import {
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../../src/common/clock';
import { nullLogger } from '../../../src/common/logger';
import { DownloadPart, Leftovers } from '../../../src/peer/transfer/leftovers';
import { useCleanup } from '../../support/cleanup';
import { temporaryFolder } from '../../support/temporaryFolder';

describe('DownloadPart', () => {
  const cleanup = useCleanup();
  const contentId = { root: 'a'.repeat(64), sizeBytes: 5 };

  const create = () => {
    const folder = temporaryFolder(cleanup);
    const records = temporaryFolder(cleanup);
    const window = (windowId: string): Leftovers =>
      new Leftovers({ folder: records, windowId, clock: systemClock }, nullLogger);
    const destination = join(folder, 'file');
    const partIn = (leftovers: Leftovers): DownloadPart =>
      new DownloadPart(leftovers, destination, contentId);
    const left = (): string[] => [folder, records].flatMap((each) => readdirSync(each));
    /** One attempt that leaves something. */
    const rest = (part: DownloadPart): string => {
      const file = part.open();
      writeFileSync(file.path, 'hello');
      writeFileSync(file.journal, '0\n');
      part.rest(file);
      return file.path;
    };
    return { window, partIn, left, rest, records };
  };

  it('is the same in every attempt, and nobody else of the engine takes it between them', () => {
    const { window, partIn, rest } = create();
    const engine = window('one');
    const part = partIn(engine);
    const path = rest(part);
    const other = partIn(engine).open();
    assert.notEqual(other.path, path);
    writeFileSync(other.path, 'other');
    other.keep();
    const again = part.open();
    assert.equal(again.path, path, 'and not what another one has kept');
    assert.ok(existsSync(again.journal));
  });

  it('goes with all that belongs to it, or stays for the next download', () => {
    const { window, partIn, left, rest } = create();
    const engine = window('one');
    const unwanted = partIn(engine);
    rest(unwanted);
    unwanted.end(false);
    unwanted.end(true);
    assert.deepEqual(left(), []);
    const wanted = partIn(engine);
    const path = rest(wanted);
    wanted.end(true);
    engine.sweep();
    assert.equal(partIn(window('two')).open().path, path);
  });

  it('keeps its journal when who takes it over is killed at once', () => {
    const { window, partIn, rest, records } = create();
    const part = partIn(window('one'));
    const path = rest(part);
    part.end(true);
    // The step by which a record is claimed: the kill comes right behind it.
    const [record = ''] = readdirSync(records).filter((name) => name.endsWith('.json'));
    renameSync(join(records, record), join(records, '0123456789abcdef.json'));
    const next = partIn(window('two')).open();
    assert.equal(next.path, path);
    assert.equal(readFileSync(next.journal, 'utf8'), '0\n');
  });

  it('is left alone when another window has taken it over after a long rest', () => {
    const { window, partIn, rest } = create();
    const part = partIn(window('one'));
    const path = rest(part);
    assert.notEqual(partIn(window('two')).open().path, path, 'not before');
    const longAgo = new Date(Date.now() - 2 * 3_600_000);
    utimesSync(path, longAgo, longAgo);
    assert.equal(partIn(window('two')).open().path, path);
    writeFileSync(path, 'it works on it');
    part.end(false);
    assert.ok(existsSync(path));
    const fresh = part.open();
    assert.notEqual(fresh.path, path);
  });
});
