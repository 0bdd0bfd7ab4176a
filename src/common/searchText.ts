/** Words of a query and texts that are searched, made comparable: whatever the case and the way accents are composed. */
export function foldText(text: string): string {
  const folded = text.normalize('NFC').toLowerCase();
  // Most names are lower-case already; then no second copy of them is kept.
  return folded === text ? text : folded;
}

/** What a text must contain to match a query: every one of these, in any order and place. */
export function queryWords(query: string): string[] {
  return foldText(query).split(/\s+/u).filter(Boolean);
}

/**
 * The words that are left to be found in the names of an owner's files: no word has a space in it, so
 * each is in the owner's names or in a file's, and never half in both.
 */
export function wordsBeyondOwner(
  words: readonly string[],
  owner: { readonly displayName: string; readonly hostname: string },
): readonly string[] {
  if (words.length === 0) return words;
  const text = foldText(`${owner.displayName} ${owner.hostname}`);
  return words.filter((word) => !text.includes(word));
}
