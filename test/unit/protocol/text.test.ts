import { strict as assert } from 'node:assert';
import { MAX_SHOWN_TEXT_LENGTH, plainText } from '../../../src/protocol/text';

describe('text of others', () => {
  it('stays as it is when it is plain', () => {
    for (const text of ['', 'Đồ án 😀.md', 'a b', '$(icon) [x](command:y)'])
      assert.equal(plainText(text), text);
  });

  it('shows what would hide or reorder as a mark', () => {
    for (const unit of [
      '\n',
      '\u001b',
      '\u0000',
      '\u202e',
      '\u2066',
      '\u200b',
      '\ufeff',
      '\u{e0041}',
      '\ud800',
      '\u2028',
    ])
      assert.equal(plainText(`a${unit}b`), 'a\ufffdb', JSON.stringify(unit));
  });

  it('is cut without breaking a character', () => {
    const long = plainText('x'.repeat(1_000));
    assert.equal(long.length, MAX_SHOWN_TEXT_LENGTH);
    assert.ok(long.endsWith('…'));
    assert.equal(plainText('ab😀', 3), 'ab…');
    assert.equal(plainText('a😀😀', 3), 'a…');
    assert.equal(plainText('abc', 3), 'abc');
  });
});
