import { randomUUID } from 'node:crypto';
import { chmodSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fromWriteError, PeershelfError, systemCode } from '../../common/errors';
import type { OwnIdentity } from '../../protocol/certificate';
import { createIdentity, openIdentity, parseIdentity, type StoredIdentity } from './identity';

/** Its user may read and write it, and nobody else. */
const PRIVATE_MODE = 0o600;
const PRIVATE_FOLDER_MODE = 0o700;

/**
 * The identity in a file, which is made when there is none. Of two programs that make one at the same
 * time, both end up with the same.
 * @throws INVALID_ARGUMENT for a file that holds something else: it is never replaced, as others know
 * this user by it. DISK_FULL, FOLDER_NOT_WRITABLE.
 */
export async function loadIdentityFile(path: string, now: Date): Promise<OwnIdentity> {
  return openIdentity(read(path) ?? (await make(path, now)));
}

function read(path: string): StoredIdentity | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
    // Also of a file that was copied from elsewhere. Windows has no such mode and keeps its own rules.
    chmodSync(path, PRIVATE_MODE);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return parseIdentity(text);
  } catch (cause) {
    throw new PeershelfError('INVALID_ARGUMENT', `${path} holds no identity`, { cause });
  }
}

async function make(path: string, now: Date): Promise<StoredIdentity> {
  const made = await createIdentity(now);
  const temporary = `${path}.${randomUUID()}.new`;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: PRIVATE_FOLDER_MODE });
    writeFileSync(temporary, JSON.stringify(made), { mode: PRIVATE_MODE, flag: 'wx' });
    // A link fails where a file is already, unlike renaming.
    linkSync(temporary, path);
    return made;
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return read(path) ?? made;
    throw fromWriteError(error, dirname(path));
  } finally {
    rmSync(temporary, { force: true });
  }
}
