import { strict as assert } from 'node:assert';
import { createHash } from 'node:crypto';
import {
  formatContentId,
  isSameContent,
  parseContentId,
  toContentId,
} from '../../../src/protocol/contentId';
import { MAX_FILE_BYTES } from '../../../src/protocol/limits';

const ROOT = 'ab'.repeat(32);
const EMPTY = createHash('sha256').digest('hex');

describe('content id', () => {
  it('is written as root and size, and read again', () => {
    const id = { root: ROOT, sizeBytes: 12_345 };
    assert.equal(formatContentId(id), `${ROOT}-12345`);
    assert.deepEqual(parseContentId(formatContentId(id)), id);
  });

  it('is the same only when root and size are', () => {
    const id = { root: ROOT, sizeBytes: 64 };
    assert.ok(isSameContent(id, { ...id }));
    assert.ok(!isSameContent(id, { ...id, sizeBytes: 32_768 }));
    assert.ok(!isSameContent(id, { ...id, root: 'cd'.repeat(32) }));
  });

  it('has the root of nothing exactly when the size is 0', () => {
    assert.ok(toContentId(EMPTY, 0));
    assert.equal(toContentId(EMPTY, 1), undefined);
    assert.equal(toContentId(ROOT, 0), undefined);
  });

  for (const text of [
    '',
    ROOT,
    `${ROOT}-`,
    `${ROOT}-01`,
    `${ROOT}--1`,
    `${ROOT}-1.5`,
    `${ROOT}-1e3`,
    `${ROOT.toUpperCase()}-1`,
    `${ROOT}a-1`,
    `${ROOT}-1\n`,
    ` ${ROOT}-1`,
    `${ROOT}-${MAX_FILE_BYTES + 1}`,
  ])
    it(`refuses ${JSON.stringify(text)}`, () => assert.equal(parseContentId(text), undefined));

  it('refuses parts of other types', () => {
    for (const [root, size] of [
      [undefined, 1],
      [ROOT, '1'],
      [ROOT, Number.NaN],
      [5, 5],
    ])
      assert.equal(toContentId(root, size), undefined);
  });
});
