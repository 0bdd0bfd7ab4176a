import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { REPOSITORY } from '../../scripts/host/paths';

/** Single letters are units and plurals. */
const MIN_LETTERS = 2;

/** Letters beside digits belong to a name made by chance: `B97IN9` does not say "in". */
const LETTERS_ONLY = /^\p{L}+$/u;

/** The same in both languages, although they stand alone. */
const INTERNATIONAL = ['peershelf', 'ping'];

const PAIRS: readonly (readonly [english: string, vietnamese: string])[] = [
  ...pairsOf('l10n/bundle.l10n.json', 'l10n/bundle.l10n.vi.json'),
  ...pairsOf('package.nls.json', 'package.nls.vi.json'),
];

/** Words of what the extension says in English and nowhere in Vietnamese: `tracker` is a word of both. */
const ENGLISH_ONLY: ReadonlySet<string> = without(
  wordsOf(PAIRS.map(([english]) => english)),
  wordsOf([
    ...INTERNATIONAL,
    // What was not translated is not Vietnamese for that.
    ...PAIRS.flatMap(([english, vietnamese]) => (english === vietnamese ? [] : [vietnamese])),
  ]),
);

/** Those of the texts in which a word of our English texts stands. */
export function englishLeft(texts: Iterable<string>): string[] {
  return [...texts].filter((text) => [...wordsOf([text])].some((word) => ENGLISH_ONLY.has(word)));
}

function wordsOf(texts: readonly string[]): Set<string> {
  const plain = texts.map((text) =>
    text.normalize('NFC').replace(/\((?:command|https?):[^)]*\)/gu, ' '),
  );
  const words = plain.flatMap((text) => text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []);
  return new Set(words.filter((word) => word.length >= MIN_LETTERS && LETTERS_ONLY.test(word)));
}

function without(all: ReadonlySet<string>, others: ReadonlySet<string>): Set<string> {
  return new Set([...all].filter((word) => !others.has(word)));
}

function pairsOf(english: string, vietnamese: string): (readonly [string, string])[] {
  const translated = readTexts(vietnamese);
  return Object.entries(readTexts(english)).map(([key, text]) => [text, translated[key] ?? '']);
}

function readTexts(name: string): Record<string, string> {
  return JSON.parse(readFileSync(join(REPOSITORY, name), 'utf8')) as Record<string, string>;
}
