import * as assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import type { Locator } from 'playwright-core';
import { eventually, until } from '../../support/parts/waits';
import type { PeerWindow } from '../../support/peerWindows';
import { startPeerOf, type TestPeer } from '../../support/startPeer';
import { startTracker } from '../../support/startTracker';
import { changeSetting, fetchByPalette, publish } from '../../support/userActions';
import { useWindows } from '../../support/useWindows';

/** A proxy that nobody listens at: nothing of ours may go through it. */
const PROXY = { 'http.proxy': 'http://127.0.0.1:9', 'http.proxySupport': 'override' };

/** Published one by one, and by source control from a folder of two. */
const SINGLE = ['app/first.txt', 'app-2/second.txt', 'three/third.txt'];
const IN_FOLDERS = ['changed/a.txt', 'changed/b.txt', 'more/c.txt', 'more/d.txt'];

/** What happens to a window while it shares: several folders, settings, restarts. */
describe('a window with several folders', () => {
  const { windows, cleanup } = useWindows();
  let window: PeerWindow;
  let bob: TestPeer;
  let folder = '';

  before(async () => {
    const { address } = await startTracker(cleanup);
    bob = await startPeerOf(cleanup, 'Bob', address);
    await bob.publish('theirs.txt', 'of Bob');
    folder = await cleanup.temporaryFolder('peershelf-roots-');
    write('one/app/first.txt', 'first');
    write('two/app/second.txt', 'second');
    write('three/third.txt', 'third');
    const workspace = path.join(folder, 'roots.code-workspace');
    const folders = [{ path: 'one/app' }, { path: 'two/app' }];
    writeFileSync(workspace, JSON.stringify({ folders }));
    window = await windows.add('Erin', {
      workspace,
      fixture: true,
      tracker: address,
      userSettings: { ...PROXY, 'scm.defaultViewMode': 'tree' },
    });
    await window.workbench.showsRoot('app');
    await window.workbench.statusBarItem(/1 other peer/u);
  });

  const write = (name: string, content: string): void => {
    const file = path.join(folder, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, content);
  };
  /** Everything of this window that others are offered. */
  const offered = async (): Promise<string[]> => {
    const files = await bob.peer.networkFiles({ limit: 100 });
    return files.files.map(({ name }) => name).sort();
  };
  const offers = (...names: string[]): Promise<unknown> =>
    eventually(
      async () => ((await offered()).join() === names.sort().join() ? true : undefined),
      `offered: ${names.join(', ')}`,
    );

  it('publishes from folders that are called alike under names that are not', async () => {
    await publish(window.workbench, 'first.txt');
    await publish(window.workbench, 'second.txt');
    await offers('app/first.txt', 'app-2/second.txt');
  });

  it('keeps what is published when a folder is added, and publishes from that', async () => {
    const { workbench } = window;
    await workbench.runCommand('Fixture: Add Folder');
    await workbench.inputBox.opened({ title: 'Folder' });
    await workbench.inputBox.answer(path.join(folder, 'three'));
    await workbench.explorer.shows('three');
    await offers('app/first.txt', 'app-2/second.txt');
    await workbench.explorer.openFolder('three');
    await publish(workbench, 'third.txt');
    await offers(...SINGLE);
  });

  it('publishes what source control shows as changed', async () => {
    const { workbench } = window;
    const git = (...args: string[]): unknown =>
      execFileSync('git', args, { cwd: path.join(folder, 'two/app'), stdio: 'ignore' });
    git('init');
    for (const name of IN_FOLDERS) write(`two/app/${name}`, name);
    await workbench.openView('Source Control');
    await workbench.runCommand('Git: Refresh');
    const row = (name: string): Locator =>
      workbench.page.locator('.scm-view .monaco-list-row', { hasText: name }).first();
    const publishRows = (names: readonly string[], published: RegExp): Promise<unknown> =>
      until(`${names.join()} published`, async () => {
        for (const [index, name] of names.entries())
          await row(name).click({ modifiers: index === 0 ? [] : ['Control'] });
        await workbench.menu.openOn(row(names.at(-1) ?? ''));
        await workbench.menu.choose('Publish to Network');
        const text = await workbench.notifications.shown(/Published|The list was just changing/u);
        await workbench.notifications.clear(); // Source control lists anew whenever it likes.
        return published.test(text);
      });
    await publishRows(['second.txt'], /Published app-2\/second\.txt/u);
    await publishRows(['changed'], /Published 2 files/u);
    await publishRows(['c.txt', 'd.txt'], /Published 2 files/u);
    await offers(...SINGLE, ...IN_FOLDERS.map((name) => `app-2/${name}`));
  });

  it('fetches into the first folder, and where a setting says from then on', async () => {
    const { workbench } = window;
    const fetch = async (): Promise<void> => {
      await fetchByPalette(workbench, 'theirs.txt');
      await workbench.notifications.shown(/Fetched/u);
    };
    await fetch();
    const inFolder = (name: string): string =>
      readFileSync(path.join(folder, 'one/app', name, 'theirs.txt'), 'utf8');
    assert.equal(inFolder('shared'), 'of Bob');
    await workbench.notifications.clear();
    await changeSetting(workbench, 'peershelf.fetchFolder', 'from others');
    await fetch();
    assert.equal(inFolder('from others'), 'of Bob');
  });

  it('publishes a changed file again as soon as a setting says so, in one folder or in all', async () => {
    const { workbench } = window;
    await workbench.openView('Peershelf');
    const published = workbench.view('Published Files');
    const offersAs = (name: string, size: number): Promise<true> =>
      eventually(async () => {
        const { files } = await bob.peer.networkFiles({ limit: 100 });
        return files.some((file) => file.name === name && file.sizeBytes === size) || undefined;
      }, 'the new content offered');
    write('one/app/first.txt', 'first, changed');
    write('two/app/second.txt', 'second, changed');
    await published.row('app/first.txt', /changed since published/u);
    await published.row('app-2/second.txt', /changed since published/u);
    write('one/app/.vscode/settings.json', '{ "peershelf.autoRepublish": true }');
    await published.row('app/first.txt', /^14 B$/u);
    await offersAs('app/first.txt', 14);
    await published.row('app-2/second.txt', /changed since published/u);
    await changeSetting(workbench, 'peershelf.autoRepublish', true);
    await published.row('app-2/second.txt', /^15 B$/u);
    await offersAs('app-2/second.txt', 15);
  });

  it('goes when its extensions are disabled, and offers everything again when they are enabled', async () => {
    const { workbench } = window;
    const isHere = async (): Promise<boolean> =>
      (await bob.peer.networkPeers()).some(({ state }) => state === 'online');
    await workbench.runCommand('Extensions: Disable All Installed Extensions for this Workspace');
    await workbench.reload();
    await eventually(async () => ((await isHere()) ? undefined : true), 'gone');
    // They run at once then.
    await workbench.runCommand('Extensions: Enable All Extensions for this Workspace');
    await workbench.statusBarItem(/1 other peer/u);
    await eventually(async () => ((await isHere()) ? true : undefined), 'here again');
    await offers(...SINGLE, ...IN_FOLDERS.map((name) => `app-2/${name}`));
  });
});
