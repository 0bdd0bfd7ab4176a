import { userInfo } from 'node:os';
import { isGenericUserName } from '../../../src/editor/genericUserNames';
import { formatHostPort } from '../../../src/protocol/address';
import type { PeerWindow } from '../../support/peerWindows';
import { startPeer } from '../../support/startPeer';
import { startTracker } from '../../support/startTracker';
import { fetchByPalette, publish } from '../../support/userActions';
import { useWindows } from '../../support/useWindows';

/** A new user who follows the walkthrough; every test builds on the one before. */
describe('the first steps', () => {
  const { windows, cleanup } = useWindows();
  let window: PeerWindow;
  let address = '';

  before(async () => {
    const { address: tracker } = await startTracker(cleanup);
    address = formatHostPort(tracker);
    const bob = await startPeer(cleanup, { tracker, settings: { hostname: 'bob' } });
    await bob.publish('theirs.txt', 'of Bob');
    window = await windows.add('Erin', {
      files: { 'own.txt': 'mine' },
      // As it is at first: who works as root or as a guest is asked for a name.
      userSettings: { 'peershelf.displayName': '' },
    });
  });

  const stepOf = (name: string, state: 'unchecked' | 'checked'): Promise<void> =>
    window.workbench.page
      .locator(`[data-done-step-id$="firstSteps#${name}"].codicon-getting-started-step-${state}`)
      .first()
      .waitFor();

  it('are to be done at first', async () => {
    const { workbench } = window;
    await workbench.openView('Explorer');
    await workbench.runCommand('Welcome: Open Walkthrough...');
    await workbench.quickPick.type('Peershelf');
    await workbench.quickPick.choose(/First Steps|Peershelf/u);
    for (const name of ['session', 'publish', 'browse', 'fetch']) await stepOf(name, 'unchecked');
  });

  it('are ticked off: being in a session', async () => {
    const { workbench } = window;
    await workbench.runCommand('Peershelf: Connect to Open Tracker…');
    await workbench.inputBox.answer(address);
    if (isGenericUserName(userInfo().username)) {
      await workbench.inputBox.opened({ title: 'Your Name' });
      await workbench.inputBox.answer('Erin');
    }
    await stepOf('session', 'checked');
    await stepOf('publish', 'unchecked');
  });

  it('are ticked off: having published', async () => {
    const { workbench } = window;
    await publish(workbench, 'own.txt');
    await workbench.notifications.shown(/Published own\.txt/u);
    await stepOf('publish', 'checked');
    await stepOf('browse', 'unchecked');
  });

  it('are ticked off: looking at what others offer', async () => {
    const { workbench } = window;
    await workbench.openView('Peershelf');
    await workbench.view('Network Files').row('theirs.txt');
    await stepOf('browse', 'checked');
    await stepOf('fetch', 'unchecked');
  });

  it('are ticked off: having fetched', async () => {
    const { workbench } = window;
    await fetchByPalette(workbench, 'theirs.txt');
    await workbench.notifications.shown(/Fetched shared\/theirs\.txt/u);
    await stepOf('fetch', 'checked');
  });
});
