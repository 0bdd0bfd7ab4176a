import { strict as assert } from 'node:assert';
import { englishLeft } from '../support/englishLeft';

describe('English that is left in Vietnamese', () => {
  it('is found as a word of its own, beside marks and numbers', () => {
    for (const text of ['Published', 'bài 1.txt: published', '3 files', 'Tệp (files)'])
      assert.deepEqual(englishLeft([text]), [text]);
  });

  it('is not found in Vietnamese, nor within names made by chance', () => {
    for (const text of ['Tệp đã chia sẻ', '/tmp/lan-B97IN9/bài 1.txt', '9f2a4file03'])
      assert.deepEqual(englishLeft([text]), []);
  });
});
