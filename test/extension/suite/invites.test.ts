import * as assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Cleanup } from '../../../scripts/host/cleanup';
import { inviteText, readInviteOrFile } from '../../../src/editor/invites';
import { formatInvite } from '../../../src/protocol/invite';
import { newInvite } from '../../support/teams';
import { temporaryFolder } from '../../support/temporaryFolder';

describe('what is typed, pasted or named as an invite', () => {
  const cleanup = new Cleanup();
  let folder = '';
  before(() => (folder = temporaryFolder(cleanup)));
  after(() => cleanup.run());

  it('is read with text around it, and from a file', () => {
    const made = newInvite({ addresses: [{ host: '192.0.2.1', port: 9000 }] });
    const { team } = made;
    const invite = formatInvite(made);
    const expected = { team: team.id, name: 'Team', invite };
    const file = join(folder, 'invite.txt');
    const text = inviteText(expected);
    writeFileSync(file, text);
    // An input box drops line breaks.
    for (const typed of [
      invite,
      `see <${invite}>, bye`,
      text,
      text.replaceAll('\n', ''),
      file,
      ` "${file}" `,
    ])
      assert.deepEqual(readInviteOrFile(typed).target, expected, typed);
    assert.deepEqual(readInviteOrFile(invite).addresses, ['192.0.2.1:9000']);
    assert.throws(() => readInviteOrFile('nothing'), { code: 'INVITE_NOT_FOUND' });
    assert.throws(() => readInviteOrFile(join(folder, 'none')), { code: 'FILE_GONE' });
  });

  it('is not waited for where there is no file', function () {
    if (process.platform === 'win32') this.skip();
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    for (const path of [pipe, folder])
      assert.throws(() => readInviteOrFile(path), { code: 'FILE_UNREADABLE' }, path);
  });
});
