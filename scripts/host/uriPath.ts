import * as path from 'node:path';

/** Path of a file as addresses of VS Code have it: `C:\a` is `/c:/a`. */
export function uriPath(file: string): string {
  const slashes = path.resolve(file).replaceAll('\\', '/');
  return slashes.startsWith('/')
    ? slashes
    : `/${slashes.charAt(0).toLowerCase()}${slashes.slice(1)}`;
}
