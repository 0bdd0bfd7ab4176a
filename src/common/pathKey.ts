/**
 * The same for all spellings of a path that lead to one file: Windows and macOS keep the case of a name,
 * but take no notice of it, and macOS may tell a name in another Unicode form than it was given.
 */
export function pathKey(path: string, platform: NodeJS.Platform = process.platform): string {
  const isForgiving = platform === 'win32' || platform === 'darwin';
  return isForgiving ? path.normalize('NFC').toLowerCase() : path;
}
