import * as assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { formatHostPort } from '../../../src/protocol/address';
import { startTracker } from '../../support/startTracker';
import type { PeerWindow } from '../../support/peerWindows';
import { publish, searchNetwork } from '../../support/userActions';
import { useWindows } from '../../support/useWindows';

const NAME = 'Bài tập 1.txt'.normalize('NFC');
const CONTENT = Buffer.from(`${'Nội dung '.repeat(5_000)}\n`);

/** Two users in two real windows, in an open session that a tracker elsewhere runs. */
describe('sharing between two windows', () => {
  const { windows, cleanup } = useWindows({ allExtensions: true });
  let alice: PeerWindow;
  let bob: PeerWindow;
  let address = '';

  before(async () => {
    const { address: tracker } = await startTracker(cleanup);
    address = formatHostPort(tracker);
    [alice, bob] = await windows.addAliceAndBob(
      {
        files: {
          ...{ [NAME]: CONTENT, 'docs/second.md': 'second', 'third.txt': 'third' },
          'draft.txt': 'draft',
        },
        // The editor in a browser would save by itself a second later.
        userSettings: { 'files.autoSave': 'off' },
      },
      { files: { 'own.txt': 'mine' } },
    );
  });

  it('is offered in both windows by views and commands', async () => {
    for (const { workbench } of [alice, bob]) {
      await workbench.openView('Peershelf');
      for (const title of ['Published Files', 'Network Files'])
        await workbench.view(title).expand();
      const titles = await workbench.paletteTitles('Peershelf: ');
      assert.ok(titles.includes('Peershelf: Show Log'), titles.join(', '));
    }
  });

  it('says what to do while nothing is connected', async () => {
    const { workbench } = alice;
    await workbench.statusBarItem(/Peershelf/u);
    await workbench.openView('Peershelf');
    await workbench.view('Network Files').welcomed(/Start a session on this computer/u);
    await workbench.view('Published Files').welcomed(/Right-click a file in the explorer/u);
  });

  it('connects both windows by the address, and says that the session is open', async () => {
    for (const { workbench } of [alice, bob]) {
      await workbench.runCommand('Peershelf: Connect to Open Tracker…');
      await workbench.inputBox.opened({ title: 'Connect to Open Tracker' });
      await workbench.inputBox.type('not an address');
      await workbench.inputBox.complaint(/Write host:port/u);
      await workbench.inputBox.answer(address);
      await workbench.notifications.shown(/Connected to 127\.0\.0\.1:\d+\. The session is open/u);
      await workbench.statusBarItem(/other peers? \(open\)/u);
    }
    await alice.workbench.view('Network Files').welcomed(/Nobody else shares anything yet/u);
    const offered = await alice.workbench.paletteTitles('Peershelf: Copy Invite');
    assert.equal(offered.includes('Peershelf: Copy Invite'), false);
  });

  it('says that there is nothing to fetch, which cannot be chosen', async () => {
    const { workbench } = bob;
    await searchNetwork(workbench, '');
    assert.ok(await workbench.quickPick.offers('Nobody else shares anything yet.', 5_000));
    await workbench.quickPick.type('report');
    assert.ok(await workbench.quickPick.offers('Nothing that is shared matches this.', 5_000));
    await workbench.page.keyboard.press('Enter');
    assert.ok(await workbench.quickPick.isOpen());
    await workbench.quickPick.cancel();
  });

  it('publishes by right-click, and the other window shows it', async () => {
    await publish(alice.workbench, NAME);
    await alice.workbench.notifications.shown(/Published Bài tập 1\.txt/u);
    await alice.workbench.openView('Peershelf');
    await alice.workbench.view('Published Files').row(NAME);
    await bob.workbench.openView('Peershelf');
    await bob.workbench.view('Network Files').row('Alice', /1 file/u);
    await bob.workbench.view('Network Files').row(NAME, /55\.0 KB/u);
    await bob.workbench.statusBarItem(/1 other peer \(open\)/u);
  });

  it('fetches it by the palette, byte for byte, and the fetched file is not published', async () => {
    const { workbench, workspace } = bob;
    await searchNetwork(workbench, 'bài alice');
    await workbench.quickPick.choose(NAME);
    await workbench.notifications.shown(/Fetched shared\/Bài tập 1\.txt from Alice/u);
    assert.ok(readFileSync(path.join(workspace, 'shared', NAME)).equals(CONTENT));
    assert.deepEqual(readdirSync(path.join(workspace, 'shared')), [NAME]);
    await workbench.view('Published Files').welcomed(/Nothing is published from this window/u);
    assert.deepEqual(await alice.workbench.view('Network Files').labels(), []);
  });

  it('publishes a multi-selection, and fetches from the tree', async () => {
    await alice.workbench.openView('Explorer');
    await alice.workbench.explorer.openFolder('docs');
    await alice.workbench.explorer.contextMenu(['second.md', 'third.txt'], 'Publish to Network');
    await alice.workbench.notifications.shown(/Published 2 files/u);
    const network = bob.workbench.view('Network Files');
    await network.open('docs');
    // A row that is drawn again at that moment does nothing, and says so: the last change comes first.
    await network.row('third.txt');
    await network.inlineAction('second.md', 'Fetch from Network…');
    await bob.workbench.notifications.shown(/Fetched shared\/docs\/second\.md from Alice/u);
    assert.equal(readFileSync(path.join(bob.workspace, 'shared/docs/second.md'), 'utf8'), 'second');
  });

  it('publishes what an editor has not saved yet, saved', async () => {
    const { workbench, workspace } = alice;
    await workbench.openView('Explorer');
    await workbench.explorer.openFile('draft.txt');
    await workbench.editorShows('draft.txt', /^draft$/u);
    await workbench.typeIntoEditor('second ');
    await workbench.editorShows('draft.txt', /^second draft$/u);
    assert.equal(await workbench.isEditorDirty(), true);
    await workbench.runCommand('Peershelf: Publish to Network');
    await workbench.notifications.shown(/Published draft\.txt/u);
    assert.equal(await workbench.isEditorDirty(), false);
    assert.equal(readFileSync(path.join(workspace, 'draft.txt'), 'utf8'), 'second draft');
    await bob.workbench.view('Network Files').row('draft.txt', /12 B/u);
  });

  it('saves an untitled editor to where the user says, and publishes that', async () => {
    const { workbench, workspace } = alice;
    await workbench.runCommand('File: New Untitled Text File');
    await workbench.typeIntoEditor('new');
    await workbench.runCommand('Peershelf: Publish to Network');
    await workbench.fileDialog.choose('Save As', path.join(workspace, 'named.txt'));
    await workbench.notifications.shown(/Published named\.txt/u);
    assert.equal(readFileSync(path.join(workspace, 'named.txt'), 'utf8'), 'new');
    await bob.workbench.view('Network Files').row('named.txt', /3 B/u);
  });

  it('asks before it replaces other content, and keeps both', async () => {
    const file = path.join(bob.workspace, 'shared/docs/second.md');
    writeFileSync(file, 'my own words');
    await bob.workbench.view('Network Files').inlineAction('second.md', 'Fetch from Network…');
    const title = /shared\/docs\/second\.md exists with other content/u;
    await bob.workbench.quickPick.opened({ title });
    await bob.workbench.quickPick.choose('Keep Both');
    await bob.workbench.notifications.shown(/Fetched shared\/docs\/second \(2\)\.md/u);
    assert.equal(readFileSync(file, 'utf8'), 'my own words');
  });

  it('unpublishes, and the other window stops showing it', async () => {
    await alice.workbench.openView('Peershelf');
    await alice.workbench.view('Published Files').inlineAction(NAME, 'Unpublish from Network');
    const network = bob.workbench.view('Network Files');
    await network.noRow(NAME);
    await network.row('third.txt');
    const several = ['draft.txt', 'named.txt'];
    const published = alice.workbench.view('Published Files');
    await published.contextMenu(several, 'Unpublish from Network');
    for (const name of several) await network.noRow(name);
    await network.row('third.txt');
  });

  it('comes back by itself when the window is loaded again, and publishes meanwhile without a question', async () => {
    writeFileSync(path.join(alice.workspace, 'early.txt'), 'before the window is connected');
    await alice.workbench.openView('Explorer');
    await alice.workbench.explorer.shows('early.txt');
    await alice.workbench.reload();
    // The command is what loads the extension.
    await alice.workbench.explorer.contextMenu(['early.txt'], 'Publish to Network');
    await alice.workbench.notifications.shown(/Published early\.txt/u);
    await bob.workbench.view('Network Files').row('early.txt');
    await bob.workbench.view('Network Files').row('third.txt');
    await alice.workbench.statusBarItem(/other peers? \(open\)/u);
  });
});
