import * as assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import * as path from 'node:path';
import { formatHostPort, parseHostPort } from '../../../src/protocol/address';
import { registerHost, startMisbehavingPeer } from '../../support/misbehavingPeer';
import { eventually } from '../../support/parts/waits';
import type { PeerWindow } from '../../support/peerWindows';
import { startPeer, type TestPeer } from '../../support/startPeer';
import { startTracker } from '../../support/startTracker';
import { publish } from '../../support/userActions';
import { useWindows } from '../../support/useWindows';

/** Text of somebody who wants to be more than text. */
const HOSTILE = '[x](command:workbench.action.quit) $(error)';
const SHOWN = '[x] (command:workbench.action.quit) $ (error)';

/** Hosts whose files have names that are no paths. */
const SLASHES = 'slashes';

/** A window that is not simply connected and trusted. */
describe('states of a window', () => {
  const { windows, cleanup } = useWindows();
  let window: PeerWindow;
  let mallory: TestPeer;
  let address = '';

  before(async () => {
    const { address: tracker } = await startTracker(cleanup);
    address = formatHostPort(tracker);
    mallory = await startPeer(cleanup, {
      tracker,
      settings: { hostname: HOSTILE, displayName: HOSTILE },
    });
    await mallory.publish('notes.txt', 'from outside');
    await mallory.publish(`${HOSTILE}.txt`, 'x');
    await mallory.publish('.vscode/tasks.json', '{}');
    window = await windows.add('Carol', {
      trust: 'restricted',
      files: { 'own.txt': 'mine' },
      tracker,
    });
  });

  const listedHosts = async (): Promise<string[]> => {
    await mallory.peer.refreshNetwork();
    const hosts = (await mallory.peer.networkPeers()).map(({ hostname }) => hostname);
    return hosts.filter((hostname) => !hostname.startsWith(SLASHES));
  };

  it('does not connect by itself in Restricted Mode, and says what is possible', async () => {
    const { workbench } = window;
    await workbench.openView('Peershelf');
    await workbench.view('Network Files').welcomed(/Restricted Mode/u);
    await workbench.view('Published Files').welcomed(/needs a trusted workspace/u);
    await workbench.statusBarItem(/^\s*Peershelf\s*$/u);
    // The tracker has never heard of it.
    assert.deepEqual(await listedHosts(), []);
  });

  it('offers no publishing in Restricted Mode', async () => {
    const { workbench } = window;
    await workbench.openView('Explorer');
    const titles = await workbench.explorer.contextMenuTitles('own.txt');
    assert.equal(titles.includes('Publish to Network'), false);
    const inPalette = await workbench.paletteTitles('Peershelf: Publish to Network');
    assert.equal(inPalette.includes('Peershelf: Publish to Network'), false);
  });

  it('looks at what others offer in Restricted Mode, when the user connects', async () => {
    const { workbench } = window;
    await workbench.openView('Peershelf');
    await workbench.view('Network Files').welcomeAction('Connect to Open Tracker…');
    await workbench.inputBox.answer(address);
    await workbench.view('Network Files').row('notes.txt');
    assert.deepEqual(await listedHosts(), []);
  });

  it('shows text of others as text, in the tree, the quick pick and messages', async () => {
    const { workbench } = window;
    const network = workbench.view('Network Files');
    await network.row(SHOWN, /3 files/u);
    await network.row(`${SHOWN}.txt`);
    await network.inlineAction(`${SHOWN}.txt`, 'Fetch from Network…');
    const told = await workbench.notifications.shown(/Fetched shared/u);
    assert.ok(told.includes(SHOWN), told);
    await workbench.runCommand('Peershelf: Fetch from Network…');
    await workbench.quickPick.type('notes');
    await workbench.quickPick.opened({ title: /Fetch from Network: 1 file$/u });
    const [item] = await workbench.quickPick.items();
    assert.ok(JSON.stringify(item).includes(SHOWN), JSON.stringify(item));
    await workbench.quickPick.cancel();
  });

  it('lists every file, whatever its name and its host are', async () => {
    const tracker = parseHostPort(address);
    const register = (hostname: string, names: string[]): Promise<void> => {
      const files = Object.fromEntries(names.map((name) => [name, 1]));
      const nobody = { host: '127.0.0.1', port: 1 };
      return registerHost(cleanup, tracker, { hostname, address: nobody, files });
    };
    const names = ['/abs', '//two', 'ends/', 'back\\slash', 'a b', 'x y'];
    // As their rows are called, in order, when the folders in their names are open.
    const rows = ['notes.txt', 'two', 'abs', 'ends/', 'a b', 'back\\slash', 'x y', 'y'];
    await register(SLASHES, names);
    // Joined by spaces, host and name of this file would be those of one above.
    await register(`${SLASHES} x`, ['y']);
    const network = window.workbench.view('Network Files');
    await window.workbench.runCommand('Peershelf: Refresh Network Files');
    await network.row(SLASHES, /6 files/u);
    await network.open('ends');
    await network.open('/');
    await network.open('//');
    for (const name of rows) await network.reach(name);
    await network.select('y');
    await window.workbench.press('Home');
  });

  it('asks before it fetches to where programs would run', async () => {
    const { workbench } = window;
    const network = workbench.view('Network Files');
    await network.open('.vscode');
    await network.inlineAction('tasks.json', 'Fetch from Network…');
    const { message, detail } = await workbench.dialog.opened();
    assert.match(message, /Fetch shared\/\.vscode\/tasks\.json/u);
    assert.match(detail, /can make programs run/u);
    await workbench.dialog.press('Cancel');
    assert.equal(existsSync(path.join(window.workspace, 'shared/.vscode')), false);
  });

  it('can publish as soon as the workspace is trusted', async () => {
    const { workbench } = window;
    await workbench.trustFolder();
    await publish(workbench, 'own.txt');
    await workbench.notifications.shown(/Published own\.txt/u);
    assert.equal((await listedHosts()).length, 1);
    await eventually(async () => {
      const titles = await workbench.explorer.contextMenuTitles('own.txt');
      const isOther = titles.includes('Unpublish from Network');
      return (isOther && !titles.includes('Publish to Network')) || undefined;
    }, 'the menu offers to take it back');
  });

  it('works side by side with a second window of the same user on the same folder', async () => {
    const second = await windows.addWindow(window);
    await second.openView('Peershelf');
    await second.view('Network Files').row('own.txt');
    await second.view('Published Files').welcomed(/Nothing is published from this window/u);
    await publish(second, 'own.txt');
    // The first window offers it already, and this one says so.
    await second.notifications.press(/offers own\.txt with the same content/u, 'Publish Anyway');
    await second.notifications.shown(/Published own\.txt/u);
    const hosts = await listedHosts();
    assert.equal(hosts.length, 2);
    await second.close();
    await eventually(async () => (await listedHosts()).length === 1 || undefined, 'its goodbye');
  });

  it('says goodbye when its window is closed', async () => {
    await window.workbench.close();
    await eventually(async () => (await listedHosts()).length === 0 || undefined, 'its goodbye');
    window = await windows.add('Dave', {
      files: { 'own.txt': 'mine' },
      machineSettings: { 'peershelf.tracker': '127.0.0.1:1' },
    });
  });

  it('says that its tracker cannot be reached, keeps trying, and can be told to stop', async () => {
    const { workbench } = window;
    await workbench.statusBarItem(/Tracker not reached/u);
    await workbench.openView('Peershelf');
    const network = workbench.view('Network Files');
    await network.welcomed(/Not connected\. Trying again by itself/u);
    await publish(workbench, 'own.txt');
    await workbench.notifications.shown(
      /Published own\.txt\. Others can fetch it when the tracker/u,
    );
    await workbench.runCommand('Peershelf: Fetch from Network…');
    await workbench.notifications.shown(/The tracker at 127\.0\.0\.1:1 cannot be reached now/u);
    await workbench.openView('Peershelf');
    await network.welcomeAction('Leave Team Session');
    await network.welcomed(/Start a session on this computer/u);
  });

  it('shows progress, and cancels a fetch at the press of a button', async () => {
    const slow = await startMisbehavingPeer(cleanup, (socket) => {
      socket.once('data', () => socket.write('LENGTH 100\nonly a part'));
    });
    const tracker = parseHostPort(address);
    // Among the first: only rows in sight exist.
    await registerHost(cleanup, tracker, {
      hostname: 'a slow',
      address: slow,
      files: { big: 100 },
    });
    const { workbench } = window;
    await workbench.runCommand('Peershelf: Connect to Open Tracker…');
    await workbench.inputBox.answer(address);
    const network = workbench.view('Network Files');
    await network.row('big');
    await network.inlineAction('big', 'Fetch from Network…');
    await workbench.notifications.press(/Fetching big from a slow: 11 %/u, 'Cancel');
    await workbench.notifications.gone(/Fetching big/u);
    // The message goes at once, the engine then cleans up.
    const left = (): string[] => readdirSync(path.join(window.workspace, 'shared'));
    await eventually(() => left().length === 0 || undefined, 'nothing is left');
  });

  it('goes back to its session when it cannot join another one', async () => {
    const { workbench } = window;
    await workbench.runCommand('Peershelf: Connect to Open Tracker…');
    await workbench.inputBox.answer('127.0.0.1:1');
    await workbench.notifications.shown(/Cannot reach the tracker \(127\.0\.0\.1:1\)/u);
    await workbench.statusBarItem(/other peers? \(open\)/u);
    await workbench.view('Network Files').row('notes.txt');
  });

  it('without a folder, offers to open one, and to look at what others offer', async () => {
    const { workbench, server } = window;
    await workbench.goto(server.url(undefined));
    await workbench.statusBarItem(/Tracker not reached/u);
    await workbench.openView('Peershelf');
    await workbench.view('Network Files').welcomeAction('Leave Team Session');
    await workbench.view('Network Files').welcomed(/Open a folder to share files/u);
    await workbench.view('Published Files').welcomed(/Open a folder to publish/u);
    await workbench.view('Network Files').welcomeAction('Connect to Open Tracker…');
    await workbench.inputBox.answer(address);
    await workbench.view('Network Files').row('notes.txt');
    await workbench.runCommand('Peershelf: Leave Team Session');
    await workbench.view('Network Files').welcomed(/Open a folder to share files/u);
  });

  it('names the cause and the next step when a connection fails, and shows the log', async () => {
    const { workbench } = window;
    await workbench.runCommand('Peershelf: Connect to Open Tracker…');
    await workbench.inputBox.answer('127.0.0.1:1');
    const message = /Cannot reach the tracker \(127\.0\.0\.1:1\)\. Check that it runs/u;
    await workbench.notifications.shown(message);
    await workbench.notifications.press(message, 'Show Log');
    await workbench.page
      .locator('.output-view-content, .output.panel, [id="workbench.panel.output"]')
      .first()
      .waitFor();
    await workbench.view('Network Files').welcomed(/Open a folder/u);
  });
});
