import * as assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { until } from '../../support/parts/waits';
import type { PeerWindow } from '../../support/peerWindows';
import { startPeerOf, type TestPeer } from '../../support/startPeer';
import { startTeam } from '../../support/startTeam';
import { startTracker } from '../../support/startTracker';
import { useWindows } from '../../support/useWindows';

/** Of a list that is short. */
const MAX_STEPS = 20;

/** At one megabyte a second there is time to press every key. */
const LARGE = randomBytes(60_000_000);

/** Everything that the mouse does, with keys: each test is a list of them. */
describe('with the keyboard alone', () => {
  const { windows, cleanup } = useWindows();
  let window: PeerWindow;
  let bob: TestPeer;

  before(async () => {
    const { address } = await startTracker(cleanup);
    bob = await startPeerOf(cleanup, 'Bob', address);
    await bob.publish('first.txt', 'first of Bob');
    await bob.publish('second.txt', 'second of Bob');
    window = await windows.add('Gil', {
      files: { 'own.txt': 'mine' },
      tracker: address,
      machineSettings: { 'peershelf.maxDownloadMegabytesPerSecond': 1 },
    });
    await window.workbench.statusBarItem(/1 other peer/u);
  });

  /** F1, a title, Enter. */
  const command = async (title: string): Promise<void> => {
    const { workbench } = window;
    await until(`"${title}" first in the palette`, async () => {
      await workbench.press('F1');
      await workbench.quickPick.opened();
      // At once: each key alone would have all commands of the editor matched and drawn again.
      await workbench.page.keyboard.insertText(title);
      const isFirst = await workbench.quickPick.offers(title, 2_000);
      if (!isFirst) await workbench.press('Escape');
      return isFirst;
    });
    await workbench.press('Enter');
  };
  /** The command that leads into a view, whose rows then take the keys. */
  const focusOn = async (view: string): Promise<void> => {
    await command(`Peershelf: Focus on ${view} View`);
    await window.workbench.view(view).focused();
  };
  /** A part of a name in the question for a file, which then has this row. */
  const narrow = async (text: string, name: string): Promise<void> => {
    const { workbench } = window;
    await workbench.type(text);
    // The answer to all that was typed: what stands there before is nobody's choice.
    await workbench.quickPick.opened({ title: /: 1 file$/u });
    assert.ok(await workbench.quickPick.offers(name, 5_000));
  };
  const lookFor = async (text: string, name: string): Promise<void> => {
    await command('Peershelf: Fetch from Network…');
    await window.workbench.quickPick.opened({ title: /Fetch from Network/u });
    await narrow(text, name);
  };
  const take = async (text: string, name: string): Promise<void> => {
    await narrow(text, name);
    await window.workbench.quickPick.takeFocused();
  };
  const search = async (text: string, name: string): Promise<void> => {
    await lookFor(text, name);
    await window.workbench.quickPick.takeFocused();
  };
  const focused = (selector: string): Promise<string[]> =>
    window.workbench.page.locator(`${selector}.focused .label-name`).allTextContents();
  /** The arrow, until the row or entry of a menu with this text has the focus. */
  const arrowTo = (what: string, shown: () => Promise<string[]>): Promise<unknown> => {
    let steps = 0;
    return until(
      `focus on ${what}`,
      async () => {
        if ((await shown()).some((text) => text.trim() === what)) return true;
        assert.ok(steps++ < MAX_STEPS, `${what} is not among the rows`);
        await window.workbench.press('ArrowDown');
        return false;
      },
      { seen: shown },
    );
  };
  const row = (label: string): Promise<unknown> =>
    arrowTo(label, () => focused('.pane-body .monaco-list:focus .monaco-list-row'));
  const menu = async (title: string): Promise<void> => {
    const { page } = window.workbench;
    await window.workbench.press('Shift+F10');
    await page.locator('.monaco-menu').waitFor();
    await menuEntry(title);
  };
  /** An entry of the menu that is open, or of one that it has opened. */
  const menuEntry = async (title: string): Promise<void> => {
    // A menu that an entry has opened stands within that.
    const labels = window.workbench.page.locator(
      '.monaco-menu .action-item.focused > .action-menu-item > .action-label',
    );
    await arrowTo(title, () => labels.allTextContents());
    await window.workbench.press('Enter');
  };

  it('publishes the open file: Ctrl+P, its name, Enter; F1, Publish to Network, Enter', async () => {
    const { workbench } = window;
    await workbench.press('ControlOrMeta+p');
    await workbench.quickPick.opened();
    await workbench.type('own.txt');
    await arrowTo('own.txt', () => focused('.quick-input-list .monaco-list-row'));
    await workbench.press('Enter');
    await workbench.editorShows(/own\.txt/u, /mine/u);
    await command('Peershelf: Publish to Network');
    await workbench.notifications.shown(/Published own\.txt/u);
  });

  it('fetches by search: F1, Fetch from Network, Enter; a part of the name, Enter', async () => {
    const { workbench, workspace } = window;
    await search('first', 'first.txt');
    await workbench.notifications.shown(/Fetched/u);
    assert.equal(readFileSync(path.join(workspace, 'shared/first.txt'), 'utf8'), 'first of Bob');
  });

  it('opens a row: F1, Focus on Network Files View, Enter; down; Shift+F10, down, Enter', async () => {
    const { workbench } = window;
    await command('Peershelf: Focus on Network Files View');
    // A view that appears for the first time has no row yet that could have the focus.
    await workbench.view('Network Files').row('second.txt');
    await focusOn('Network Files');
    await row('second.txt');
    await menu('Open Without Fetching');
    await workbench.editorShows(/second\.txt/u, /second of Bob/u);
  });

  it('compares two rows: F1, Focus on Network Files View, Enter; Home, down; Ctrl+Shift+Enter, Shift+down; Shift+F10, down, Enter', async () => {
    const { workbench } = window;
    await focusOn('Network Files');
    await workbench.press('Home');
    await row('first.txt');
    await workbench.press('ControlOrMeta+Shift+Enter');
    await workbench.press('Shift+ArrowDown');
    const selected = async (): Promise<string> =>
      (await workbench.view('Network Files').rows())
        .flatMap((one) => (one.selected ? [one.label] : []))
        .join();
    await until('both selected', async () => (await selected()) === 'first.txt,second.txt', {
      seen: async () => [await selected()],
    });
    await menu('Compare Selected');
    await workbench.editorShows(/first\.txt .*second\.txt/u, /of Bob/u);
  });

  it('takes back: F1, Focus on Published Files View, Enter; down; Shift+F10, down, Enter', async () => {
    const { workbench } = window;
    await focusOn('Published Files');
    await row('own.txt');
    await menu('Unpublish from Network');
    await workbench.view('Published Files').welcomed(/Nothing is published/u);
  });

  it('clears what has ended: F1, Focus on Transfers View, Enter; F1, Clear Finished, Enter', async () => {
    const { workbench } = window;
    await focusOn('Transfers');
    await row('first.txt');
    await command('Peershelf: Clear Finished');
    await workbench.view('Transfers').welcomed(/Nothing is transferred/u);
  });

  it('answers a message: F1, Focus Notification Toast, Enter; Tab to the button, Enter', async () => {
    const { workbench } = window;
    await search('second', 'second.txt');
    await workbench.notifications.shown(/Fetched/u);
    await workbench.notifications.gone(/Fetching/u);
    await command('Notifications: Focus Notification Toast');
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
    await focusOn('Network Files');
    await workbench.press('Escape'); // Two rows are selected.
    await workbench.press('Home');
    await row('second.txt');
    await menu('Compare with Workspace File');
    await workbench.editorShows(/second\.txt \(workspace ↔ Bob\)/u, /second of Bob/u);
  });

  it('answers what is in the way: arrow to the answer, Enter', async () => {
    const { workbench, workspace } = window;
    writeFileSync(path.join(workspace, 'shared/first.txt'), 'of Gil');
    await search('first', 'first.txt');
    await workbench.quickPick.opened({ title: /first\.txt exists with other content/u });
    await arrowTo('Keep Both', () => focused('.quick-input-list .monaco-list-row'));
    await workbench.press('Enter');
    await workbench.notifications.shown(/Fetched shared\/first \(2\)\.txt/u);
    const read = (name: string): string =>
      readFileSync(path.join(workspace, 'shared', name), 'utf8');
    assert.deepEqual(['first.txt', 'first (2).txt'].map(read), ['of Gil', 'first of Bob']);
  });

  it('offers what was fetched, and shows where it is: F1, Focus on Transfers View, Enter; down; Shift+F10, down, Enter', async () => {
    const { workbench } = window;
    await focusOn('Transfers');
    await workbench.press('Home');
    await row('second.txt');
    await menu('Offer This Too');
    await workbench.notifications.shown(/Published shared\/second\.txt/u);
    await focusOn('Transfers');
    await row('second.txt');
    await menu('Reveal');
    await workbench.explorer.shows('second.txt');
  });

  it('filters and groups: F1, Filter, Enter; words, Enter; F1, Clear Filter, Group by …, Enter', async () => {
    const { workbench } = window;
    const network = workbench.view('Network Files');
    await focusOn('Network Files');
    await command('Peershelf: Filter…');
    await workbench.inputBox.opened({ title: 'Filter Network Files' });
    await workbench.type('first');
    await workbench.press('Enter');
    await network.noRow('second.txt');
    await command('Peershelf: Clear Filter');
    await network.row('second.txt');
    await command('Peershelf: Group by Folder');
    await network.noRow('Bob');
    await command('Peershelf: Group by Peer');
    await network.row('Bob');
  });

  it('presses a button of the search: a part of the name; Tab to the buttons, arrow, Enter', async () => {
    const { workbench } = window;
    await lookFor('second', 'second.txt');
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
    await focusOn('Network Files');
    await workbench.press('Home');
    await row('second.txt');
    await menu('Fetch To…');
    const place = path.join(workspace, 'elsewhere.txt');
    // Nothing but keys in there, too.
    await workbench.fileDialog.choose('Fetch second.txt To', place);
    await workbench.notifications.shown(/Fetched elsewhere\.txt from Bob/u);
    assert.equal(readFileSync(place, 'utf8'), 'second of Bob');
  });

  it('fetches into a folder: Ctrl+Shift+E; down; Shift+F10, down, Enter, down, Enter; a part of the name, Enter', async () => {
    const { workbench, workspace } = window;
    mkdirSync(path.join(workspace, 'here'));
    await workbench.press('ControlOrMeta+Shift+E');
    await workbench.explorer.shows('here');
    await workbench.page.locator('.explorer-folders-view .monaco-list:focus').waitFor();
    await workbench.press('Home');
    await arrowTo('here', () => focused('.explorer-folders-view .monaco-list-row'));
    await menu('Peershelf');
    await workbench.page.locator('.monaco-submenu').waitFor();
    await menuEntry('Fetch Here…');
    await workbench.quickPick.opened({ title: /Fetch into here/u });
    await take('second', 'second.txt');
    await workbench.notifications.shown(/Fetched here\/second\.txt/u);
    assert.equal(readFileSync(path.join(workspace, 'here/second.txt'), 'utf8'), 'second of Bob');
  });

  it('pings and browses: F1, Focus on Peers View, Enter; down; Shift+F10, down, Enter', async () => {
    const { workbench } = window;
    await command('Peershelf: Focus on Peers View');
    await workbench.view('Peers').row('Bob');
    await focusOn('Peers');
    await row('Bob');
    await menu('Ping');
    await workbench.notifications.shown(/Bob is online/u);
    await focusOn('Peers');
    await row('Bob');
    await menu('Browse Files');
    const isChosen = async (): Promise<boolean> =>
      (await workbench.view('Network Files').row('Bob')).selected;
    await until('Bob chosen in Network Files', isChosen);
  });

  it('pauses, resumes, cancels and retries: F1, Focus on Transfers View, Enter; down; Shift+F10, down, Enter', async () => {
    const { workbench } = window;
    const transfers = workbench.view('Transfers');
    await bob.publish('large.bin', LARGE);
    await search('large', 'large.bin');
    await transfers.row('large.bin', /\d+ % · .*\/s/u);
    for (const [title, state] of [
      ['Pause', /^paused/u],
      ['Resume', /\d+ % · .*\/s/u],
      ['Cancel', /^cancelled/u],
      ['Retry', /\d+ % · .*\/s/u],
      ['Cancel', /^cancelled/u],
    ] as const) {
      await focusOn('Transfers');
      await workbench.press('Home');
      await row('large.bin');
      await menu(title);
      await transfers.row('large.bin', state);
    }
    assert.equal(existsSync(path.join(window.workspace, 'shared/large.bin')), false);
  });

  it('joins with an invite: F1, Join Team Session, Enter; the invite pasted, Enter', async () => {
    const { workbench } = window;
    const team = await startTeam(cleanup);
    await (await team.join({ settings: { displayName: 'Ann' } })).publish('ann.txt', 'of Ann');
    await command('Peershelf: Join Team Session…');
    await workbench.inputBox.opened({ title: 'Join Team Session' });
    await workbench.page.keyboard.insertText(team.invite);
    await workbench.press('Enter');
    await workbench.notifications.shown(/Joined the session Team/u);
    await workbench.view('Network Files').row('ann.txt');
  });

  it('starts a session and invites: F1, Start Team Session, Enter; down, Enter; F1, Copy Invite, Enter', async () => {
    const { workbench } = window;
    await command('Peershelf: Start Team Session (Local Tracker)');
    await workbench.quickPick.opened({ title: 'Start Team Session (Local Tracker)' });
    const answers = (): Promise<string[]> => focused('.quick-input-list .monaco-list-row');
    await arrowTo('Only this computer', answers);
    await workbench.press('Enter');
    await workbench.statusBarItem(/Gil's session: 0 other peers/u);
    await command('Peershelf: Copy Invite');
    await workbench.notifications.shown(/is on the clipboard/u);
    assert.match(await workbench.clipboard(), /^Join the Peershelf session "Gil's session"/u);
  });

  it('joins again when it publishes: F1, Leave Team Session, Enter; F1, Publish to Network, Enter; down, Enter', async () => {
    const { workbench } = window;
    await command('Peershelf: Leave Team Session');
    await workbench.view('Network Files').welcomed(/Start a session on this computer/u);
    await workbench.press('ControlOrMeta+p');
    await workbench.quickPick.opened();
    await workbench.type('own.txt');
    await arrowTo('own.txt', () => focused('.quick-input-list .monaco-list-row'));
    await workbench.press('Enter');
    await workbench.editorShows(/own\.txt/u, /mine/u);
    await command('Peershelf: Publish to Network');
    await workbench.quickPick.opened({ title: 'Publish to Network' });
    await arrowTo('Rejoin Team', () => focused('.quick-input-list .monaco-list-row'));
    await workbench.press('Enter');
    await workbench.notifications.shown(/Published own\.txt/u);
    await workbench.view('Network Files').row('ann.txt');
  });
});
