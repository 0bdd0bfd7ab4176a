/**
 * A part of a path as the most forgiving file system compares it: whatever the case, without trailing
 * dots and spaces, without characters that nobody sees.
 */
export function foldedName(part: string): string {
  return part
    .normalize('NFKC')
    .replace(/\p{Default_Ignorable_Code_Point}/gu, '')
    .toLowerCase()
    .replace(/[. ]+$/u, '');
}

/**
 * The spellings that a part of a path is compared by: as it is folded, and without the name of a stream,
 * as `.git::$INDEX_ALLOCATION` and `package.json:x` are files of NTFS, too.
 */
export function comparedNames(part: string): string[] {
  const folded = foldedName(part);
  const [before = ''] = folded.split(':', 1);
  return before === '' || before === folded ? [folded] : [folded, foldedName(before)];
}
