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
