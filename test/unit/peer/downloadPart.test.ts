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
import { HeldFolder } from '../../../src/peer/fetch/heldFolder';
import { DownloadPart, Leftovers, type ResumableFile } from '../../../src/peer/transfer/leftovers';
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
    const place = HeldFolder.open({ path: folder });
    cleanup.add(() => place.close());
    const partIn = (leftovers: Leftovers): DownloadPart => new DownloadPart(leftovers, contentId);
    const open = (part: DownloadPart): ResumableFile => {
      const file = part.open(place);
      cleanup.add(() => file.close());
      return file;
    };
    const left = (): string[] => [folder, records].flatMap((each) => readdirSync(each));
    /** One attempt that leaves something. */
    const rest = (part: DownloadPart): string => {
      const file = open(part);
      writeFileSync(file.path, 'hello');
      writeFileSync(file.journal, '0\n');
      part.rest(file);
      return file.path;
    };
    return { window, partIn, open, left, rest, records };
  };

  it('is the same in every attempt, and nobody else of the engine takes it between them', () => {
    const { window, partIn, open, rest } = create();
    const engine = window('one');
    const part = partIn(engine);
    const path = rest(part);
    const other = open(partIn(engine));
    assert.notEqual(other.path, path);
    writeFileSync(other.path, 'other');
    other.keep();
    const again = open(part);
    assert.equal(again.path, path, 'and not what another one has kept');
    assert.ok(existsSync(again.journal));
  });

  it('goes with all that belongs to it, or stays for the next download', () => {
    const { window, partIn, open, left, rest } = create();
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
    assert.equal(open(partIn(window('two'))).path, path);
  });

  it('keeps its journal when who takes it over is killed at once', () => {
    const { window, partIn, open, rest, records } = create();
    const part = partIn(window('one'));
    const path = rest(part);
    part.end(true);
    // The step by which a record is claimed: the kill comes right behind it.
    const [record = ''] = readdirSync(records).filter((name) => name.endsWith('.json'));
    renameSync(join(records, record), join(records, '0123456789abcdef.json'));
    const next = open(partIn(window('two')));
    assert.equal(next.path, path);
    assert.equal(readFileSync(next.journal, 'utf8'), '0\n');
  });

  it('is left alone when another window has taken it over after a long rest', () => {
    const { window, partIn, open, rest } = create();
    const part = partIn(window('one'));
    const path = rest(part);
    assert.notEqual(open(partIn(window('two'))).path, path, 'not before');
    const longAgo = new Date(Date.now() - 2 * 3_600_000);
    utimesSync(path, longAgo, longAgo);
    assert.equal(open(partIn(window('two'))).path, path);
    writeFileSync(path, 'it works on it');
    part.end(false);
    assert.ok(existsSync(path));
    const fresh = open(part);
    assert.notEqual(fresh.path, path);
  });
});
