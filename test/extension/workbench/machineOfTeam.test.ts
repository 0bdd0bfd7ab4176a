import { writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { Cleanup } from '../../../scripts/host/cleanup';
import { PeerWindows, type PeerWindow } from '../../support/peerWindows';
import type { TestPeer } from '../../support/startPeer';
import { startTeam, type TestTeam } from '../../support/startTeam';
import { temporaryFolder } from '../../support/temporaryFolder';

/** A machine that an administrator has set up with the invite of a team. */
describe('a machine of a team', () => {
  const cleanup = new Cleanup();
  let windows: PeerWindows;
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
    windows = await PeerWindows.start();
    cleanup.add(() => windows.close());
    window = await windows.add('Grace', {
      trust: 'restricted',
      files: { 'own.txt': 'mine' },
      userSettings: { 'peershelf.displayName': 'Grace' },
      machineSettings: { 'peershelf.port': '0', 'peershelf.inviteFile': inviteFile },
    });
  });

  afterEach(async function () {
    if (this.currentTest?.state === 'failed')
      await windows.keepEvidence(this.currentTest.fullTitle());
    await window.workbench.notifications.clear();
  });

  after(() => cleanup.run());

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
      userSettings: { 'peershelf.displayName': 'Heidi' },
      machineSettings: { 'peershelf.port': '0', 'peershelf.inviteFile': inviteFile },
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
    const ivan = await windows.add('Ivan', {
      userSettings: { 'peershelf.displayName': 'Ivan' },
      machineSettings: { 'peershelf.port': '0' },
    });
    await ivan.workbench.runCommand('Peershelf: Join Team Session…');
    await ivan.workbench.inputBox.answer(team.invite);
    await ivan.workbench.notifications.shown(/Joined the session Team/u);
    const folder = temporaryFolder(cleanup);
    writeFileSync(path.join(folder, 'other.txt'), 'other');
    const second = await windows.addWindow(ivan, folder);
    await second.statusBarItem(/^\s*Peershelf\s*$/u);
    await second.openView('Explorer');
    await second.explorer.contextMenu('other.txt', 'Publish to Network');
    await second.quickPick.opened({ title: 'Publish to Network' });
    await second.quickPick.choose('Rejoin Team');
    await second.notifications.shown(/Published other\.txt/u);
    await bob.peer.fetch({ name: 'other.txt', destination: bob.path('other'), ifExists: 'fail' });
  });
});
