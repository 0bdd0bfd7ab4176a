import { strict as assert } from 'node:assert';
import { join } from 'node:path';
import { nullLogger } from '../../../src/common/logger';
import { Catalogue, type CatalogueEntry } from '../../../src/peer/catalogue/catalogue';
import { useCleanup } from '../../support/cleanup';
import { temporaryFolder } from '../../support/temporaryFolder';

const CONTENT = { root: 'ab'.repeat(32), sizeBytes: 1 };

describe('the sequences of a catalogue', () => {
  const cleanup = useCleanup();
  let folder: string;

  beforeEach(() => {
    folder = temporaryFolder(cleanup);
  });

  const open = (): Catalogue => {
    const catalogue = new Catalogue(join(folder, 'catalogue.json'), nullLogger);
    catalogue.load();
    return catalogue;
  };
  const entry = (name: string, sequence: number): CatalogueEntry => ({
    ...{ name, path: join(folder, name), realPath: join(folder, name) },
    ...{ sizeBytes: 1, modifiedMs: 1, publishedAtMs: 1, contentId: CONTENT, version: 3, sequence },
    stamp: { sizeBytes: 1, modifiedMs: 1, changedNs: '1', device: '1', inode: '1' },
  });

  it('grow when a name is taken back and offered again, also over a restart', () => {
    open().add([entry('a', 50)]);
    open().remove(['a'], 20);
    const withdrawn = open().withdrawn('a');
    assert.deepEqual(withdrawn, { name: 'a', contentId: CONTENT, version: 3, sequence: 51 });
    const again = open();
    assert.equal(again.nextSequence('a', 20), 52);
    assert.equal(again.nextSequence('a', 99.5), 99, 'by the clock when that is ahead');
    again.add([entry('a', 52)]);
    assert.equal(again.withdrawn('a'), undefined);
    assert.equal(open().withdrawn('a'), undefined);
    assert.equal(open().nextSequence('a', 20), 53);
  });

  it('are not lost with all that is published when one file is older than 1970', () => {
    open().add([entry('a', 50), { ...entry('old', 60), modifiedMs: -86_400_000.5 }]);
    const names = open()
      .all()
      .map(({ name, modifiedMs }) => [name, modifiedMs]);
    assert.deepEqual(names, [
      ['a', 1],
      ['old', -86_400_000.5],
    ]);
  });

  it('of names that are not offered any more are kept for the last 10,000', () => {
    const catalogue = open();
    const names = Array.from({ length: 10_001 }, (_, index) => `${index}`);
    catalogue.add(names.map((name) => entry(name, 5)));
    catalogue.remove(names, 1);
    assert.equal(open().withdrawn('0'), undefined);
    assert.equal(open().withdrawn('10000')?.sequence, 6);
  });

  it('go on from what was offered for one session only, which the next start does not offer', () => {
    const catalogue = open();
    catalogue.add([entry('a', 5), { ...entry('b', 7), forSession: true }]);
    const next = open();
    assert.deepEqual(
      next.all().map(({ name }) => name),
      ['a'],
    );
    assert.deepEqual(next.withdrawn('b'), {
      name: 'b',
      contentId: CONTENT,
      version: 3,
      sequence: 8,
    });
    assert.equal(catalogue.get('b')?.sequence, 7, 'and this one does');
  });

  it('are nothing that is withdrawn where nothing could be said', () => {
    const catalogue = open();
    catalogue.add([{ ...entry('a', 5), contentId: undefined }]);
    catalogue.remove(['a', 'b'], 1);
    assert.equal(catalogue.withdrawn('a'), undefined);
    assert.equal(catalogue.withdrawn('b'), undefined);
  });
});
