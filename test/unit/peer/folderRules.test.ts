import { strict as assert } from 'node:assert';
import { isOnFor } from '../../../src/peer/folderRules';

describe('rules of folders', () => {
  const around = { folder: '/work', isOn: true };
  const within = { folder: '/work/app', isOn: false };

  it('hold for all that is inside, and for nothing beside', () => {
    assert.equal(isOnFor('/work/a.txt', [around]), true);
    assert.equal(isOnFor('/work/deep/a.txt', [around]), true);
    assert.equal(isOnFor('/workshop/a.txt', [around]), false);
    assert.equal(isOnFor('/work/a.txt', []), false);
  });

  it('give way to those of a folder within, in whatever order', () => {
    for (const rules of [
      [around, within],
      [within, around],
    ]) {
      assert.equal(isOnFor('/work/app/a.txt', rules), false);
      assert.equal(isOnFor('/work/a.txt', rules), true);
    }
  });
});
