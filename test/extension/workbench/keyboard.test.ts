import * as assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { until } from '../../support/parts/waits';
import type { PeerWindow } from '../../support/peerWindows';
import { startPeerOf, type TestPeer } from '../../support/startPeer';
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
  /** A part of a name in the search, which then has this row, and Enter. */
  const search = async (text: string, name: string): Promise<void> => {
    const { workbench } = window;
    await command('Peershelf: Fetch from Network…');
    await workbench.quickPick.opened({ title: /Fetch from Network/u });
    await workbench.type(text);
    // The answer to all that was typed: what stands there before is nobody's choice.
    await workbench.quickPick.opened({ title: /: 1 file$/u });
    assert.ok(await workbench.quickPick.offers(name, 5_000));
    await workbench.quickPick.takeFocused();
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
    await arrowTo(title, () =>
      page.locator('.monaco-menu .action-item.focused .action-label').allTextContents(),
    );
    await window.workbench.press('Enter');
  };

  it('publishes the open file: Ctrl+P, its name, Enter; F1, Publish to Network, Enter', async () => {
    const { workbench } = window;
    await workbench.press('ControlOrMeta+p');
    await workbench.quickPick.opened();
    await workbench.type('own.txt');
    await workbench.quickPick.offers('own.txt', 5_000);
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
    await command('Peershelf: Focus on Network Files View');
    await row('second.txt');
    await menu('Open Without Fetching');
    await workbench.editorShows(/second\.txt/u, /second of Bob/u);
  });

  it('compares two rows: F1, Focus on Network Files View, Enter; Home, down; Ctrl+Shift+Enter, Shift+down; Shift+F10, down, Enter', async () => {
    const { workbench } = window;
    await command('Peershelf: Focus on Network Files View');
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
    await command('Peershelf: Focus on Published Files View');
    await row('own.txt');
    await menu('Unpublish from Network');
    await workbench.view('Published Files').welcomed(/Nothing is published/u);
  });

  it('clears what has ended: F1, Focus on Transfers View, Enter; F1, Clear Finished, Enter', async () => {
    const { workbench } = window;
    await command('Peershelf: Focus on Transfers View');
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
    await command('Peershelf: Focus on Network Files View');
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
    await command('Peershelf: Focus on Transfers View');
    await workbench.press('Home');
    await row('second.txt');
    await menu('Offer This Too');
    await workbench.notifications.shown(/Published shared\/second\.txt/u);
    await command('Peershelf: Focus on Transfers View');
    await row('second.txt');
    await menu('Reveal');
    await workbench.explorer.shows('second.txt');
  });

  it('filters and groups: F1, Filter, Enter; words, Enter; F1, Clear Filter, Group by …, Enter', async () => {
    const { workbench } = window;
    const network = workbench.view('Network Files');
    await command('Peershelf: Focus on Network Files View');
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

  it('pings and browses: F1, Focus on Peers View, Enter; down; Shift+F10, down, Enter', async () => {
    const { workbench } = window;
    await command('Peershelf: Focus on Peers View');
    await workbench.view('Peers').row('Bob');
    await command('Peershelf: Focus on Peers View');
    await row('Bob');
    await menu('Ping');
    await workbench.notifications.shown(/Bob is online/u);
    await command('Peershelf: Focus on Peers View');
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
      await command('Peershelf: Focus on Transfers View');
      await workbench.press('Home');
      await row('large.bin');
      await menu(title);
      await transfers.row('large.bin', state);
    }
  });
});
