import { PeershelfError } from '../../common/errors';
import { readSecretFile, writeSecretFile } from '../../common/secretFile';
import { createIdentity, parseIdentity, type StoredIdentity } from './identity';

/**
 * The identity in a file, which is made when there is none. Of two programs that make one at the same
 * time, both end up with the same.
 * @throws INVALID_ARGUMENT for a file that holds something else: it is never replaced, as others know
 * this user by it. DISK_FULL, FOLDER_NOT_WRITABLE.
 */
export async function loadIdentityFile(path: string, now: Date): Promise<StoredIdentity> {
  const stored = readSecretFile(path);
  if (stored !== undefined) return parse(path, stored);
  const made = await createIdentity(now);
  const kept = writeSecretFile(path, JSON.stringify(made), 'keep');
  return kept === undefined ? made : parse(path, kept);
}

function parse(path: string, text: string): StoredIdentity {
  try {
    return parseIdentity(text);
  } catch (cause) {
    throw new PeershelfError('INVALID_ARGUMENT', `${path} holds no identity`, { cause });
  }
}
