import * as path from 'node:path';

const WINDOWS_PATH = /^[A-Za-z]:[\\/]/;

/** Path of a file as addresses of VS Code have it: `C:\a` is `/c:/a`, on whatever system this runs. */
export function uriPath(file: string): string {
  const system = WINDOWS_PATH.test(file) ? path.win32 : path;
  const slashes = system.resolve(file).replaceAll('\\', '/');
  return slashes.startsWith('/')
    ? slashes
    : `/${slashes.charAt(0).toLowerCase()}${slashes.slice(1)}`;
}
