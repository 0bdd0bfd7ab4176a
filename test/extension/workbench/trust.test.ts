import * as assert from 'node:assert/strict';
import { formatHostPort } from '../../../src/protocol/address';
import { eventually } from '../../support/parts/waits';
import type { PeerWindow } from '../../support/peerWindows';
import { startPeer, type TestPeer } from '../../support/startPeer';
import { startTracker } from '../../support/startTracker';
import { publish } from '../../support/userActions';
import { useWindows } from '../../support/useWindows';

/** Then it is looked again whether there is anything to click. */
const CLICK_MS = 2_000;

/** Trust that is given, taken away and given again. */
describe('trust in a workspace', () => {
  const { windows, cleanup } = useWindows();
  let window: PeerWindow;
  let bob: TestPeer;
  let address = '';

  before(async () => {
    const { address: tracker } = await startTracker(cleanup);
    address = formatHostPort(tracker);
    bob = await startPeer(cleanup, { tracker, settings: { hostname: 'bob', displayName: 'Bob' } });
    await bob.publish('bobs.txt');
    window = await windows.add('Frank', {
      trust: 'restricted',
      files: { 'own.txt': 'mine' },
    });
  });

  const offered = async (): Promise<string[]> => {
    await bob.peer.refreshNetwork();
    return (await bob.peer.networkFiles({ limit: 10 })).files.map(({ name }) => name);
  };
  const isOffered = (): Promise<unknown> =>
    eventually(async () => (await offered()).length === 1 || undefined, 'the file is offered');

  it('given while connected: what is published then survives a reload', async () => {
    const { workbench } = window;
    await workbench.openView('Peershelf');
    await workbench.view('Network Files').welcomeAction('Connect to Open Tracker…');
    await workbench.inputBox.answer(address);
    await workbench.view('Network Files').row('bobs.txt');
    await workbench.trustFolder();
    await publish(workbench, 'own.txt');
    await workbench.notifications.shown(/Published own\.txt/u);
    await workbench.reload();
    await workbench.openView('Peershelf');
    await workbench.view('Published Files').row('own.txt');
    await isOffered();
  });

  it('taken away: nothing is offered, also when the user connects', async () => {
    const { workbench } = window;
    await workbench.runCommand('Workspaces: Manage Workspace Trust');
    const row = workbench.page.locator(
      '.workspace-trust-editor .trusted-uris-table .monaco-list-row',
    );
    await eventually(async () => {
      if (await workbench.isRestricted()) return true;
      // A button that is just being drawn takes no click; the window loads itself again after one.
      await row
        .hover({ timeout: CLICK_MS })
        .then(() => row.getByLabel('Delete Path').click({ timeout: CLICK_MS }))
        .catch(() => undefined);
      return undefined;
    }, 'restricted');
    await eventually(async () => (await offered()).length === 0 || undefined, 'nothing offered');
    await workbench.runCommand('View: Close Editor');
    await workbench.openView('Peershelf');
    await workbench.view('Network Files').welcomed(/Restricted Mode/u);
    await workbench.view('Network Files').welcomeAction('Connect to Open Tracker…');
    await workbench.inputBox.answer(address);
    await workbench.view('Network Files').row('bobs.txt');
    await workbench.view('Published Files').welcomed(/needs a trusted workspace/u);
    assert.deepEqual(await offered(), []);
  });

  it('given again: what was published is offered again', async () => {
    const { workbench } = window;
    await workbench.trustFolder();
    await workbench.openView('Peershelf');
    await workbench.view('Published Files').row('own.txt');
    await isOffered();
  });
});
