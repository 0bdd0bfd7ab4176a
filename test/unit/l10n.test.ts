import { strict as assert } from 'node:assert';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

const ROOT = join(__dirname, '../..');
const BUNDLE = 'l10n/bundle.l10n.json';

/** A name, a word that is used in Vietnamese as well, and what has no words. */
const SAME_IN_VIETNAMESE = new Set(['submenu.explorer', 'command.pingPeer', '{0}: {1}']);

/** First arguments of every call of `l10n.t` in a source file; undefined where it is no literal. */
function textsOf(path: string): (string | undefined)[] {
  const source = ts.createSourceFile(
    path,
    readFileSync(join(ROOT, path), 'utf8'),
    ts.ScriptTarget.Latest,
    true,
  );
  const texts: (string | undefined)[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && /(?:^|\.)l10n\.t$/u.test(node.expression.getText())) {
      const [text] = node.arguments;
      texts.push(text !== undefined && ts.isStringLiteralLike(text) ? text.text : undefined);
    }
    node.forEachChild(visit);
  };
  visit(source);
  return texts;
}

describe('the texts of the extension', () => {
  const files = ['src/editor', 'src/views'].flatMap((room) =>
    readdirSync(join(ROOT, room)).map((name) => `${room}/${name}`),
  );

  it('are literals, so that they can be collected', () => {
    for (const file of files) assert.equal(textsOf(file).includes(undefined), false, file);
  });

  it(`are all in ${BUNDLE} for who translates them, and nothing else is`, () => {
    const bundle = JSON.parse(readFileSync(join(ROOT, BUNDLE), 'utf8')) as Record<string, string>;
    const used = new Set(files.flatMap(textsOf));
    assert.deepEqual(Object.keys(bundle).sort(), [...used].sort());
    for (const [key, text] of Object.entries(bundle)) assert.equal(text, key);
  });

  for (const [english, translated] of [
    [BUNDLE, 'l10n/bundle.l10n.vi.json'],
    ['package.nls.json', 'package.nls.vi.json'],
  ] as const)
    it(`are complete in Vietnamese (${translated}), with the same places and links`, () => {
      const read = (name: string): Record<string, string> =>
        JSON.parse(readFileSync(join(ROOT, name), 'utf8')) as Record<string, string>;
      const [source, target] = [read(english), read(translated)];
      assert.deepEqual(Object.keys(target), Object.keys(source));
      const fixed = (text = ''): string[] =>
        [...text.matchAll(/\{\d\}|\(command:[\w.]+\)|`[^`]+`/gu)].map(([part]) => part).sort();
      for (const [key, text] of Object.entries(source)) {
        assert.deepEqual(fixed(target[key]), fixed(text), key);
        assert.equal(target[key], target[key]?.normalize('NFC'), key);
        assert.notEqual(target[key]?.trim(), '', key);
        assert.equal(target[key] === text, SAME_IN_VIETNAMESE.has(key), key);
      }
    });
});
