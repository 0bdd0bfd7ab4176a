import { createHash } from 'node:crypto';
import { join, resolve } from 'node:path';
import { PeershelfError } from '../common/errors';
import { pathKey } from '../common/pathKey';
import { readSecretFile, writeSecretFile } from '../common/secretFile';
import type { Invite } from '../protocol/invite';

/** Memory of one invite file: the team whose session was joined by it. */
export interface InviteFileMemory {
  /** The session was joined: from now on the file stands for this team. */
  readonly keep: () => void;
}

/**
 * Compares the invite of a file with the team that was joined by it before. One file of the memory for
 * each path: commands that run at the same time lose nothing of each other.
 * @param path as the user writes it: a link that leads elsewhere now is a change as well.
 * @throws INVITE_FOREIGN when the invite is of another team; a new invite of the same team is none.
 */
export function recallInviteFile(path: string, invite: Invite, folder: string): InviteFileMemory {
  const key = createHash('sha256')
    .update(pathKey(resolve(path)))
    .digest('hex');
  const memory = join(folder, 'invite-files', key);
  const { team, sessionName, ownerId } = invite;
  const refuseAnother = (before: string | undefined): void => {
    if (before === undefined || before.trim() === team.id) return;
    throw new PeershelfError('INVITE_FOREIGN', 'the file has an invite of another team', {
      details: { path, session: sessionName, identity: ownerId },
    });
  };
  refuseAnother(readSecretFile(memory));
  return { keep: () => refuseAnother(writeSecretFile(memory, `${team.id}\n`, 'keep')) };
}
