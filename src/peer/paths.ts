import { realpathSync } from 'node:fs';
import { isAbsolute, relative, sep } from 'node:path';

/**
 * A path with all links resolved, by the system: one call instead of one for every part. What is
 * compared must come from here on both sides, as other ways may spell a volume or a case differently.
 * @throws what the system says.
 */
export function resolveLinks(path: string): string {
  return realpathSync.native(path);
}

/** Whether `path` is `folder` or lies below it. Both resolved already: links are not followed here. */
export function isInside(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

/** As `resolveLinks`; the path itself where it cannot be resolved: whoever uses it finds out why. */
export function resolvedOrSame(path: string): string {
  try {
    return resolveLinks(path);
  } catch {
    return path;
  }
}
