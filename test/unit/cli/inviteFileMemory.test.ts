import { strict as assert } from 'node:assert';
import { join } from 'node:path';
import { recallInviteFile } from '../../../src/cli/inviteFileMemory';
import { PeershelfError } from '../../../src/common/errors';
import type { Invite } from '../../../src/protocol/invite';
import { useCleanup } from '../../support/cleanup';
import { temporaryFolder } from '../../support/temporaryFolder';

describe('recallInviteFile', () => {
  const cleanup = useCleanup();
  const inviteOf = (digit: string): Invite =>
    ({ team: { id: digit.repeat(64) }, sessionName: 'Team', ownerId: 'e'.repeat(64) }) as Invite;
  const isForeign = (error: unknown): boolean => PeershelfError.is(error, 'INVITE_FOREIGN');

  it('takes any team before one was joined, and that one alone afterwards', () => {
    const folder = temporaryFolder(cleanup);
    const path = join(folder, 'invite.txt');
    recallInviteFile(path, inviteOf('a'), folder);
    recallInviteFile(path, inviteOf('b'), folder).keep();
    recallInviteFile(path, inviteOf('b'), folder).keep();
    assert.throws(() => recallInviteFile(path, inviteOf('a'), folder), isForeign);
    recallInviteFile(join(folder, 'other.txt'), inviteOf('a'), folder).keep();
  });

  it('replaces nothing that another command has kept meanwhile', () => {
    const folder = temporaryFolder(cleanup);
    const path = join(folder, 'invite.txt');
    const late = recallInviteFile(path, inviteOf('a'), folder);
    recallInviteFile(path, inviteOf('b'), folder).keep();
    assert.throws(late.keep, isForeign);
    recallInviteFile(path, inviteOf('b'), folder);
  });
});
