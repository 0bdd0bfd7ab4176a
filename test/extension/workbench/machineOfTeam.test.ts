import { writeFileSync } from 'node:fs';
import * as path from 'node:path';
import type { PeerWindow } from '../../support/peerWindows';
import type { TestPeer } from '../../support/startPeer';
import { startTeam, type TestTeam } from '../../support/startTeam';
import { temporaryFolder } from '../../support/temporaryFolder';
import { publish } from '../../support/userActions';
import { useWindows } from '../../support/useWindows';

/** A machine that an administrator has set up with the invite of a team. */
describe('a machine of a team', () => {
  const { windows, cleanup } = useWindows();
  let window: PeerWindow;
  let team: TestTeam;
  let bob: TestPeer;
  let inviteFile = '';

  before(async () => {
    team = await startTeam(cleanup);
    bob = await team.join({ settings: { hostname: 'bob', displayName: 'Bob' } });
    await bob.publish('bobs.txt', 'from bob');
    inviteFile = path.join(temporaryFolder(cleanup), 'invite.txt');
    writeFileSync(inviteFile, `For everyone in room 12:\n${team.invite}\n`);
    window = await windows.add('Grace', {
      trust: 'restricted',
      files: { 'own.txt': 'mine' },
      machineSettings: { 'peershelf.inviteFile': inviteFile },
    });
  });

  it('does not join by itself in Restricted Mode', async () => {
    const { workbench } = window;
    await workbench.statusBarItem(/^\s*Peershelf\s*$/u);
    await workbench.openView('Peershelf');
    await workbench.view('Network Files').welcomed(/Restricted Mode/u);
  });

  it('joins in Restricted Mode when the user names the file, to look', async () => {
    const { workbench } = window;
    await workbench.view('Network Files').welcomeAction('Join Team Session…');
    await workbench.inputBox.opened({ title: 'Join Team Session' });
    await workbench.inputBox.answer(inviteFile);
    await workbench.notifications.shown(/Joined the session Team/u);
    await workbench.view('Network Files').row('bobs.txt');
    await workbench.runCommand('Peershelf: Leave Team Session');
  });

  it('joins by itself what is trusted, and has not left', async () => {
    const other = await windows.add('Heidi', {
      files: { 'hers.txt': 'hers' },
      machineSettings: { 'peershelf.inviteFile': inviteFile },
    });
    await other.workbench.statusBarItem(/Team: \d other peer/u);
    await other.workbench.close();
  });

  it('stays out of a session that its user has left, also when it is trusted', async () => {
    const { workbench } = window;
    await workbench.trustFolder();
    await workbench.reload();
    await workbench.statusBarItem(/^\s*Peershelf\s*$/u);
    await workbench.openView('Peershelf');
    await workbench.view('Network Files').welcomed(/Start a session on this computer/u);
  });

  it('offers to rejoin what was joined in another window, and then goes on publishing', async () => {
    const ivan = await windows.add('Ivan');
    await ivan.workbench.runCommand('Peershelf: Join Team Session…');
    await ivan.workbench.inputBox.answer(team.invite);
    await ivan.workbench.notifications.shown(/Joined the session Team/u);
    const folder = temporaryFolder(cleanup);
    writeFileSync(path.join(folder, 'other.txt'), 'other');
    const second = await windows.addWindow(ivan, folder);
    await second.statusBarItem(/^\s*Peershelf\s*$/u);
    await publish(second, 'other.txt');
    await second.quickPick.opened({ title: 'Publish to Network' });
    await second.quickPick.choose('Rejoin Team');
    await second.notifications.shown(/Published other\.txt/u);
    await bob.peer.fetch({ name: 'other.txt', destination: bob.path('other'), ifExists: 'fail' });
  });
});
