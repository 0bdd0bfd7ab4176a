import * as assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, unlinkSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { eventually } from '../../support/parts/waits';
import type { View } from '../../support/parts/view';
import type { PeerWindow } from '../../support/peerWindows';
import { killExtensionHost } from '../../support/killExtensionHost';
import { startTracker } from '../../support/startTracker';
import {
  fetchByPalette,
  HELD_BACK,
  holdBack,
  letThrough,
  publish,
} from '../../support/userActions';
import { useWindows } from '../../support/useWindows';

/** More than is asked about, and more than VS Code is given at once. */
const MANY = 620;
/** Under way until the test lets it through. */
const LARGE = randomBytes(120_000_000);
const DONE_MS = 40_000;

/**
 * What one of two users does, as the other one sees it in a window of their own. Each test builds on
 * those before.
 */
describe('two users, each in a window', () => {
  const { windows, cleanup } = useWindows();
  let alice: PeerWindow;
  let bob: PeerWindow;
  /** What Bob sees of Alice's files. */
  let seen: View;
  let published: View;

  before(async () => {
    const { address: tracker } = await startTracker(cleanup);
    const many = Array.from({ length: MANY }, (_, index) => `many/f${1_000 + index}.txt`);
    [alice, bob] = await windows.addAliceAndBob(
      {
        tracker,
        files: {
          ...Object.fromEntries(many.map((name) => [name, name])),
          ...{ 'docs/guide.txt': 'the guide', 'docs/deep/more.txt': 'more', 'note.txt': 'a note' },
          ...{ 'docs/.gitignore': 'build/\n', 'docs/build/out.js': 'made' },
          ...{
            '.env': 'TOKEN=1',
            'large.bin': LARGE,
            'late.bin': LARGE.subarray(1),
            'both.txt': 'equal',
            'mine.txt': 'of Alice',
          },
        },
        // With the receiver alone slow, all of an answer is sent before it waits in the network.
        machineSettings: HELD_BACK,
        userSettings: { 'explorer.confirmDelete': false, 'files.autoSave': 'off' },
      },
      {
        tracker,
        files: { 'both.txt': 'equal', 'mine.txt': 'of Bob, other' },
        machineSettings: HELD_BACK,
        userSettings: { 'files.autoSave': 'off' },
      },
    );
    for (const { workbench } of [alice, bob]) await workbench.openView('Peershelf');
    seen = bob.workbench.view('Network Files');
    published = alice.workbench.view('Published Files');
  });

  const write = (name: string, text: string): void => {
    const file = path.join(alice.workspace, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
  };
  const fetched = (name: string): string =>
    readFileSync(path.join(bob.workspace, 'shared', name), 'utf8');

  it('publishes a folder; the other browses it by peer and by folder, filters and searches', async () => {
    await publish(alice.workbench, 'docs');
    await alice.workbench.notifications.shown(/Published 3 files\./u);
    await seen.open('docs');
    await seen.noRow('build');
    await seen.row('guide.txt', 'new · 9 B');
    assert.ok(await seen.hasFileIcon('guide.txt'));
    assert.equal(await seen.hasFileIcon('Alice'), false);
    await seen.titleAction('Group by Folder');
    await seen.noRow('Alice');
    await seen.open('docs');
    await seen.row('guide.txt', /^new · 9 B · Alice$/u);
    await seen.titleAction('Group by Peer');
    await seen.row('Alice', '3 files');
    await seen.titleAction('Filter');
    await bob.workbench.inputBox.answer('more');
    await seen.row('more.txt');
    await seen.noRow('guide.txt');
    await seen.titleAction('Clear Filter');
    await seen.row('docs', '3 files');
    await seen.open('docs');
    await seen.row('guide.txt');
    await fetchByPalette(bob.workbench, 'docs/guide.txt');
    await bob.workbench.notifications.shown(/Fetched shared\/docs\/guide\.txt from Alice/u);
    assert.equal(fetched('docs/guide.txt'), 'the guide');
    await seen.row('guide.txt', 'same · 9 B');
  });

  it('asks before it publishes what looks like a secret, and publishes what the answer says', async () => {
    const { workbench } = alice;
    await publish(workbench, '.env');
    const { message, detail } = await workbench.dialog.opened();
    assert.equal(message, '.env has a name that files with keys or passwords have. Publish it?');
    assert.match(detail, /Everyone in the session could read/u);
    await workbench.dialog.press('Cancel');
    await publish(workbench, '.env', 'note.txt');
    await workbench.dialog.press('Publish the Others', '.env');
    await workbench.notifications.shown(/Published note\.txt/u);
    await seen.row('note.txt');
    await seen.noRow('.env');
    await publish(workbench, '.env');
    await workbench.dialog.press('Publish Secrets Too', '.env');
    await seen.row('.env');
  });

  it('names the first of many files before it publishes them, and shows them page by page', async () => {
    const { workbench } = alice;
    await publish(workbench, 'many');
    const { message, detail } = await workbench.dialog.opened();
    assert.match(message, /^Publish 620 files \(8\.\d KB\)\?$/u);
    assert.match(detail, /many\/f1000\.txt.*many\/f1019\.txt.*and 600 more/u);
    await workbench.dialog.press('Publish');
    await workbench.notifications.shown(/Published 620 files\./u);
    await seen.row('Alice', `${MANY + 5} files`);
    await workbench.openView('Peershelf');
    await published.select('.env');
    await workbench.press('End');
    await published.row('Show more… (125 left)');
    // By keys: it is the last row, and has the focus.
    await workbench.press('Enter');
    await published.noRow(/Show more/u);
    await workbench.press('End');
    await published.row('note.txt');
    await workbench.openView('Explorer');
    await workbench.explorer.contextMenu('many', 'Peershelf', 'Unpublish from Network');
    await seen.row('Alice', '5 files');
  });

  it('publishes and takes back from the tab of an editor', async () => {
    const { workbench } = alice;
    await workbench.openView('Explorer');
    await workbench.explorer.openFile('mine.txt');
    await workbench.tabMenu('mine.txt', 'Publish to Network');
    await workbench.notifications.shown(/Published mine\.txt/u);
    await seen.row('mine.txt', /^different · 8 B$/u);
    await workbench.tabMenu('mine.txt', 'Unpublish from Network');
    await seen.noRow('mine.txt');
  });

  it('publishes again what has changed or was replaced, from its row, the explorer and its tab', async () => {
    const { workbench } = alice;
    await publish(workbench, 'mine.txt');
    await seen.row('mine.txt', /8 B/u);
    await workbench.openView('Peershelf');
    write('mine.txt', 'changed once');
    await published.row('mine.txt', /changed since published/u);
    await published.inlineAction('mine.txt', 'Publish Again');
    await workbench.notifications.shown(/Published mine\.txt/u);
    await seen.row('mine.txt', /12 B/u);
    await published.row('mine.txt', '12 B');
    await workbench.notifications.clear();
    // As editors and tools save: another file takes its place.
    write('next.txt', 'changed twice');
    renameSync(path.join(alice.workspace, 'next.txt'), path.join(alice.workspace, 'mine.txt'));
    await workbench.openView('Explorer');
    await workbench.explorer.contextMenu('mine.txt', 'Publish Again');
    await seen.row('mine.txt', /13 B/u);
    write('mine.txt', 'changed thrice');
    await workbench.explorer.decorated('mine.txt', 'P≠');
    await workbench.tabMenu('mine.txt', 'Publish Again');
    await seen.row('mine.txt', /14 B/u);
    await workbench.explorer.decorated('mine.txt', 'P');
  });

  it('offers a renamed and a moved file under its new name, and takes a deleted one back', async () => {
    const { workbench } = alice;
    await workbench.openView('Explorer');
    await workbench.explorer.rename('note.txt', 'renamed.txt');
    await seen.row('renamed.txt', /6 B/u);
    await seen.noRow('note.txt');
    await workbench.explorer.rename('renamed.txt', 'docs/moved.txt');
    await seen.row('moved.txt', /6 B/u);
    await seen.noRow('renamed.txt');
    unlinkSync(path.join(alice.workspace, 'docs/moved.txt'));
    await workbench.notifications.shown(/docs\/moved\.txt/u);
    await seen.noRow('moved.txt');
  });

  it('says that the other offers the same, and fetches that instead if wished for', async () => {
    const { workbench } = bob;
    await publish(alice.workbench, 'both.txt');
    await publish(workbench, 'mine.txt');
    await workbench.notifications.press(
      /^Alice offers mine\.txt with other content \(14 B, changed .*\)\./u,
      'Publish Anyway',
    );
    await workbench.notifications.shown(/Published mine\.txt/u);
    await workbench.explorer.contextMenu('mine.txt', 'Unpublish from Network');
    await workbench.notifications.clear();
    await publish(workbench, 'both.txt');
    const theirs = /Alice offers both\.txt with the same content/u;
    assert.deepEqual(await workbench.notifications.buttons(theirs), [
      'Publish Anyway',
      'Fetch Theirs',
    ]);
    await workbench.notifications.press(theirs, 'Fetch Theirs');
    await workbench.notifications.shown(/Fetched shared\/both\.txt from Alice/u);
    await workbench.openView('Peershelf');
    await workbench.view('Published Files').welcomed(/Nothing is published from this window/u);
  });

  it('opens without fetching, and compares with the own file and two with each other', async () => {
    const { workbench } = bob;
    const compare = 'Compare with Workspace File';
    // There is nothing to compare it with.
    assert.equal((await seen.contextMenuTitles('.env')).includes(compare), false);
    await seen.contextMenu('mine.txt', 'Open Without Fetching');
    await workbench.editorShows(/mine\.txt/u, /changed thrice/u);
    await seen.contextMenu('mine.txt', compare);
    await workbench.editorShows(/mine\.txt \(workspace ↔ Alice\)/u, /of Bob, other/u);
    await seen.contextMenu(['both.txt', 'mine.txt'], 'Compare Selected');
    await workbench.editorShows(/both\.txt of Alice ↔ mine\.txt of Alice/u, /equal/u);
    await seen.contextMenu(['both.txt', 'mine.txt'], 'Open Without Fetching');
    await eventually(async () => {
      const tabs = await workbench.editorTabs();
      return ['both.txt', 'mine.txt'].every((name) => tabs.includes(name)) || undefined;
    }, 'both files in tabs of their own');
    write('.env', 'TOKEN=22');
    await seen.contextMenu('.env', 'Open Without Fetching');
    await workbench.notifications.shown(/Alice has changed the file since it was published/u);
    await workbench.runCommand('View: Close All Editors');
  });

  it('asks about an unsaved editor in the way, and does what each answer says', async () => {
    const { workbench } = bob;
    const fetch = async (answer: string): Promise<void> => {
      await seen.inlineAction('mine.txt', 'Fetch from Network…');
      await workbench.quickPick.opened({ title: /mine\.txt has unsaved changes/u });
      await workbench.quickPick.choose(answer);
    };
    await seen.select('mine.txt');
    await seen.inlineAction('mine.txt', 'Fetch from Network…');
    await workbench.notifications.press(/Fetched shared\/mine\.txt/u, 'Open');
    await workbench.editorShows(/mine\.txt/u, /changed thrice/u);
    await workbench.typeIntoEditor('unsaved ');
    await fetch('Compare');
    await workbench.editorShows(/mine\.txt \(workspace ↔ Alice\)/u, /unsaved/u);
    await workbench.notifications.press(/then decide about shared\/mine\.txt/u, 'Decide…');
    await workbench.quickPick.choose('Skip');
    await workbench.quickPick.closed();
    write('mine.txt', 'changed at last');
    await alice.workbench.openView('Peershelf');
    await published.inlineAction('mine.txt', 'Publish Again');
    await seen.row('mine.txt', /15 B/u);
    await fetch('Keep Both');
    await workbench.notifications.shown(/Fetched shared\/mine \(2\)\.txt/u);
    assert.equal(fetched('mine (2).txt'), 'changed at last');
    assert.equal(fetched('mine.txt'), 'changed thrice');
    await workbench.notifications.clear();
    await fetch('Overwrite');
    await workbench.notifications.shown(/Fetched shared\/mine\.txt/u);
    assert.equal(fetched('mine.txt'), 'changed at last');
  });

  it('pauses and resumes, while the other sees the upload, and offers what it has', async () => {
    const { workbench } = bob;
    await publish(alice.workbench, 'large.bin');
    await alice.workbench.openView('Peershelf');
    const uploads = alice.workbench.view('Transfers');
    const transfers = workbench.view('Transfers');
    await fetchByPalette(workbench, 'large.bin');
    const { ariaLabel } = await transfers.row('large.bin', /\d+ % · .*from Alice/u);
    assert.match(ariaLabel, /^Download, large\.bin, /u);
    await uploads.row('large.bin', / · to Bob \(127\.0\.0\.1\)$/u);
    await published.row('large.bin', /1 upload/u);
    await workbench.statusBarItem(/\d+ % · [\d.]+ [KM]?B\/s$/u);
    await alice.workbench.statusBarItem(/^[^%]*\/s$/u);
    await transfers.inlineAction('large.bin', 'Pause');
    await transfers.row('large.bin', /^paused · \d+ %/u);
    await uploads.row('large.bin', /^ended by the other side · /u);
    await transfers.inlineAction('large.bin', 'Resume');
    await transfers.row('large.bin', /\d+ % · .*from Alice/u);
    await letThrough(alice, bob);
    await transfers.row('large.bin', /^done/u, DONE_MS);
    await holdBack(alice, bob);
    assert.ok(readFileSync(path.join(bob.workspace, 'shared/large.bin')).equals(LARGE));
    await transfers.inlineAction('large.bin', 'Reveal');
    await workbench.explorer.shows('large.bin');
    await workbench.openView('Peershelf');
    await transfers.contextMenu('large.bin', 'Offer This Too');
    await workbench.notifications.shown(/Published shared\/large\.bin/u);
    const network = alice.workbench.view('Network Files');
    await network.row('Bob', '1 file');
    await workbench.view('Published Files').inlineAction('shared/large.bin', 'Unpublish');
    await network.noRow('Bob');
  });

  it('ends an upload, and the other is told so', async () => {
    await publish(alice.workbench, 'late.bin');
    await alice.workbench.openView('Peershelf');
    const uploads = alice.workbench.view('Transfers');
    await fetchByPalette(bob.workbench, 'late.bin');
    await uploads.row('late.bin', /\d+ % · .* · to Bob \(127\.0\.0\.1\)$/u);
    await uploads.inlineAction('late.bin', 'Cancel');
    await uploads.row('late.bin', /^cancelled/u);
    const told = 'Alice has ended this transfer. Ask them, or try again in a minute.';
    await bob.workbench.notifications.shown(told);
    await bob.workbench.view('Transfers').row('late.bin', `failed · ${told} · from Alice`);
  });

  it('is shown as away when it is cut off, and as back when it comes again', async () => {
    await seen.select('mine.txt');
    killExtensionHost(alice);
    await seen.row('mine.txt', /^away since \d\d:\d\d · /u);
    // The editor starts its extensions again by itself.
    await seen.row('mine.txt', /^same · \d+ B$/u, DONE_MS);
  });
});
