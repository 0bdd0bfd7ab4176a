import { strict as assert } from 'node:assert';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { Cleanup } from '../../../scripts/host/cleanup';
import { readJsonFile } from '../../../src/common/jsonFile';
import { nullLogger } from '../../../src/common/logger';
import { temporaryFolder } from '../../support/temporaryFolder';

describe('a file of ours that is read', () => {
  const cleanup = new Cleanup();
  afterEach(() => cleanup.run());
  const read = (path: string): number | undefined => readJsonFile(path, v.number(), nullLogger);

  it('is put aside when it is damaged, and is none from then on', () => {
    const path = join(temporaryFolder(cleanup), 'file.json');
    assert.equal(read(path), undefined);
    writeFileSync(path, '1');
    assert.equal(read(path), 1);
    writeFileSync(path, '{"half": ');
    assert.equal(read(path), undefined);
    assert.equal(readFileSync(`${path}.damaged`, 'utf8'), '{"half": ');
    assert.equal(read(path), undefined);
  });

  it('is named in the error when it cannot be read, or not be put aside', () => {
    const folder = temporaryFolder(cleanup);
    assert.throws(() => read(folder), { code: 'FILE_UNREADABLE', details: { path: folder } });
    const path = join(folder, 'file.json');
    writeFileSync(path, '"text"');
    mkdirSync(`${path}.damaged`);
    // Windows says of a folder in the way that it is not allowed, and of nothing more.
    const code = process.platform === 'win32' ? 'FOLDER_NOT_WRITABLE' : 'DESTINATION_IS_FOLDER';
    assert.throws(() => read(path), { code, details: { path: folder } });
    assert.equal(readFileSync(path, 'utf8'), '"text"', 'nothing is lost');
  });
});
