import { strict as assert } from 'node:assert';
import { isOnFor } from '../../../src/peer/folderRules';

describe('rules of folders', () => {
  const around = { folder: '/docs', isOn: true };
  const within = { folder: '/docs/app', isOn: false };

  it('hold for all that is inside, and for nothing beside', () => {
    assert.equal(isOnFor('/docs/a.txt', [around]), true);
    assert.equal(isOnFor('/docs/deep/a.txt', [around]), true);
    assert.equal(isOnFor('/docstore/a.txt', [around]), false);
    assert.equal(isOnFor('/docs/a.txt', []), false);
  });

  it('give way to those of a folder within, in whatever order', () => {
    for (const rules of [
      [around, within],
      [within, around],
    ]) {
      assert.equal(isOnFor('/docs/app/a.txt', rules), false);
      assert.equal(isOnFor('/docs/a.txt', rules), true);
    }
  });
});
