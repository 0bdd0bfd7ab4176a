import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Place of the table that this program writes. */
const TABLE = join(__dirname, '../src/common/confusables.ts');

/** Longest line of the table in the source, so that the file stays below the limit on lines. */
const MAX_LINE = 300;

const LINE = /^([0-9A-F]+) ;\t([0-9A-F ]+) ;\tMA\t/u;

/**
 * Writes the table of confusable characters from Unicode's `confusables.txt`:
 * `npx tsx scripts/confusables.ts confusables.txt`.
 */
function main(file: string): void {
  const text = readFileSync(file, 'utf8');
  const version = /^# Version: (\S+)$/mu.exec(text)?.[1];
  const date = /^# Date: (\d{4})-/mu.exec(text)?.[1];
  if (version === undefined || date === undefined) throw new Error(`${file} has no version`);
  const sources = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const [, source, target] = LINE.exec(line) ?? [];
    if (source === undefined || target === undefined) continue;
    const prototype = target.trim().split(' ').map(toCharacter).join('');
    const character = toCharacter(source);
    // The skeleton of a name is made of its decomposed form.
    if (character.normalize('NFD') === prototype.normalize('NFD')) continue;
    sources.set(prototype, [...(sources.get(prototype) ?? []), character]);
  }
  const entries = [...sources].map(
    ([prototype, characters]) => `${escape(prototype)} ${characters.map(escape).join('')}`,
  );
  writeFileSync(TABLE, tableOf({ version, date }, toLines(entries)));
}

function toCharacter(hex: string): string {
  return String.fromCodePoint(Number.parseInt(hex, 16));
}

/** Entries put together to lines; the separator cannot be a part of one. */
function toLines(entries: readonly string[]): string[] {
  const lines: string[] = [];
  let line = '';
  for (const entry of entries) {
    if (line !== '' && line.length + entry.length > MAX_LINE) {
      lines.push(line);
      line = '';
    }
    line += line === '' ? entry : `\\n${entry}`;
  }
  return [...lines, line];
}

/** ASCII in the source: the characters would mislead whoever reads it. */
function escape(text: string): string {
  return Array.from(text)
    .map((character) => {
      const code = character.codePointAt(0) ?? 0;
      if (character === "'" || character === '\\') return `\\${character}`;
      if (code > 0x20 && code < 0x7f) return character;
      const hex = code.toString(16);
      return code <= 0xffff ? `\\u${hex.padStart(4, '0')}` : `\\u{${hex}}`;
    })
    .join('');
}

function tableOf(
  { version, date }: { readonly version: string; readonly date: string },
  lines: readonly string[],
): string {
  return [
    '// Written by scripts/confusables.ts; not to be edited.',
    `// From confusables.txt of Unicode Technical Standard #39, version ${version}.`,
    `// Copyright ${date} Unicode, Inc. Terms of use: https://www.unicode.org/terms_of_use.html`,
    '',
    '/** Version of the data. */',
    `export const CONFUSABLES_VERSION = '${version}';`,
    '',
    '/** Entries, one a line: a prototype, a space, and the characters that look like it. */',
    '// prettier-ignore',
    'export const CONFUSABLES: string = [',
    ...lines.map((line) => `  '${line}',`),
    "].join('\\n');",
    '',
  ].join('\n');
}

const [file] = process.argv.slice(2);
if (file === undefined) throw new Error('name the file confusables.txt');
main(file);
