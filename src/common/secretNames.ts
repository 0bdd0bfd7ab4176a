import { comparedNames } from './foldedName';
import { NamePatterns } from './namePatterns';
import { COPY_MARKS, DATA_ENDING, SECRET_FILES, SECRET_WORD } from './secretFiles';

/** Marks of copies that are taken off one after the other: nobody copies a copy more often. */
const MAX_MARKS = 6;

const patterns = new NamePatterns<string>(SECRET_FILES);

/**
 * Whether a file at this path, relative or absolute, may hold a password, a token or a private key, as
 * far as its name and its folders say. Both separators count, as a name may come from another system.
 */
export function looksLikeSecret(path: string): boolean {
  const parts = path.split(/[\\/]/u);
  const base = parts.pop() ?? '';
  const above = parts.map((part) => `${part}/`).join('');
  if (patterns.find(`${above}x`) !== undefined) return true;
  const names = comparedNames(base).flatMap(originalsOf);
  // The public half of a key pair lies beside it under its name.
  if (names.some((name) => name.endsWith('.pub'))) return false;
  return names.some((name) => isSecretAt(above, name));
}

function isSecretAt(above: string, base: string): boolean {
  if (patterns.find(above + base) !== undefined) return true;
  return SECRET_WORD.test(base) && DATA_ENDING.test(base);
}

/** The name itself, and the names that it may be a copy of. */
function originalsOf(name: string): string[] {
  const found = [name];
  let current = name;
  for (let marks = 0; marks < MAX_MARKS; marks += 1) {
    const before = withoutMark(current);
    if (before === undefined) break;
    found.push(before);
    // Vim hides the swap file of a file that is not hidden.
    if (before.startsWith('.')) found.push(before.slice(1));
    current = before;
  }
  return found;
}

/** @returns the same text when the mark is not there. */
function without(text: string, mark: RegExp): string {
  const found = mark.exec(text);
  if (found === null) return text;
  return (found.groups?.['rest'] ?? text.replace(mark, '')).trim();
}

/** Without one mark, at the end or before the ending; undefined when there is none. */
function withoutMark(name: string): string | undefined {
  for (const [mark] of COPY_MARKS) {
    const bare = without(name, mark);
    if (bare !== name && bare !== '') return bare;
  }
  const dot = name.lastIndexOf('.');
  if (dot <= 0) return undefined;
  const [stem, ending] = [name.slice(0, dot), name.slice(dot)];
  for (const [mark] of COPY_MARKS) {
    const bare = without(stem, mark);
    if (bare !== stem && bare !== '') return bare + ending;
  }
  return undefined;
}
