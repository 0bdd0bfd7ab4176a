import { strict as assert } from 'node:assert';
import { posix, win32 } from 'node:path';
import fc from 'fast-check';
import {
  opaqueNameProblem,
  publishedNameProblem,
  toLocalName,
  toPublishedName,
} from '../../../src/protocol/names';
import { plainText } from '../../../src/protocol/text';
import { encodeGet, parseGet } from '../../../src/protocol/transferV1';
import { type FuzzTarget, orRefused } from '../fuzzTarget';
import { anyText, mutated } from '../mutation';

const UNSHOWABLE = /[\p{Cc}\p{Surrogate}\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/u;

function paths(): fc.Arbitrary<string> {
  const part = fc.constantFrom(
    ...['a', 'docs', 'nul', 'NUL.txt', 'com1', 'a.', 'a ', '..', '.', '...', '.. ', '', 'C:', 'é'],
    ...['e\u0301', 'x:y', 'CONIN$', 'a\\b', '~', '$HOME', '%TEMP%', '\u2025', '\uff0e\uff0e', '😀'],
  );
  const path = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
  return fc.oneof(path, mutated(path), anyText());
}

/** Names of files: what is taken lies inside its folder, on every system, and shows as it is. */
export const names: FuzzTarget = {
  name: 'names',
  share: 20,
  property: () =>
    fc.property(paths(), (text) => {
      const shown = plainText(text);
      assert.ok(shown.length <= 256 && !UNSHOWABLE.test(shown));
      assert.equal(plainText(shown), shown);
      const name = orRefused(['INVALID_NAME'], () => toPublishedName(text));
      if (name === undefined) return;
      assert.equal(publishedNameProblem(name), undefined);
      assert.equal(opaqueNameProblem(name), undefined);
      assert.equal(toPublishedName(name), name);
      assert.equal(parseGet(Buffer.from(encodeGet(name).slice(0, -1))), name);
      for (const [platform, path, folder] of [
        ['linux', posix, '/srv/folder'],
        ['win32', win32, 'C:\\work\\folder'],
      ] as const) {
        const local = toLocalName(name, platform);
        const full = path.resolve(folder, local);
        assert.ok(full.startsWith(folder + path.sep), full);
        assert.equal(path.isAbsolute(local), false);
        assert.equal(toLocalName(local, platform), local);
      }
    }),
};
