import { randomUUID } from 'node:crypto';
import { chmodSync, linkSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { moveFile, retryWhileBusy } from './busyFile';
import { fromWriteError, systemCode } from './errors';
import { PRIVATE_FILE_MODE, PRIVATE_FOLDER_MODE, writePrivateFile } from './privateFiles';

/** The text of a file with secrets, which becomes private if it was not; undefined without a file. */
export function readSecretFile(path: string): string | undefined {
  try {
    const text = retryWhileBusy(() => readFileSync(path, 'utf8'));
    chmodSync(path, PRIVATE_FILE_MODE);
    return text;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Writes a file with secrets, whole: a reader or a crash never sees a part of it.
 * @param existing what happens to a file that is there already. One that is kept is returned.
 * @throws DISK_FULL, FOLDER_NOT_WRITABLE.
 */
export function writeSecretFile(
  path: string,
  text: string,
  existing: 'keep' | 'replace',
): string | undefined {
  const temporary = `${path}.${randomUUID()}.new`;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: PRIVATE_FOLDER_MODE });
    writePrivateFile(temporary, text, { flag: 'wx' });
    // A link fails where a file is already, unlike renaming.
    if (existing === 'keep') linkSync(temporary, path);
    else moveFile(temporary, path);
    return undefined;
  } catch (error) {
    if (existing === 'keep' && systemCode(error) === 'EEXIST') return readSecretFile(path);
    throw fromWriteError(error, dirname(path));
  } finally {
    rmSync(temporary, { force: true });
  }
}
