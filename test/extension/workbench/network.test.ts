import * as assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { errors } from 'playwright-core';
import { PICTURES } from '../../../scripts/host/paths';
import type { HostPort } from '../../../src/protocol/address';
import { until } from '../../support/parts/waits';
import type { PeerWindow } from '../../support/peerWindows';
import { RawClient } from '../../support/rawClient';
import { startPeer, type TestPeer } from '../../support/startPeer';
import { startTracker } from '../../support/startTracker';
import { useWindows } from '../../support/useWindows';

/** More than VS Code is given at once. */
const MANY = 620;
/** A window has begun to load its new workspace by then, also on a busy machine. */
const ENTERED_MS = 20_000;
/** Of one button, while everything around it changes. */
const PRESSES = 5;
/** What a key does is seen by then, unless it was forgotten. */
const KEY_MS = 3_000;
/** No sidebar of VS Code is narrower than 170. */
const NARROW_PIXELS = 180;

/** What one user sees of others. Every test builds on the one before. */
describe('the views of the network', () => {
  const { windows, cleanup } = useWindows();
  let window: PeerWindow;
  let tracker: HostPort;
  let bob: TestPeer;

  before(async () => {
    ({ address: tracker } = await startTracker(cleanup));
    const start = (hostname: string, displayName: string): Promise<TestPeer> =>
      startPeer(cleanup, { tracker, settings: { hostname, displayName }, presence: true });
    bob = await start('bob', 'Bob');
    await bob.publish('docs/guide.txt', 'the guide');
    await bob.publish('docs/deep/more.txt', 'more');
    await bob.publish('differs.txt', 'of Bob');
    await bob.publish('news.txt', 'news');
    await bob.publish('same.txt', 'equal');
    const eve = await start('eve', 'Eve');
    await eve.publish('docs/guide.txt', 'the guide');
    const names = Array.from({ length: MANY }, (_, index) => `many/f${1_000 + index}`);
    const files = names.map((name) => ({ name, path: eve.write(name, name), folder: eve.folder }));
    await eve.peer.publish({ files });
    window = await windows.add('Fay', {
      fixture: true,
      files: {
        ...{ 'same.txt': 'equal', 'differs.txt': 'of Fay', 'own.txt': 'mine' },
        'unwatched/own.txt': 'mine',
      },
      tracker,
      userSettings: { 'files.watcherExclude': { '**/unwatched/**': true } },
    });
    await window.workbench.openView('Peershelf');
  });

  it('shows folders below peers, and says in words what the workspace has', async () => {
    const { workbench, workspace } = window;
    const network = workbench.view('Network Files');
    await network.row('Bob', '5 files');
    await network.row('Eve', '621 files');
    const { ariaLabel } = await network.row('same.txt', 'same · 5 B');
    assert.match(ariaLabel, /^same\.txt, Bob, 5 B, published .*, same/u);
    await network.row('differs.txt', 'different · 6 B');
    await network.row('news.txt', 'new · 4 B');
    await network.fold('Eve');
    await network.open('docs');
    await network.row('guide.txt', 'new · 9 B');
    await network.row('deep', '1 file');
    // What happens in the workspace is seen, whoever does it.
    writeFileSync(path.join(workspace, 'differs.txt'), 'of Bob');
    await network.row('differs.txt', 'same · 6 B');
    await network.inlineAction('news.txt', 'Fetch from Network…');
    await workbench.notifications.shown(/Fetched shared\/news\.txt from Bob/u);
    await network.row('news.txt', 'same · 4 B');
  });

  it('sees in a while what happens in the workspace where the editor does not watch', async () => {
    const { workbench, workspace } = window;
    const network = workbench.view('Network Files');
    await bob.publish('unwatched/late.txt', 'of Bob');
    await network.open('unwatched');
    await network.row('late.txt', 'new · 6 B');
    writeFileSync(path.join(workspace, 'unwatched/late.txt'), 'of Bob');
    await network.row('late.txt', 'same · 6 B');
    await bob.peer.unpublish({ names: ['unwatched/late.txt'] });
    await network.noRow('unwatched');
  });

  it('draws again only what a change is about: the others keep their place', async () => {
    const network = window.workbench.view('Network Files');
    await network.select('same.txt');
    await bob.publish('docs/later.txt', 'later');
    await network.row('later.txt', 'new · 5 B');
    await network.row('Bob', '6 files');
    assert.equal((await network.row('same.txt')).selected, true);
    assert.equal((await network.row('Eve')).expanded, false);
    assert.equal((await network.row('docs')).expanded, true);
  });

  it('takes every press of a button while others publish all the time', async () => {
    const { workbench } = window;
    const network = workbench.view('Network Files');
    const over = new AbortController();
    const publishing = (async () => {
      for (let index = 0; !over.signal.aborted; index += 1)
        await bob.publish(`docs/deep/${index}.txt`);
    })();
    try {
      for (let press = 0; press < PRESSES; press += 1) {
        await network.inlineAction('differs.txt', 'Open Without Fetching');
        await workbench.editorShows(/differs\.txt/u, /of Bob/u);
        await workbench.runCommand('View: Close Editor');
      }
    } finally {
      over.abort();
      await publishing;
      const { published } = await bob.peer.snapshot();
      const names = published.map(({ name }) => name).filter((name) => /\d\.txt$/u.test(name));
      await bob.peer.unpublish({ names });
    }
    assert.deepEqual(await workbench.notifications.texts(), []);
    await network.row('Bob', '6 files');
  });

  it('groups by folder, where equal files of several are one', async () => {
    const network = window.workbench.view('Network Files');
    await network.titleAction('Group by Folder');
    await network.row('docs', '3 files');
    await network.row('same.txt', 'same · 5 B · Bob');
    await network.noRow('Bob');
    await network.open('docs');
    const { ariaLabel } = await network.row('guide.txt', 'new · 9 B · 2 sources');
    assert.match(ariaLabel, /2 sources/u);
    await network.fold('docs');
  });

  it('shows 500 rows below a folder, and more on request', async () => {
    const { workbench } = window;
    const network = workbench.view('Network Files');
    await network.open('many');
    await network.row('f1000');
    await workbench.press('End');
    await network.row('f1499');
    await network.select('Show more… (120 left)');
    // The row that stood for them is gone, and the first ones that it stood for are in its place.
    await network.row('f1500');
    await workbench.press('End');
    await network.row('f1619');
    await workbench.press('Home');
    await network.fold('many');
  });

  it('filters, says so, and shows everything again', async () => {
    const { workbench } = window;
    const network = workbench.view('Network Files');
    await workbench.runCommand('Peershelf: Filter…');
    await workbench.inputBox.answer('GUIDE');
    await network.row('guide.txt');
    await network.noRow('same.txt');
    assert.match(await network.description(), /^filter: GUIDE · open/u);
    await workbench.runCommand('Peershelf: Filter…');
    await workbench.inputBox.answer('no such file');
    await network.welcomed(/Nothing matches the filter/u);
    await network.welcomeAction('Clear Filter');
    await network.row('same.txt');
    assert.match(await network.description(), /^open/u);
  });

  it('is walked through and acted on by keys: F1, Home, End, arrows, Shift+F10, Enter', async () => {
    const { workbench } = window;
    const network = workbench.view('Network Files');
    await workbench.press('F1');
    await workbench.quickPick.type('>Focus on Network Files View');
    await workbench.quickPick.offers(/Focus on Network Files View/u, 2_000);
    await workbench.press('Enter');
    await workbench.quickPick.closed();
    await workbench.press('Home');
    // A key that comes just when the rows are replaced is forgotten.
    const pressUntil = (key: string, done: () => Promise<unknown>): Promise<unknown> =>
      until(`done by ${key}`, async () => {
        await workbench.press(key);
        return done().then(
          () => true,
          () => false,
        );
      });
    await pressUntil('ArrowRight', () => network.row('guide.txt', undefined, KEY_MS));
    await pressUntil('ArrowLeft', () => network.noRow('guide.txt', KEY_MS));
    await workbench.press('End');
    await workbench.press('Shift+F10');
    await workbench.menu.chooseByKeys('Open Without Fetching');
    await workbench.editorShows(/same\.txt/u, /equal/u);
    await workbench.runCommand('View: Close Editor');
  });

  it('says since when somebody is away, also who fetches from there, and that they are back', async () => {
    const { workbench } = window;
    const network = workbench.view('Network Files');
    const register = async (counter: number): Promise<RawClient> => {
      const client = await RawClient.connect(cleanup, tracker);
      await client.ask('HELLO', { versions: [2] });
      // Nobody listens at this port.
      const host = { hostname: 'a carol', display_name: 'Carol', port: 1, instance: 'c', counter };
      assert.equal((await client.ask('REGISTER', host))['status'], 'OK');
      const files = [{ name: 'carols.txt', size: 1, modified: 1 }];
      await client.ask('PUBLISH', { hostname: host.hostname, files });
      return client;
    };
    const carol = await register(1);
    await network.row('carols.txt', 'new · 1 B · Carol');
    await carol.vanish();
    const { ariaLabel } = await network.row(
      'carols.txt',
      /^away since \d\d:\d\d · new · 1 B · Carol$/u,
    );
    assert.match(ariaLabel, /away since \d/u);
    await network.inlineAction('carols.txt', 'Fetch from Network…');
    await workbench.notifications.shown(/Carol is away since \d.* Fetch the file when they are/u);
    await register(2);
    await network.row('carols.txt', 'new · 1 B · Carol');
  });

  it('shows who is here, pings them, and shows what one of them offers', async () => {
    const { workbench } = window;
    const network = workbench.view('Network Files');
    const peers = workbench.view('Peers');
    await peers.expand();
    const { ariaLabel } = await peers.row('Bob', /^online since .* · 6 files$/u);
    assert.match(ariaLabel, /^Bob, online since .*, 6 files$/u);
    await peers.inlineAction('Bob', 'Ping');
    await workbench.notifications.shown(/Bob is online\. The tracker answered in \d+ ms/u);
    await peers.contextMenu(['Bob', 'Eve'], 'Ping');
    await workbench.notifications.shown(/Bob is online.* Eve is online/u);
    await peers.inlineAction('Bob', 'Browse Files');
    await until('Bob chosen and unfolded in Network Files', async () => {
      const row = await network.row('Bob', '6 files');
      return row.selected && row.expanded === true;
    });
    await network.titleAction('Group by Folder');
    await network.row('same.txt', /Bob/u);
  });

  it('fetches a folder by its row, as one operation', async () => {
    const { workbench, workspace } = window;
    const network = workbench.view('Network Files');
    await network.inlineAction('docs', 'Fetch from Network…');
    // A folder is one owner's, unless the user names several.
    await workbench.quickPick.opened({ title: 'Several people offer files in docs/.' });
    for (const owner of await workbench.quickPick.labels()) await workbench.quickPick.toggle(owner);
    await workbench.quickPick.accept();
    await workbench.notifications.shown(/Fetched 3 files/u);
    const read = (name: string): string =>
      readFileSync(path.join(workspace, 'shared/docs', name), 'utf8');
    assert.deepEqual(['guide.txt', 'deep/more.txt'].map(read), ['the guide', 'more']);
  });

  it('marks in the explorer what is published, and what has changed since', async () => {
    const { workbench, workspace } = window;
    await workbench.openView('Explorer');
    await workbench.explorer.decorated('own.txt', '');
    await workbench.explorer.contextMenu('own.txt', 'Publish to Network');
    await workbench.notifications.shown(/Published own\.txt/u);
    await workbench.explorer.decorated('own.txt', 'P');
    writeFileSync(path.join(workspace, 'own.txt'), 'changed');
    await workbench.explorer.decorated('own.txt', 'P≠');
    await workbench.badge('Peershelf', '1');
    await workbench.openView('Peershelf');
    await workbench.view('Published Files').row('own.txt', /changed since published/u);
  });

  it('can be read and worked in a narrow sidebar', async () => {
    const { workbench, workspace } = window;
    const network = workbench.view('Network Files');
    const width = await workbench.narrowSidebar();
    assert.ok(width <= NARROW_PIXELS, `${width} pixels`);
    await network.open('docs');
    for (const name of ['docs', 'guide.txt', 'same.txt']) assert.ok(await network.fits(name), name);
    const file = path.join(workspace, 'shared/docs/guide.txt');
    rmSync(file);
    await network.row('guide.txt', /^new/u);
    await network.inlineAction('guide.txt', 'Fetch from Network…');
    await workbench.notifications.shown(/Fetched shared\/docs\/guide\.txt/u);
    assert.equal(readFileSync(file, 'utf8'), 'the guide');
    await workbench.screenshot(path.join(PICTURES, 'narrow-sidebar.png'));
  });

  it('is grouped as before when the window is loaded again', async () => {
    const { workbench } = window;
    await workbench.reload();
    await workbench.openView('Peershelf');
    const network = workbench.view('Network Files');
    await network.row('docs', '3 files');
    await network.noRow('Bob');
  });

  it('goes on offering when a second folder is added, which makes another workspace of it', async () => {
    const { workbench } = window;
    const second = await cleanup.temporaryFolder('peershelf-second-');
    writeFileSync(path.join(second, 'more.txt'), 'more');
    await until('the workspace of two folders entered', async () => {
      await workbench.runCommand('Fixture: Add Folder');
      await workbench.inputBox.answer(second);
      // The editor in a browser has loaded the folder alone once, instead of the workspace.
      return workbench.entered(/[?&]workspace=/u, ENTERED_MS).then(
        () => true,
        (error: unknown) => {
          if (error instanceof errors.TimeoutError) return false;
          throw error;
        },
      );
    });
    await workbench.openView('Explorer');
    await workbench.showsRoot(path.basename(second));
    await workbench.openView('Peershelf');
    await workbench.view('Published Files').row('own.txt');
    await bob.peer.refreshNetwork();
    const { files } = await bob.peer.networkFiles({ limit: 1_000 });
    assert.ok(files.some(({ hostname, name }) => hostname !== 'eve' && name === 'own.txt'));
    // By the command: a host that nobody takes leave of keeps the place of the window for long.
    await workbench.reloadByCommand();
    await workbench.openView('Peershelf');
    await workbench.view('Published Files').row('own.txt');
  });
});
