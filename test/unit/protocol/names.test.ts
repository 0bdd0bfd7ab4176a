import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { PeershelfError } from '../../../src/common/errors';
import { MAX_NAME_BYTES } from '../../../src/protocol/limits';
import {
  opaqueNameProblem,
  publishedNameProblem,
  toLocalName,
  toPublishedName,
} from '../../../src/protocol/names';

const NFC = 'Tiếng Việt/Đồ án.md'.normalize('NFC');
const NFD = NFC.normalize('NFD');

describe('names on the wire', () => {
  const fine = [
    'a',
    'a b.txt',
    'sub/dir/x',
    '#1 100%.md',
    '😀.png',
    NFC,
    NFD,
    '../x',
    'con',
    '__proto__',
    'constructor',
    '\u202egnp.exe',
  ];
  for (const name of fine)
    it(`takes ${JSON.stringify(name)}, as names are opaque to a tracker`, () => {
      assert.equal(opaqueNameProblem(name), undefined);
    });

  const wrong: [string, RegExp][] = [
    ['', /empty/u],
    ['a\nb', /control/u],
    ['a\u0000', /control/u],
    ['a\u007f', /control/u],
    ['a\u0085b', /control/u],
    ['a\ud800b', /Unicode/u],
    ['\udc00', /Unicode/u],
  ];
  for (const [name, problem] of wrong)
    it(`refuses ${JSON.stringify(name)}`, () => {
      assert.match(opaqueNameProblem(name) ?? '', problem);
    });

  it('counts bytes, not characters', () => {
    assert.equal(opaqueNameProblem('a'.repeat(MAX_NAME_BYTES)), undefined);
    assert.match(opaqueNameProblem('a'.repeat(MAX_NAME_BYTES + 1)) ?? '', /1024 bytes/u);
    assert.equal(opaqueNameProblem('ế'.repeat(341)), undefined);
    assert.match(opaqueNameProblem('ế'.repeat(342)) ?? '', /1024 bytes/u);
    assert.match(opaqueNameProblem('😀'.repeat(257)) ?? '', /1024 bytes/u);
  });

  it('takes whatever is well-formed, short and free of control characters', () => {
    const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(text, (name) => {
        const expected = !/\p{Cc}/u.test(name) && Buffer.byteLength(name) <= MAX_NAME_BYTES;
        assert.equal(opaqueNameProblem(name) === undefined, expected);
      }),
    );
  });
});

describe('published names', () => {
  const fine = [
    'a',
    'docs/plan.md',
    'a b',
    '#1 100%.md',
    '😀.png',
    NFC,
    '.gitignore',
    'a..b',
    'c/nully',
    'a:b.txt',
    'C:x',
  ];
  for (const name of fine)
    it(`takes ${JSON.stringify(name)}`, () => {
      assert.equal(publishedNameProblem(name), undefined);
    });

  const wrong: [string, RegExp][] = [
    ['', /empty/u],
    ['a\tb', /control/u],
    ['a\u202eb', /direction/u],
    ['a\u2066b', /direction/u],
    ['a\u200fb', /direction/u],
    ['a\\b', /backslash/u],
    ['/etc/passwd', /absolute/u],
    ['c:/x', /absolute/u],
    ['C:/', /absolute/u],
    ['C:\\x', /backslash/u],
    [NFD, /form C/u],
    ['a//b', /empty part/u],
    ['a/', /empty part/u],
    ['.', /dots/u],
    ['..', /dots/u],
    ['a/../b', /dots/u],
    ['a/.. /b', /dots/u],
    ['a/...', /dots/u],
    ['a/ /b', /dots/u],
    ['con', /device/u],
    ['NUL.txt', /device/u],
    ['sub/aux', /device/u],
    ['com1', /device/u],
    ['COM¹.log', /device/u],
    ['lpt9 .txt', /device/u],
    ['nul.', /device/u],
    ['nul:stream', /device/u],
    ['conin$', /device/u],
  ];
  for (const [name, problem] of wrong)
    it(`refuses ${JSON.stringify(name)}`, () => {
      assert.match(publishedNameProblem(name) ?? '', problem);
    });

  it('composes decomposed names, so that both spellings are one file', () => {
    assert.notEqual(NFC, NFD);
    assert.equal(toPublishedName(NFD), NFC);
    assert.equal(toPublishedName(NFC), NFC);
  });

  it('says what is wrong with a path', () => {
    assert.throws(
      () => toPublishedName('../secret'),
      (error) =>
        PeershelfError.is(error, 'INVALID_NAME') && /dots/u.test(String(error.details['problem'])),
    );
  });

  it('never lets a name leave its folder', () => {
    const segment = fc.constantFrom('..', '.', 'a', '', 'b c', '... ', '/', '\\', 'c:');
    fc.assert(
      fc.property(fc.array(segment, { minLength: 1, maxLength: 6 }), (segments) => {
        const name = segments.join('/');
        if (publishedNameProblem(name) !== undefined) return;
        const local = toLocalName(name, 'linux');
        assert.ok(!local.startsWith('/') && !local.split('/').includes('..'), local);
      }),
    );
  });
});

describe('local names', () => {
  it('are the published ones where the system takes everything', () => {
    assert.equal(toLocalName('a/b: "c"?.txt', 'linux'), 'a/b: "c"?.txt');
  });

  it('replace what cannot stand in a file name on Windows', () => {
    assert.equal(toLocalName('dir/a<b>:"c"|?*.txt', 'win32'), 'dir/a_b___c____.txt');
    assert.equal(toLocalName('a:b.txt', 'win32'), 'a_b.txt');
    assert.equal(toLocalName('C:', 'win32'), 'C_');
    assert.equal(toLocalName('trailing. /dot.', 'win32'), 'trailing_/dot_');
  });

  it('refuse what someone else must not choose', () => {
    for (const name of ['../x', '/x', 'a\\..\\x', 'nul', 'a\u202eb'])
      assert.throws(
        () => toLocalName(name, 'darwin'),
        (error) => PeershelfError.is(error, 'INVALID_NAME'),
      );
  });
});
