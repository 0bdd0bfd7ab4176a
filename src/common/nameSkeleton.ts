import { CONFUSABLES } from './confusables';
import { INVISIBLE } from './printable';

/** Characters that a person does not see, or sees as a gap: names that differ by them alone look the same. */
const UNSEEN = new RegExp(`[${INVISIBLE}\\s\\p{Z}\\p{C}]`, 'gu');
/** Characters without a shape, spaces left: a mark is looked for between words. */
const SHAPELESS = new RegExp(`[${INVISIBLE}\\p{Cf}]`, 'gu');
/** Groups of a short fingerprint, as `shortFingerprint` writes them. */
const GROUP = '[a-z2-7]{4}';
/** A group in letters of any script, as some look like those of a fingerprint. */
const ANY_GROUP = '[\\p{L}\\p{N}]{4}';
/**
 * Most of the five groups of a fingerprint: joined by dashes or the like, or by spaces and with a digit, as
 * names may be of words with four letters.
 */
const FINGERPRINT = [
  '(?:^|[^\\p{L}\\p{N}])(?:',
  `${ANY_GROUP}(?:\\s?[^\\p{L}\\p{N}\\s]+\\s?${ANY_GROUP}){3,}`,
  `|(?=[^]*[2-7])${GROUP}(?:[^\\p{L}\\p{N}]+${GROUP}){3,}`,
  ')',
].join('');
const HAS_FINGERPRINT = new RegExp(FINGERPRINT, 'iu');
/**
 * Ends of what a person reads as the name: a fingerprint, or any punctuation or symbol, as a name could
 * imitate the mark that tells two apart. Apostrophes, dots, hyphens and the like are parts of names unless
 * a space is before them.
 */
const ENDS: readonly string[] = [
  "[^\\p{L}\\p{M}\\p{N}\\s.'\u2019_\\p{Pd}]",
  '\\s+[^\\p{L}\\p{M}\\p{N}\\s]',
  `[\\s/]${GROUP}(?:\\p{Pd}${GROUP})+`,
  FINGERPRINT,
];
const IMITATED_MARK = new RegExp(`^([^]+?)(?:${ENDS.join('|')})`, 'iu');
/** No letter below needs a look-up in the table: most names are made of these. */
const PLAIN = /^[2-9a-hj-lnp-z_.-]*$/u;

let prototypes: ReadonlyMap<string, string> | undefined;

/**
 * Keys of a name: names that look alike have one in common. Made of the skeleton of Unicode Technical
 * Standard #39, whatever the case: lower-casing before and after it gives different keys, as `I` looks
 * like `l` and is an `i`.
 */
export function lookAlikeKeys(name: string): readonly string[] {
  const [, front] = IMITATED_MARK.exec(shownForm(name)) ?? [];
  const keys = new Set<string>();
  for (const text of front === undefined ? [name] : [name, front]) {
    keys.add(skeletonOf(text).toLowerCase());
    keys.add(skeletonOf(text.toLowerCase()).toLowerCase());
  }
  return [...keys];
}

/** Whether a name has the shape of a fingerprint in it: it could be the whole label of another one. */
export function imitatesLabel(name: string): boolean {
  return HAS_FINGERPRINT.test(shownForm(name));
}

/** Wide and other forms of a character as the plain one: brackets, commas and letters of fingerprints. */
function shownForm(name: string): string {
  return name.replace(SHAPELESS, '').normalize('NFKC');
}

function skeletonOf(text: string): string {
  if (PLAIN.test(text)) return text;
  const table = (prototypes ??= readTable());
  const seen = text.normalize('NFD').replace(UNSEEN, '');
  let skeleton = '';
  for (const character of seen) skeleton += table.get(character) ?? character;
  return skeleton.normalize('NFD').replace(UNSEEN, '');
}

function readTable(): ReadonlyMap<string, string> {
  const table = new Map<string, string>();
  for (const entry of CONFUSABLES.split('\n')) {
    // A prototype may have spaces, what looks like it never is one.
    const end = entry.lastIndexOf(' ');
    const prototype = entry.slice(0, end);
    for (const character of entry.slice(end + 1)) table.set(character, prototype);
  }
  return table;
}
