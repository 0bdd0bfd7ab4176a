import { closeSync, constants, fstatSync, openSync, readlinkSync, statSync } from 'node:fs';
import { PeershelfError, systemCode } from '../../common/errors';
import { resolveLinks } from '../paths';

/** Names of the open files of this process, on Linux. */
const DESCRIPTORS = '/proc/self/fd';

/**
 * Opens a file to be read, at this very path: a link on the way to it is refused. A pipe in its place does not make this wait.
 * @param path absolute, without links.
 * @throws FILE_GONE where it leads elsewhere, and what the system says (ELOOP: a link in its place).
 */
export function openExactly(path: string): number {
  // Windows has neither O_NOFOLLOW nor O_NONBLOCK; `|` takes undefined for 0.
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
  const descriptor = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  try {
    if (!isOpenedAt(descriptor, path))
      throw new PeershelfError('FILE_GONE', `${path} leads elsewhere`, { details: { path } });
    return descriptor;
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

/** The path of an open file or folder as the system knows it, or undefined where it does not say. */
export function pathOfDescriptor(descriptor: number): string | undefined {
  if (process.platform !== 'linux') return undefined;
  try {
    return readlinkSync(`${DESCRIPTORS}/${descriptor}`);
  } catch {
    return undefined; // No /proc here.
  }
}

/**
 * Whether an open file was reached by this path and no other. The system's own word is about the open
 * file, so nothing that others rename meanwhile can make it wrong; the path looked up again can.
 */
function isOpenedAt(descriptor: number, path: string): boolean {
  const opened = pathOfDescriptor(descriptor);
  // File systems without case tell the name as it is stored, not as it was asked for.
  if (opened !== undefined) return opened === path || opened.toLowerCase() === path.toLowerCase();
  try {
    const behind = statSync(path, { bigint: true });
    return (
      resolveLinks(path) === path && behind.ino === fstatSync(descriptor, { bigint: true }).ino
    );
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false;
    throw error;
  }
}
