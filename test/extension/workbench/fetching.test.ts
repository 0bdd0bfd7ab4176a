import * as assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { eventually } from '../../support/parts/waits';
import type { PeerWindow } from '../../support/peerWindows';
import { startPeerOf, type TestPeer } from '../../support/startPeer';
import { startTracker } from '../../support/startTracker';
import { HELD_BACK, holdBack, letThrough, searchNetwork } from '../../support/userActions';
import { useWindows } from '../../support/useWindows';

/** Under way until the test lets it through, also while the window is loaded again. */
const LARGE = randomBytes(120_000_000);
const DONE_MS = 40_000;

/** Everything that can be fetched by the list of the palette, in one window. Each test builds on those before. */
describe('fetching by the palette', () => {
  const { windows, cleanup } = useWindows();
  let window: PeerWindow;
  let alice: TestPeer;
  let bob: TestPeer;

  before(async () => {
    const { address } = await startTracker(cleanup);
    const join = (name: string): Promise<TestPeer> => startPeerOf(cleanup, name, address);
    [alice, bob] = await Promise.all([join('Alice'), join('Bob')]);
    for (const name of ['docs/a.txt', 'docs/b.txt', 'docs/c.txt']) await alice.publish(name);
    await alice.publish('large.bin', LARGE);
    for (const peer of [alice, bob]) await peer.publish('same.txt', 'the same');
    await alice.publish('clash.txt', 'by Alice');
    await bob.publish('clash.txt', 'of Bob');
    window = await windows.add('Erin', {
      files: { 'own.txt': 'mine', 'here/kept.txt': 'kept' },
      tracker: address,
      machineSettings: HELD_BACK,
    });
    await window.workbench.statusBarItem(/2 other peers/u);
  });

  const read = (name: string): string => readFileSync(path.join(window.workspace, name), 'utf8');
  const write = (name: string, text: string): void =>
    writeFileSync(path.join(window.workspace, name), text);
  const search = (text: string): Promise<void> => searchNetwork(window.workbench, text);

  it('shows equal content once with its sources, other content under its name apart', async () => {
    const { quickPick } = window.workbench;
    await search('txt');
    await quickPick.opened({ title: /: 6 files/u });
    const rows = await quickPick.items();
    const [same] = rows.filter(({ label }) => label === 'same.txt');
    assert.match(same?.detail ?? '', /^8 B · just now · 2 sources$/u);
    assert.deepEqual(
      rows
        .filter(({ label }) => !label.startsWith('docs/'))
        .map(({ label, description }) => [label, description]),
      [
        ['clash.txt', 'Alice'],
        ['clash.txt', 'Bob'],
        ['same.txt', 'Alice, Bob'],
      ],
    );
  });

  it('opens a file without fetching it, and fetches it to where the user says', async () => {
    const { workbench, workspace } = window;
    await workbench.quickPick.pressItemButton('same.txt', 'Open Without Fetching');
    await workbench.editorShows(/same\.txt/u, /the same/u);
    assert.equal(readdirSync(workspace).includes('shared'), false);
    await search('same');
    await workbench.quickPick.pressItemButton('same.txt', 'Fetch To…');
    await workbench.inputBox.opened({ title: /Fetch same\.txt To/u });
    const shows = (name: string): Promise<true> =>
      eventually(
        async () => (await workbench.inputBox.value()) === path.join(workspace, name) || undefined,
        `the dialog shows ${name}`,
      );
    // The dialog writes its suggestion over what is typed before.
    await shows('same.txt');
    await workbench.inputBox.type(path.join(workspace, 'elsewhere.txt'));
    await shows('elsewhere.txt');
    await workbench.inputBox.accept();
    await workbench.notifications.shown(/Fetched elsewhere\.txt from Alice/u);
    assert.equal(read('elsewhere.txt'), 'the same');
  });

  it('puts what clashes with others below the name of its owner, remembers it, and compares it', async () => {
    const { workbench } = window;
    await search('clash bob');
    await workbench.quickPick.choose('clash.txt');
    await workbench.notifications.shown(/Fetched shared\/Bob\/clash\.txt from Bob/u);
    assert.equal(read('shared/Bob/clash.txt'), 'of Bob');
    write('shared/Bob/clash.txt', 'of Erin');
    await search('');
    await workbench.quickPick.opened({ title: /: 7 files/u });
    const [first, second] = await workbench.quickPick.items();
    assert.deepEqual([first?.description, second?.label], ['Bob', 'same.txt']);
    await workbench.quickPick.pressItemButton('clash.txt', 'Compare with Workspace File');
    await workbench.editorShows(/clash\.txt \(workspace ↔ Bob\)/u, /of Erin/u);
  });

  it('fetches a folder as one, with one summary', async () => {
    const { workbench } = window;
    await search('docs/');
    await workbench.quickPick.choose('docs/');
    await workbench.notifications.shown(/Fetched 3 files\./u);
    assert.deepEqual(readdirSync(path.join(window.workspace, 'shared/docs')), [
      'a.txt',
      'b.txt',
      'c.txt',
    ]);
  });

  it('asks about what is in the way: compares and asks again, and takes answers for all', async () => {
    const { workbench } = window;
    for (const name of ['a', 'b', 'c']) write(`shared/docs/${name}.txt`, `Erin's ${name}`);
    await search('docs/');
    await workbench.quickPick.choose('docs/');
    await workbench.quickPick.opened({ title: /a\.txt exists with other content/u });
    await workbench.quickPick.choose('Compare');
    await workbench.editorShows(/a\.txt \(workspace ↔ Alice\)/u, /Erin's a/u);
    assert.equal(await workbench.quickPick.isOpen(), false);
    await workbench.notifications.press(/then decide about shared\/docs\/a\.txt/u, 'Decide…');
    await workbench.quickPick.opened({ title: /a\.txt exists with other content/u });
    await workbench.quickPick.choose('Compare');
    await workbench.editorShows(/a\.txt \(workspace ↔ Alice\)/u, /Erin's a/u);
    await workbench.runCommand('View: Close Editor');
    await workbench.quickPick.opened({ title: /a\.txt exists with other content/u });
    await workbench.quickPick.choose('Keep Both');
    await workbench.quickPick.opened({ title: /b\.txt exists with other content/u });
    await workbench.quickPick.choose('Overwrite All');
    await workbench.notifications.shown(/Fetched 3 files\./u);
    const names = ['a', 'a (2)', 'b', 'c'];
    assert.deepEqual(
      names.map((name) => read(`shared/docs/${name}.txt`)),
      ["Erin's a", 'docs/a.txt', 'docs/b.txt', 'docs/c.txt'],
    );

    write('shared/docs/b.txt', "Erin's b");
    await alice.publish('docs/d.txt');
    await alice.publish('docs/e.txt', 'by Alice');
    await bob.publish('docs/e.txt', 'of Bob');
    await search('docs/');
    await workbench.quickPick.choose('docs/');
    // A folder is one owner's, unless the user names several.
    await workbench.quickPick.opened({ title: 'Several people offer files in docs/.' });
    for (const owner of await workbench.quickPick.labels()) await workbench.quickPick.toggle(owner);
    await workbench.quickPick.accept();
    await workbench.quickPick.opened({ title: /different files as docs\/e\.txt/u });
    await workbench.quickPick.choose('Bob');
    await workbench.quickPick.opened({ title: /a\.txt exists with other content/u });
    await workbench.quickPick.choose('Skip');
    await workbench.quickPick.opened({ title: /b\.txt exists with other content/u });
    await workbench.quickPick.choose('Overwrite');
    await workbench.notifications.shown(/Of 5 files: 3 fetched, 1 already there, 1 skipped\./u);
    assert.equal(read('shared/docs/b.txt'), 'docs/b.txt');
    assert.equal(read('shared/docs/e.txt'), 'of Bob');
  });

  it('fetches into a folder of the explorer', async () => {
    const { workbench } = window;
    await workbench.openView('Explorer');
    await workbench.explorer.contextMenu('here', 'Peershelf', 'Fetch Here…');
    await workbench.quickPick.opened({ title: /Fetch into here/u });
    await workbench.quickPick.type('docs/d');
    await workbench.quickPick.choose('docs/d.txt');
    await workbench.notifications.shown(/Fetched here\/d\.txt from Alice/u);
    assert.equal(read('here/d.txt'), 'docs/d.txt');
  });

  it('fetches a folder into one of the explorer, and knows its files there', async () => {
    const { workbench } = window;
    await alice.publish('plans/deep/x.txt');
    await workbench.openView('Peershelf');
    const network = workbench.view('Network Files');
    for (const node of ['Alice', 'plans', 'deep']) await network.open(node);
    await network.row('x.txt', /^new/u);
    await workbench.openView('Explorer');
    await workbench.explorer.contextMenu('here', 'Peershelf', 'Fetch Here…');
    await workbench.quickPick.opened({ title: /Fetch into here/u });
    await workbench.quickPick.type('plans/');
    await workbench.quickPick.choose('plans/');
    await workbench.notifications.shown(/Fetched 1 file\./u);
    assert.equal(read('here/plans/deep/x.txt'), 'plans/deep/x.txt');
    await workbench.openView('Peershelf');
    await network.row('x.txt', /^same/u);
    await network.contextMenu('x.txt', 'Compare with Workspace File');
    await workbench.editorShows(/x\.txt \(workspace ↔ Alice\)/u, /plans/u);
  });

  it('goes on after the window was loaded again; what is for the session is offered no more', async () => {
    const { workbench } = window;
    await workbench.openView('Explorer');
    await workbench.explorer.contextMenu('own.txt', 'Peershelf', 'Publish for This Session Only');
    await workbench.notifications.shown(/Published own\.txt/u);
    await workbench.openView('Peershelf');
    await workbench.view('Published Files').row('own.txt', /for this session/u);
    await search('large');
    await workbench.quickPick.choose('large.bin');
    await workbench.view('Transfers').row('large.bin', /^[1-9]\d* % · .*\/s/u);
    await workbench.reload();
    await workbench.openView('Peershelf');
    await workbench.view('Transfers').row('large.bin', /^\d+ % · /u);
    await workbench.view('Published Files').welcomed(/Nothing is published from this window/u);
    await letThrough(window);
    await workbench.view('Transfers').row('large.bin', /^done/u, DONE_MS);
    await holdBack(window);
    const fetched = readFileSync(path.join(window.workspace, 'shared/large.bin'));
    assert.ok(fetched.equals(LARGE));
  });

  it('offers what is fetched from when that is wished for, while the session lasts', async () => {
    const { workbench } = window;
    await workbench.runCommand('Peershelf: Offer What I Fetch in This Session');
    await search('docs/c');
    await workbench.quickPick.choose('docs/c.txt');
    await workbench.view('Published Files').row('shared/docs/c.txt', /for this session/u);
    // Also what is tried again from its row, for which nobody waits.
    await bob.publish('again.bin', LARGE.subarray(LARGE.length / 2));
    const transfers = workbench.view('Transfers');
    await search('again');
    await workbench.quickPick.choose('again.bin');
    await transfers.row('again.bin', /\d+ % · .*\/s/u);
    await transfers.inlineAction('again.bin', 'Cancel');
    await transfers.row('again.bin', /^cancelled/u);
    await letThrough(window);
    await transfers.inlineAction('again.bin', 'Retry');
    const offered = workbench.view('Published Files');
    await offered.row('shared/again.bin', /for this session/u, DONE_MS);
    await workbench.runCommand('Peershelf: Stop Offering What I Fetch');
  });
});
