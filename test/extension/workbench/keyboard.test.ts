import * as assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { Keys } from '../../support/keys';
import { until } from '../../support/parts/waits';
import type { PeerWindow } from '../../support/peerWindows';
import { startPeerOf, type TestPeer } from '../../support/startPeer';
import { startTeam } from '../../support/startTeam';
import { startTracker } from '../../support/startTracker';
import { useWindows } from '../../support/useWindows';

/** At one megabyte a second there is time to press every key. Too large to be opened without fetching it. */
const LARGE = randomBytes(70_000_000);

/** Everything that the mouse does, with keys: each test is a list of them. */
describe('with the keyboard alone', () => {
  const { windows, cleanup } = useWindows();
  let window: PeerWindow;
  let keys: Keys;
  let bob: TestPeer;

  before(async () => {
    const { address } = await startTracker(cleanup);
    bob = await startPeerOf(cleanup, 'Bob', address);
    await bob.publish('first.txt', 'first of Bob');
    await bob.publish('second.txt', 'second of Bob');
    window = await windows.add('Gil', {
      files: { 'own.txt': 'mine', 'session.txt': 'of today' },
      tracker: address,
      machineSettings: { 'peershelf.maxDownloadMegabytesPerSecond': 1 },
    });
    keys = new Keys(window.workbench);
    await window.workbench.statusBarItem(/1 other peer/u);
  });

  it('publishes the open file: Ctrl+P, its name, Enter; F1, Publish to Network, Enter', async () => {
    const { workbench } = window;
    await keys.openFile('own.txt');
    await workbench.editorShows(/own\.txt/u, /mine/u);
    await keys.command('Peershelf: Publish to Network');
    await workbench.notifications.shown(/Published own\.txt/u);
  });

  it('fetches by search: F1, Fetch from Network, Enter; a part of the name, Enter', async () => {
    const { workbench, workspace } = window;
    await keys.search('first', 'first.txt');
    await workbench.notifications.shown(/Fetched/u);
    assert.equal(readFileSync(path.join(workspace, 'shared/first.txt'), 'utf8'), 'first of Bob');
  });

  it('opens a row: F1, Focus on Network Files View, Enter; down; Shift+F10, down, Enter', async () => {
    const { workbench } = window;
    await keys.command('Peershelf: Focus on Network Files View');
    // A view that appears for the first time has no row yet that could have the focus.
    await workbench.view('Network Files').row('second.txt');
    await keys.focusOn('Network Files');
    await keys.row('second.txt');
    await keys.menu('Open Without Fetching');
    await workbench.editorShows(/second\.txt/u, /second of Bob/u);
  });

  it('publishes for this session, again and no more: Ctrl+Shift+E; down; Shift+F10, down, Enter; F1, Focus on Published Files View, Enter; Shift+F10, down, Enter', async () => {
    const { workbench, workspace } = window;
    const published = workbench.view('Published Files');
    await keys.explorerRow('session.txt');
    await keys.menu('Peershelf', 'Publish for This Session Only');
    await workbench.notifications.shown(/Published session\.txt/u);
    writeFileSync(path.join(workspace, 'session.txt'), 'changed');
    await keys.focusOn('Published Files');
    await published.row('session.txt', /changed since published/u);
    await workbench.press('Home');
    await keys.row('session.txt');
    await keys.menu('Publish Again');
    await published.row('session.txt', '7 B · for this session');
    await keys.command('Peershelf: Unpublish from Network');
    await workbench.quickPick.opened({ title: 'Unpublish from Network' });
    assert.deepEqual(await workbench.quickPick.labels(), ['own.txt', 'session.txt']);
    await workbench.type('session');
    await workbench.quickPick.takeTicked();
    await published.noRow('session.txt');
  });

  it('fetches a row: F1, Focus on Network Files View, Enter; down; Shift+F10, down, Enter', async () => {
    const { workbench } = window;
    await keys.focusOn('Network Files');
    await workbench.press('Home');
    await keys.row('first.txt');
    await keys.menu('Fetch from Network…');
    await workbench.notifications.shown(/shared\/first\.txt is here already/u);
  });

  it('compares two rows: F1, Focus on Network Files View, Enter; Home, down; Ctrl+Shift+Enter, Shift+down; Shift+F10, down, Enter', async () => {
    const { workbench } = window;
    await keys.focusOn('Network Files');
    await workbench.press('Home');
    await keys.row('first.txt');
    await workbench.press('ControlOrMeta+Shift+Enter');
    await workbench.press('Shift+ArrowDown');
    const selected = async (): Promise<string> =>
      (await workbench.view('Network Files').rows())
        .flatMap((one) => (one.selected ? [one.label] : []))
        .join();
    await until('both selected', async () => (await selected()) === 'first.txt,second.txt', {
      seen: async () => [await selected()],
    });
    await keys.menu('Compare Selected');
    await workbench.editorShows(/first\.txt .*second\.txt/u, /of Bob/u);
  });

  it('takes back: F1, Focus on Published Files View, Enter; down; Shift+F10, down, Enter', async () => {
    const { workbench } = window;
    await keys.focusOn('Published Files');
    await keys.row('own.txt');
    await keys.menu('Unpublish from Network');
    await workbench.view('Published Files').welcomed(/Nothing is published/u);
  });

  it('clears what has ended: F1, Focus on Transfers View, Enter; F1, Clear Finished, Enter', async () => {
    const { workbench } = window;
    await keys.focusOn('Transfers');
    await keys.row('first.txt');
    await keys.command('Peershelf: Clear Finished');
    await workbench.view('Transfers').welcomed(/Nothing is transferred/u);
  });

  it('answers a message: F1, Focus Notification Toast, Enter; Tab to the button, Enter', async () => {
    const { workbench } = window;
    await keys.search('second', 'second.txt');
    await workbench.notifications.shown(/Fetched/u);
    await workbench.notifications.gone(/Fetching/u);
    await keys.command('Notifications: Focus Notification Toast');
    const onButton = workbench.page.locator('.notification-list-item .monaco-button:focus');
    await until('focus on Open', async () => {
      if ((await onButton.allTextContents()).join() === 'Open') return true;
      await workbench.press('Tab');
      return false;
    });
    await workbench.press('Enter');
    await workbench.editorShows(/second\.txt/u, /second of Bob/u);
  });

  it('compares with the own file: F1, Focus on Network Files View, Enter; Esc, Home, down; Shift+F10, down, Enter', async () => {
    const { workbench } = window;
    await keys.focusOn('Network Files');
    await workbench.press('Escape'); // Two rows are selected.
    await workbench.press('Home');
    await keys.row('second.txt');
    await keys.menu('Compare with Workspace File');
    await workbench.editorShows(/second\.txt \(workspace ↔ Bob\)/u, /second of Bob/u);
  });

  it('answers what is in the way: arrow to the answer, Enter', async () => {
    const { workbench, workspace } = window;
    writeFileSync(path.join(workspace, 'shared/first.txt'), 'of Gil');
    await keys.search('first', 'first.txt');
    await workbench.quickPick.opened({ title: /first\.txt exists with other content/u });
    await keys.arrowToAnswer('Keep Both');
    await workbench.press('Enter');
    await workbench.notifications.shown(/Fetched shared\/first \(2\)\.txt/u);
    const read = (name: string): string =>
      readFileSync(path.join(workspace, 'shared', name), 'utf8');
    assert.deepEqual(['first.txt', 'first (2).txt'].map(read), ['of Gil', 'first of Bob']);
  });

  it('offers what was fetched, and shows where it is: F1, Focus on Transfers View, Enter; down; Shift+F10, down, Enter', async () => {
    const { workbench } = window;
    await keys.focusOn('Transfers');
    await workbench.press('Home');
    await keys.row('second.txt');
    await keys.menu('Offer This Too');
    await workbench.notifications.shown(/Published shared\/second\.txt/u);
    await keys.focusOn('Transfers');
    await keys.row('second.txt');
    await keys.menu('Reveal');
    await workbench.explorer.shows('second.txt');
  });

  it('filters and groups: F1, Filter, Enter; words, Enter; F1, Clear Filter, Group by …, Enter', async () => {
    const { workbench } = window;
    const network = workbench.view('Network Files');
    await keys.focusOn('Network Files');
    await keys.command('Peershelf: Filter…');
    await workbench.inputBox.opened({ title: 'Filter Network Files' });
    await workbench.type('first');
    await workbench.press('Enter');
    await network.noRow('second.txt');
    await keys.command('Peershelf: Clear Filter');
    await network.row('second.txt');
    await keys.command('Peershelf: Group by Folder');
    await network.noRow('Bob');
    await keys.command('Peershelf: Group by Peer');
    await network.row('Bob');
  });

  it('presses a button of the search: a part of the name; Tab to the buttons, arrow, Enter', async () => {
    const { workbench } = window;
    await keys.lookFor('second', 'second.txt');
    const onButton = workbench.page.locator('.quick-input-widget .action-label:focus');
    const label = async (): Promise<string> =>
      (await onButton.count()) === 0
        ? ''
        : ((await onButton.first().getAttribute('aria-label')) ?? '');
    await until('focus on the buttons', async () => {
      if ((await label()) !== '') return true;
      await workbench.press('Tab');
      return false;
    });
    await until('focus on Compare', async () => {
      if ((await label()) === 'Compare with Workspace File') return true;
      await workbench.press('ArrowRight');
      return false;
    });
    await workbench.press('Enter');
    await workbench.editorShows(/second\.txt \(workspace ↔ Bob\)/u, /second of Bob/u);
  });

  it('fetches to a place: F1, Focus on Network Files View, Enter; down; Shift+F10, down, Enter; the path, Enter', async () => {
    const { workbench, workspace } = window;
    await keys.focusOn('Network Files');
    await workbench.press('Home');
    await keys.row('second.txt');
    await keys.menu('Fetch To…');
    const place = path.join(workspace, 'elsewhere.txt');
    // Nothing but keys in there, too.
    await workbench.fileDialog.choose('Fetch second.txt To', place);
    await workbench.notifications.shown(/Fetched elsewhere\.txt from Bob/u);
    assert.equal(readFileSync(place, 'utf8'), 'second of Bob');
  });

  it('fetches into a folder: Ctrl+Shift+E; down; Shift+F10, down, Enter, down, Enter; a part of the name, Enter', async () => {
    const { workbench, workspace } = window;
    mkdirSync(path.join(workspace, 'here'));
    await keys.explorerRow('here');
    await keys.menu('Peershelf', 'Fetch Here…');
    await workbench.quickPick.opened({ title: /Fetch into here/u });
    await keys.take('second', 'second.txt');
    await workbench.notifications.shown(/Fetched here\/second\.txt/u);
    assert.equal(readFileSync(path.join(workspace, 'here/second.txt'), 'utf8'), 'second of Bob');
  });

  it('pings and browses: F1, Focus on Peers View, Enter; down; Shift+F10, down, Enter', async () => {
    const { workbench } = window;
    await keys.command('Peershelf: Focus on Peers View');
    await workbench.view('Peers').row('Bob');
    await keys.focusOn('Peers');
    await keys.row('Bob');
    await keys.menu('Ping');
    await workbench.notifications.shown(/Bob is online/u);
    await keys.focusOn('Peers');
    await keys.row('Bob');
    await keys.menu('Browse Files');
    const isChosen = async (): Promise<boolean> =>
      (await workbench.view('Network Files').row('Bob')).selected;
    await until('Bob chosen in Network Files', isChosen);
  });

  it('pauses, resumes, cancels and retries: F1, Focus on Transfers View, Enter; down; Shift+F10, down, Enter', async () => {
    const { workbench } = window;
    const transfers = workbench.view('Transfers');
    await bob.publish('large.bin', LARGE);
    await keys.focusOn('Network Files');
    await workbench.press('Home');
    await keys.row('large.bin');
    await keys.menu('Open Without Fetching');
    await workbench.notifications.press(
      /^large\.bin \(70\.0 MB\) is too large to be opened without fetching it\./u,
      'Fetch',
    );
    await workbench.badge('Peershelf', '1');
    await transfers.row('large.bin', /\d+ % · .*\/s/u);
    for (const [title, state] of [
      ['Pause', /^paused/u],
      ['Resume', /\d+ % · .*\/s/u],
      ['Cancel', /^cancelled/u],
      ['Retry', /\d+ % · .*\/s/u],
      ['Cancel', /^cancelled/u],
    ] as const) {
      await keys.focusOn('Transfers');
      await workbench.press('Home');
      await keys.row('large.bin');
      await keys.menu(title);
      await transfers.row('large.bin', state);
    }
    assert.equal(existsSync(path.join(window.workspace, 'shared/large.bin')), false);
  });

  it('pauses and cancels several: F1, Focus on Transfers View, Enter; Home; Ctrl+Shift+Enter, Shift+down; Shift+F10, down, Enter', async () => {
    const { workbench } = window;
    const transfers = workbench.view('Transfers');
    const both = ['large.bin', 'slow.bin'];
    await bob.publish('slow.bin', LARGE.subarray(1));
    for (const name of both) {
      await keys.search(name.split('.')[0] ?? '', name);
      await transfers.row(name, /\d+ % · .*\/s/u);
    }
    for (const [title, state] of [
      ['Pause', /^paused/u],
      ['Cancel', /^cancelled/u],
    ] as const) {
      await keys.focusOn('Transfers');
      // A key that comes just when the rows are replaced is forgotten.
      await until('both selected', async () => {
        await workbench.press('Escape'); // None is selected.
        await workbench.press('Home');
        await workbench.press('ControlOrMeta+Shift+Enter');
        await workbench.press('Shift+ArrowDown');
        return (await transfers.rows()).slice(0, 2).every(({ selected }) => selected);
      });
      await keys.menu(title);
      await until(`both ${title}`, async () => {
        const rows = (await transfers.rows()).slice(0, 2);
        const names = rows.map(({ label }) => label).sort();
        return names.join() === both.join() && rows.every((one) => state.test(one.description));
      });
    }
  });

  it('joins with an invite: F1, Join Team Session, Enter; the invite pasted, Enter', async () => {
    const { workbench } = window;
    const team = await startTeam(cleanup);
    await (await team.join({ settings: { displayName: 'Ann' } })).publish('ann.txt', 'of Ann');
    await keys.command('Peershelf: Join Team Session…');
    await workbench.inputBox.opened({ title: 'Join Team Session' });
    await workbench.page.keyboard.insertText(team.invite);
    await workbench.press('Enter');
    await workbench.notifications.shown(/Joined the session Team/u);
    await workbench.view('Network Files').row('ann.txt');
  });

  it('starts a session and invites: F1, Start Team Session, Enter; down, Enter; F1, Copy Invite, Enter', async () => {
    const { workbench } = window;
    await keys.command('Peershelf: Start Team Session (Local Tracker)');
    await workbench.quickPick.opened({ title: 'Start Team Session (Local Tracker)' });
    await keys.arrowToAnswer('Only this computer');
    await workbench.press('Enter');
    await workbench.statusBarItem(/Gil's session: 0 other peers/u);
    await keys.command('Peershelf: Copy Invite');
    await workbench.notifications.shown(/is on the clipboard/u);
    assert.match(await workbench.clipboard(), /^Join the Peershelf session "Gil's session"/u);
  });

  it('joins again when it publishes: F1, Leave Team Session, Enter; F1, Publish to Network, Enter; down, Enter', async () => {
    const { workbench } = window;
    await keys.command('Peershelf: Leave Team Session');
    await workbench.view('Network Files').welcomed(/Start a session on this computer/u);
    await keys.openFile('own.txt');
    await workbench.editorShows(/own\.txt/u, /mine/u);
    await keys.command('Peershelf: Publish to Network');
    await workbench.quickPick.opened({ title: 'Publish to Network' });
    await keys.arrowToAnswer('Rejoin Team');
    await workbench.press('Enter');
    await workbench.notifications.shown(/Published own\.txt/u);
    await workbench.view('Network Files').row('ann.txt');
  });
});
