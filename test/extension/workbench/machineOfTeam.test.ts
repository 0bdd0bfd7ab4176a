import { writeFileSync } from 'node:fs';
import * as path from 'node:path';
import type { PeerWindow } from '../../support/peerWindows';
import { startTeam, type TestTeam } from '../../support/startTeam';
import { temporaryFolder } from '../../support/temporaryFolder';
import { useWindows } from '../../support/useWindows';

/** A machine that an administrator has set up with the invite of a team. */
describe('a machine of a team', () => {
  const { windows, cleanup } = useWindows();
  let window: PeerWindow;
  let team: TestTeam;
  let inviteFile = '';

  before(async () => {
    team = await startTeam(cleanup);
    const bob = await team.join({ settings: { hostname: 'bob', displayName: 'Bob' } });
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

  it('joins by itself as soon as it is trusted', async () => {
    const { workbench } = window;
    await workbench.trustFolder();
    await workbench.statusBarItem(/Team: 1 other peer/u);
    await workbench.view('Network Files').row('bobs.txt');
  });

  it('asks before it joins another team, whose invite its file has become', async () => {
    const { workbench } = window;
    const other = await startTeam(cleanup);
    const mallory = await other.join({ settings: { hostname: 'mallory', displayName: 'Mallory' } });
    await mallory.publish('mallorys.txt', 'from mallory');
    writeFileSync(inviteFile, other.invite);
    // Takes leave: what the extension remembers is kept.
    await workbench.reloadByCommand();
    const question = /has become that of another team: session Team, fingerprint of its owner/u;
    await workbench.notifications.shown(question);
    await workbench.statusBarItem(/^\s*Peershelf\s*$/u);
    await workbench.notifications.press(question, 'Join');
    await workbench.openView('Peershelf');
    await workbench.view('Network Files').row('mallorys.txt');
    writeFileSync(inviteFile, team.invite);
  });

  it('is left', async () => {
    const { workbench } = window;
    await workbench.runCommand('Peershelf: Leave Team Session');
    await workbench.view('Network Files').welcomed(/Start a session on this computer/u);
  });

  it('joins in Restricted Mode when the user names the file, to look', async () => {
    const second = await windows.addWindow(window, temporaryFolder(cleanup));
    await second.openView('Peershelf');
    await second.view('Network Files').welcomed(/Restricted Mode/u);
    await second.view('Network Files').welcomeAction('Join Team Session…');
    await second.inputBox.opened({ title: 'Join Team Session' });
    await second.inputBox.answer(inviteFile);
    await second.notifications.shown(/Joined the session Team/u);
    await second.view('Network Files').row('bobs.txt');
    await second.close();
  });

  // Not just after it was left: the editor in a browser keeps what it is told only some seconds later.
  it('stays out of a session that its user has left, also when it is loaded again', async () => {
    const { workbench } = window;
    await workbench.reload();
    await workbench.openView('Peershelf');
    await workbench.view('Network Files').welcomed(/Start a session on this computer/u);
    await workbench.statusBarItem(/^\s*Peershelf\s*$/u);
  });
});
