import { CONFUSABLES } from './confusables';
import { INVISIBLE } from './printable';

/** Characters that a person does not see, or sees as a gap: names that differ by them alone look the same. */
const UNSEEN = new RegExp(`[${INVISIBLE}\\s\\p{Z}\\p{C}]`, 'gu');
/**
 * Text behind a bracket, a separator or a dash, and text of the shape of a short fingerprint: a name could
 * imitate the mark that tells two apart.
 */
const IMITATED_MARK =
  /^(.+?)(?:[\p{Ps}\p{Pi},;:|\u00b7\u2013\u2014\u2022]|\s-\s|[\s/][a-z2-7]{4}(?:-[a-z2-7]{4})+).*$/isu;
/** No letter below needs a look-up in the table: most names are made of these. */
const PLAIN = /^[2-9a-hj-lnp-z_.-]*$/u;

let prototypes: ReadonlyMap<string, string> | undefined;

/**
 * Keys of a name: names that look alike have one in common. Made of the skeleton of Unicode Technical
 * Standard #39, whatever the case: lower-casing before and after it gives different keys, as `I` looks
 * like `l` and is an `i`.
 */
export function lookAlikeKeys(name: string): readonly string[] {
  const [, front] = IMITATED_MARK.exec(name) ?? [];
  const keys = new Set<string>();
  for (const text of front === undefined ? [name] : [name, front]) {
    keys.add(skeletonOf(text).toLowerCase());
    keys.add(skeletonOf(text.toLowerCase()).toLowerCase());
  }
  return [...keys];
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
