import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { CONFUSABLES, CONFUSABLES_VERSION } from '../../../src/common/confusables';
import { imitatesLabel, lookAlikeKeys } from '../../../src/common/nameSkeleton';

const lookAlike = (one: string, other: string): boolean =>
  lookAlikeKeys(one).some((key) => lookAlikeKeys(other).includes(key));

describe('keys of names', () => {
  it('are shared by names that look alike', () => {
    for (const [one, other] of [
      ['Alice', '\u0410lice'],
      ['Alice', 'AIice'],
      ['ALICE', 'alice'],
      ['Alice', '\uff21\uff4c\uff49\uff43\uff45'],
      ['Alice', '\u{1d400}lice'],
      ['Alice', ' A\u00adli\u2060ce\u3000'],
      ['Alice', 'Alice\u{1d159}\u{16fe4}\u180e\ufe0f'],
      ['Alice', 'Alice [alice]'],
      ['Alice', 'Alice \u2768alice, 7ku6-bpt3-v7f7-q2uk-ofbu\u2769'],
      ['Alice', 'Alice \u3014alice\u3015'],
      ['Alice', 'Alice, alice'],
      ['Alice', 'Alice \u00b7 alice'],
      ['Alice', 'Alice \u2014 alice'],
      ['Alice', 'Alice - alice'],
      ['Alice', 'Alice 7ku6-bpt3-v7f7-q2uk-ofbu'],
      ['Alice', 'Alice 7KU6\u2010BPT3\u2010V7F7\u2010Q2UK'],
      ['Alice', 'Alice 7ku6 bpt3 v7f7 q2uk ofbu'],
      ['Alice', 'Alice \u200b\uff17\uff4b\uff55\uff16\u2060-bpt3'],
      ['Alice', 'Alice <alice>'],
      ['Alice', 'Alice \u02d2alice, 7ku6'],
      ['Alice', 'Alice \uff08alice\uff09'],
      ['Alice', 'Alice \ufd3ealice\ufd3f'],
      ['Alice', 'Alice \u239balice\u239e'],
      ['Alice', 'Alice \u298ealice'],
      ['Alice', 'Alice \uff0c alice'],
      ['Alice', 'Alice \u3001alice'],
      ['Alice', 'Alice / alice'],
      ['Alice', 'Alice @alice'],
      ['Alice', 'Alice -- alice'],
      ['Alice', 'Alice \u2010 alice'],
      ['Alice', 'Alice "alice"'],
      ['Alice', 'Alice .. alice'],
      ['pc-1', 'pc-l'],
      ['pc-1', 'pc\u20101'],
      ['mark', 'rnark'],
      ['Bob', 'B0b'],
      ['Hu\u0300ng', 'H\u00f9ng'],
      ['\u3164', ''],
    ] as const)
      assert.equal(lookAlike(one, other), true, `${one} ${other}`);
  });

  it('are not shared by names that people tell apart', () => {
    for (const [one, other] of [
      ['H\u00f9ng', 'H\u01b0ng'],
      ['Hung', 'H\u00f9ng'],
      ['pc-1', 'pc-11'],
      ['Alice', 'Alicia'],
      ['Bob', 'Rob'],
      ['(a)', '(b)'],
      ['Anna', 'Anna Lena Rosa'],
      ['Tran', 'Tran Minh Tuan'],
      ['O', "O'Brien"],
      ['Jean', 'Jean-Luc'],
      ['J', 'J. Smith'],
      ['pc', 'pc_1'],
    ] as const)
      assert.equal(lookAlike(one, other), false, `${one} ${other}`);
  });

  it('say which names could be the whole label of another one', () => {
    for (const name of [
      'Alice \u2768alice, 7ku6-bpt3-v7f7-q2uk-ofbu\u2769',
      'Alice 7ku6 bpt3 v7f7 q2uk ofbu',
      'Alice 7\u043au6-bpt3-v7f7-q2uk-ofbu',
      '7ku6.bpt3.v7f7.q2uk.ofbu',
      'Alice 7ku\u200b6\u2013bpt3\u2013v7f7\u2013q2uk',
    ])
      assert.equal(imitatesLabel(name), true, name);
    for (const name of ['Alice', 'Tran Minh Tuan', 'Anna Lena Rosa Maja', 'lab1-room-pc12', ''])
      assert.equal(imitatesLabel(name), false, name);
  });

  it('are made of any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        assert.equal(lookAlike(text, text), true);
        assert.equal(lookAlike(text, `\u034f${text}\u3164`), true);
      }),
    );
  });
});

describe('the table of confusable characters', () => {
  const entries = CONFUSABLES.split('\n');

  it('has a prototype and single characters in every line, none of them twice', () => {
    assert.match(CONFUSABLES_VERSION, /^\d+\.\d+\.\d+$/u);
    const seen = new Set<string>();
    for (const entry of entries) {
      const end = entry.lastIndexOf(' ');
      assert.ok(end > 0 && end < entry.length - 1, JSON.stringify(entry));
      for (const character of entry.slice(end + 1)) {
        assert.equal(seen.has(character), false, JSON.stringify(entry));
        seen.add(character);
      }
    }
    assert.ok(seen.size > 5_000);
  });

  it('leads from every character to a prototype that leads nowhere else', () => {
    const table = new Map(
      entries.flatMap((entry) => {
        const end = entry.lastIndexOf(' ');
        return Array.from(entry.slice(end + 1)).map((character) => [
          character,
          entry.slice(0, end),
        ]);
      }),
    );
    for (const prototype of table.values())
      for (const character of prototype)
        assert.equal(table.get(character) ?? character, character, JSON.stringify(prototype));
  });
});
