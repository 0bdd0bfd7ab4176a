import * as assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import * as path from 'node:path';
import { openTwoWindows, type TwoWindows } from '../../support/twoWindows';
import type { PeerWindow } from '../../support/peerWindows';

const NAME = 'Bài tập 1.txt'.normalize('NFC');
const CONTENT = Buffer.from(`${'Nội dung '.repeat(5_000)}\n`);
/** Free ports, so that runs side by side do not meet. */
const FREE_PORTS = { 'peershelf.port': '0', 'peershelf.trackerPort': 0 };

/** Two users of the product in two real windows, from nothing to a fetched file. */
describe('sharing between two windows', () => {
  let windows: TwoWindows;
  let alice: PeerWindow;
  let bob: PeerWindow;

  before(async () => {
    windows = await openTwoWindows({
      both: { machineSettings: FREE_PORTS },
      alice: { files: { [NAME]: CONTENT, 'docs/second.md': 'second', 'third.txt': 'third' } },
      bob: { files: { 'own.txt': 'mine' } },
    });
    ({ alice, bob } = windows);
  });

  afterEach(async function () {
    if (this.currentTest?.state === 'failed')
      await windows.windows.keepEvidence(this.currentTest.fullTitle());
    await alice.workbench.notifications.clear();
    await bob.workbench.notifications.clear();
  });

  after(() => windows.close());

  let address = '';

  it('says what to do while nothing is connected', async () => {
    const { workbench } = alice;
    await workbench.statusBarItem(/Peershelf/u);
    await workbench.openView('Peershelf');
    await workbench.view('Network Files').welcomed(/Start a session on this computer/u);
    await workbench.view('Published Files').welcomed(/Right-click a file in the explorer/u);
  });

  it('starts the local tracker from the palette with one question', async () => {
    const { workbench } = alice;
    await workbench.runCommand('Peershelf: Start Team Session (Local Tracker)');
    await workbench.quickPick.opened({ title: 'Start Team Session (Local Tracker)' });
    await workbench.quickPick.choose(/Only this computer/u);
    const told = await workbench.notifications.shown(/The tracker runs at/u);
    address = /127\.0\.0\.1:\d+/u.exec(told)?.[0] ?? assert.fail(told);
    await workbench.statusBarItem(/0 other peers \(open\)/u);
    await workbench.view('Network Files').welcomed(/Nobody else shares anything yet/u);
  });

  it('connects the other window by the address', async () => {
    const { workbench } = bob;
    await workbench.runCommand('Peershelf: Connect to Open Tracker…');
    await workbench.inputBox.opened({ title: 'Connect to Open Tracker' });
    await workbench.inputBox.type('not an address');
    await workbench.inputBox.complaint(/Write host:port/u);
    await workbench.inputBox.answer(address);
    await workbench.notifications.shown(/Connected to 127\.0\.0\.1/u);
  });

  it('publishes by right-click, and the other window shows it', async () => {
    await alice.workbench.openView('Explorer');
    await alice.workbench.explorer.contextMenu(NAME, 'Publish to Network');
    await alice.workbench.notifications.shown(/Published Bài tập 1\.txt/u);
    await alice.workbench.openView('Peershelf');
    await alice.workbench.view('Published Files').row(NAME);
    await bob.workbench.openView('Peershelf');
    await bob.workbench.view('Network Files').row('Alice', /1 file/u);
    await bob.workbench.view('Network Files').row(NAME, /45\.0 KB|KB/u);
    await bob.workbench.statusBarItem(/1 other peer \(open\)/u);
  });

  it('fetches it by the palette, byte for byte, and the fetched file is not published', async () => {
    const { workbench, workspace } = bob;
    await workbench.runCommand('Peershelf: Fetch from Network…');
    await workbench.quickPick.opened({ title: /Fetch from Network/u });
    await workbench.quickPick.type('bài alice');
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
    await network.row('docs/second.md');
    await network.inlineAction('docs/second.md', 'Fetch from Network…');
    await bob.workbench.notifications.shown(/Fetched shared\/docs\/second\.md from Alice/u);
    assert.equal(readFileSync(path.join(bob.workspace, 'shared/docs/second.md'), 'utf8'), 'second');
  });

  it('asks before it replaces other content, and keeps both', async () => {
    const file = path.join(bob.workspace, 'shared/docs/second.md');
    const { writeFileSync } = await import('node:fs');
    writeFileSync(file, 'my own words');
    await bob.workbench.view('Network Files').inlineAction('docs/second.md', 'Fetch from Network…');
    const { message } = await bob.workbench.dialog.opened();
    assert.match(message, /shared\/docs\/second\.md exists with other content/u);
    await bob.workbench.dialog.press('Keep Both');
    await bob.workbench.notifications.shown(/Fetched shared\/docs\/second \(2\)\.md/u);
    assert.equal(readFileSync(file, 'utf8'), 'my own words');
  });

  it('keeps the session over a reload of the window that started it', async () => {
    await alice.workbench.reload();
    await alice.workbench.openView('Peershelf');
    await alice.workbench.view('Published Files').row(NAME);
    await alice.workbench.view('Published Files').row('third.txt');
    const network = bob.workbench.view('Network Files');
    await network.row('third.txt');
    assert.deepEqual(
      (await network.rows()).filter(({ label }) => label.startsWith('Alice')).length,
      1,
    );
    await network.inlineAction('third.txt', 'Fetch from Network…');
    await bob.workbench.notifications.shown(/Fetched shared\/third\.txt from Alice/u);
  });

  it('unpublishes, and the other window stops showing it', async () => {
    await alice.workbench.view('Published Files').inlineAction(NAME, 'Unpublish from Network');
    await bob.workbench.view('Network Files').noRow(NAME);
    await bob.workbench.view('Network Files').row('third.txt');
  });

  it('asks before it stops a tracker that others use, and leaves nothing running', async () => {
    await bob.workbench.openView('Explorer');
    await bob.workbench.explorer.contextMenu('own.txt', 'Publish to Network');
    await bob.workbench.notifications.shown(/Published own\.txt/u);
    await alice.workbench.view('Network Files').row('own.txt');
    await alice.workbench.runCommand('Peershelf: Stop Local Tracker');
    await alice.workbench.dialog.press('Stop Tracker');
    await alice.workbench.notifications.shown(/The local tracker was stopped/u);
    await bob.workbench.statusBarItem(/Tracker not reached/u);
    await bob.workbench.runCommand('Peershelf: Leave Team Session');
    await bob.workbench.statusBarItem(/^Peershelf$|Peershelf/u);
    assert.ok(existsSync(path.join(bob.workspace, 'own.txt')));
  });

  it('asks before it stops a tracker when nobody knows who uses it', async () => {
    const { workbench } = alice;
    await workbench.runCommand('Peershelf: Start Team Session (Local Tracker)');
    await workbench.quickPick.choose(/Only this computer/u);
    await workbench.notifications.shown(/The tracker runs at/u);
    await workbench.runCommand('Peershelf: Leave Team Session');
    await workbench.runCommand('Peershelf: Stop Local Tracker');
    const { message } = await workbench.dialog.opened();
    assert.match(message, /Others may be using it/u);
    await workbench.dialog.press('Stop Tracker');
    await workbench.notifications.shown(/The local tracker was stopped/u);
  });
});
