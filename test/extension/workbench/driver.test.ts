import * as assert from 'node:assert/strict';
import type { PeerWindow } from '../../support/peerWindows';
import type { Workbench } from '../../support/workbench';
import { useWindows } from '../../support/useWindows';

/**
 * The driver of the workbench against a fixture: when a new VS Code draws something differently,
 * this says so before tests of the product fail for no reason of theirs.
 */
describe('workbench driver', () => {
  const { windows } = useWindows();
  let peer: PeerWindow;
  let workbench: Workbench;

  before(async () => {
    peer = await windows.add('Alice', {
      trust: 'restricted',
      fixture: true,
      files: { 'one.txt': 'first', 'two.txt': 'second', 'sub/three.txt': 'third' },
    });
    workbench = peer.workbench;
    await workbench.statusBarItem(/Fixture ready/);
  });

  it('starts restricted, trusts the folder and stays trusted after a reload', async () => {
    // The editor may draw the item of its own after that of the fixture.
    await workbench.statusBarItem(/Restricted Mode/u);
    await workbench.trustFolder();
    await workbench.reload();
    await workbench.statusBarItem(/Fixture ready/);
    assert.equal(await workbench.isRestricted(), false);
  });

  it('answers messages', async () => {
    await workbench.runCommand('Fixture: Show Message');
    assert.deepEqual(await workbench.notifications.buttons('A question'), ['Yes', 'No']);
    await workbench.notifications.press('A question', 'Yes');
    await workbench.notifications.shown('Answer: Yes');
  });

  it('types into input boxes and reads complaints', async () => {
    await workbench.runCommand('Fixture: Ask for Text');
    await workbench.inputBox.opened({ title: 'Text' });
    await workbench.inputBox.type('bad');
    await workbench.inputBox.complaint(/Not that/);
    await workbench.inputBox.answer('good');
    await workbench.notifications.shown('Typed: good');
  });

  it('chooses from quick picks by the exact label', async () => {
    await workbench.clickStatusBarItem(/Fixture ready/);
    await workbench.quickPick.opened({ title: 'Fruit' });
    assert.deepEqual(await workbench.quickPick.labels(), ['Apple', 'Apple Pie', 'Pear']);
    await workbench.quickPick.choose('Apple Pie');
    await workbench.notifications.shown('Picked: Apple Pie');
  });

  it('answers modal dialogs', async () => {
    await workbench.runCommand('Fixture: Ask First');
    assert.deepEqual(await workbench.dialog.opened(), {
      message: 'Really?',
      detail: 'There is no way back.',
    });
    await workbench.dialog.press('Do It');
    await workbench.notifications.shown('Decision: Do It');
  });

  it('uses the menu of one file, of several, and submenus', async () => {
    await workbench.openView('Explorer');
    await workbench.explorer.contextMenu('one.txt', 'Use');
    await workbench.notifications.shown(/^Used one.txt$/);
    await workbench.explorer.contextMenu(['one.txt', 'two.txt'], 'Use');
    await workbench.notifications.shown(/^Used one.txt and two.txt$/);
    await workbench.explorer.contextMenu('two.txt', 'Fixture', 'Show Message');
    await workbench.notifications.press('A question', 'No');
    await workbench.notifications.shown('Answer: No');
  });

  it('opens files', async () => {
    await workbench.openView('Explorer');
    await workbench.explorer.openFolder('sub');
    await workbench.explorer.openFile('three.txt');
    await workbench.editorShows('three.txt', /third/);
  });

  it('reads and works trees', async () => {
    await workbench.openView('Fixture Box');
    const view = workbench.view('Things');
    await view.welcomed('Nothing here.');
    await view.welcomeAction('Fill It');
    await view.row('beta.txt', '2 kB');
    await view.inlineAction('beta.txt', 'Use');
    await workbench.notifications.shown(/^Used beta.txt$/);
    await view.open('folder');
    await view.row('inner.txt');
    assert.deepEqual(await view.labels(), ['alpha.txt', 'beta.txt', 'folder', 'inner.txt']);
    await view.contextMenu(['alpha.txt', 'inner.txt'], 'Use');
    await workbench.notifications.shown(/^Used alpha.txt and inner.txt$/);
  });
});
