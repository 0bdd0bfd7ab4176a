import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { foreignText } from '../../../src/editor/foreignText';

describe('foreignText', () => {
  it('leaves ordinary names as they are, in every script', () => {
    for (const text of [
      'plan.md',
      'Bài tập 1 (bản cuối).txt',
      'a [b] (c)',
      '資料.pdf',
      '🎉 100 %',
      '$5',
    ])
      assert.equal(foreignText(text), text);
  });

  it('keeps links from being links and icons from being icons', () => {
    assert.equal(
      foreignText('[x](command:workbench.action.quit)'),
      '[x] (command:workbench.action.quit)',
    );
    assert.equal(foreignText('$(error) $$(bug)'), '$ (error) $$ (bug)');
  });

  it('replaces what breaks lines, hides text or turns it around', () => {
    assert.equal(foreignText('a\nb\r\u0000\u001b[31m'), 'a\ufffdb\ufffd\ufffd\ufffd[31m');
    assert.equal(foreignText('a\u202egpj.exe\u200b\u2066'), 'a\ufffdgpj.exe\ufffd\ufffd');
    assert.equal(foreignText('\ud800'), '\ufffd');
  });

  it('marks what nobody sees, and blanks at an end that are no spaces', () => {
    for (const invisible of [
      ...['\u034f', '\u3164', '\u115f', '\u1160', '\u2800', '\u200c', '\u200d', '\ufe0f', '\u180b'],
      ...['\uffa0', '\u17b4', '\u{1d159}', '\u{e0100}', '\u{16fe4}', '\u2062', '\u{1bca0}'],
    ]) {
      assert.equal(foreignText(`Ali${invisible}ce`), 'Ali\ufffdce');
      assert.equal(foreignText(`Alice${invisible}`), 'Alice\ufffd');
    }
    assert.equal(foreignText('\u00a0Alice\u202f\u3000'), '\ufffdAlice\ufffd');
    assert.equal(foreignText('10.00\u202fAM.png'), '10.00\u202fAM.png');
  });

  it('leaves invisible characters that change what is drawn', () => {
    for (const text of [
      '\u{1f468}\u200d\u{1f469}\u200d\u{1f467}',
      '\u2764\ufe0f',
      '1\ufe0f\u20e3',
      '\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645',
      '\u0915\u094d\u200d\u0937',
      '\u845b\u{e0100}',
    ])
      assert.equal(foreignText(text), text);
  });

  it('is bounded, and never cuts a character in half', () => {
    assert.ok(foreignText('x'.repeat(10_000)).length <= 256);
    assert.doesNotMatch(foreignText('🎉'.repeat(1_000)), /\p{Surrogate}/u);
  });

  it('never lets a link, an icon or a control character through', () => {
    const parts = fc.constantFrom(
      '[',
      ']',
      '(',
      ')',
      '$',
      'x',
      'command:y',
      '\u202e',
      '\n',
      '\ufeff',
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(parts, fc.string({ unit: 'binary' }))), (pieces) => {
        const shown = foreignText(pieces.join(''));
        assert.doesNotMatch(shown, /\]\(|\$\(|\p{Cc}|\u202e/u);
      }),
    );
  });
});
