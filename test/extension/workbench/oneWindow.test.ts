import * as assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { formatHostPort } from '../../../src/protocol/address';
import type { PeerWindow } from '../../support/peerWindows';
import { startRelay } from '../../support/relay';
import { startPeer, type TestPeer } from '../../support/startPeer';
import { startTracker } from '../../support/startTracker';
import { publish } from '../../support/userActions';
import { useWindows } from '../../support/useWindows';

/** One more address of this computer. */
const ELSEWHERE = '127.0.0.3';
const START = 'Start Team Session (Local Tracker)';

/** What one user is asked and told, and what comes of the answers. */
describe('one window', () => {
  const { windows, cleanup } = useWindows();
  let window: PeerWindow;
  let bob: TestPeer;
  let address = '';

  before(async () => {
    const { address: tracker } = await startTracker(cleanup);
    // The tracker sees the window come from an address where nobody listens.
    const relay = await startRelay(cleanup, tracker.port, ELSEWHERE);
    address = formatHostPort({ host: '127.0.0.1', port: relay.port });
    bob = await startPeer(cleanup, { tracker, settings: { hostname: 'bob', displayName: 'Bob' } });
    for (const name of ['a.txt', 'b.txt', 'package.json', 'sub/Makefile'])
      await bob.publish(name, `${name} of Bob`);
    window = await windows.add('Erin', {
      files: { 'own.txt': 'mine' },
      machineSettings: { 'peershelf.advertiseAddress': ELSEWHERE },
    });
  });

  it('is asked how to connect when it publishes, and then publishes', async () => {
    const { workbench } = window;
    await workbench.statusBarItem(/Peershelf/u);
    await publish(workbench, 'own.txt');
    await workbench.quickPick.opened({ title: 'Publish to Network' });
    await workbench.quickPick.choose(START);
    await workbench.quickPick.choose(/Only this computer/u);
    await workbench.notifications.shown(/Published own\.txt/u);
    await workbench.openView('Peershelf');
    await workbench.view('Published Files').row('own.txt');
  });

  it('joins its running tracker again instead of starting another', async () => {
    const { workbench } = window;
    await workbench.runCommand(`Peershelf: ${START}`);
    await workbench.notifications.shown(/Joined the session Erin's session, which runs on this/u);
    await workbench.view('Published Files').row('own.txt');
  });

  it('stays in its session when the address of another is wrong', async () => {
    const { workbench } = window;
    await workbench.runCommand('Peershelf: Connect to Open Tracker…');
    await workbench.inputBox.answer('127.0.0.1:1');
    await workbench.notifications.shown(/Cannot reach the tracker \(127\.0\.0\.1:1\)/u);
    await workbench.statusBarItem(/Erin's session: 0 other peers/u);
    await workbench.view('Published Files').row('own.txt');
  });

  it('stops its tracker without a question when nobody else is there', async () => {
    const { workbench } = window;
    await workbench.clickStatusBarItem(/0 other peers/u);
    await workbench.quickPick.choose(/Stop Local Tracker/u);
    await workbench.notifications.shown(/The local tracker was stopped/u);
    await workbench.view('Network Files').welcomed(/Start a session on this computer/u);
  });

  it('offers nothing of one session in another', async () => {
    const { workbench } = window;
    await workbench.view('Network Files').welcomeAction('Connect to Open Tracker…');
    await workbench.inputBox.answer(address);
    await workbench.view('Network Files').row('Bob', /4 files/u);
    await workbench.view('Published Files').welcomed(/Nothing is published from this window/u);
  });

  it('says what to do when the tracker finds that others cannot reach it', async () => {
    const { workbench } = window;
    await publish(workbench, 'own.txt');
    await workbench.notifications.shown(/Published own\.txt/u);
    await workbench.openView('Peershelf');
    await workbench
      .view('Published Files')
      .says(/^Others cannot reach this computer\. Allow port \d+ in its firewall/u);
  });

  it('fetches what it can of a selection, asks once about what is risky, and tells all at once', async () => {
    const { workbench } = window;
    const network = workbench.view('Network Files');
    const all = ['a.txt', 'b.txt', 'package.json', 'Makefile'];
    await network.open('sub');
    // Changed, not deleted: what is gone is taken back after a while.
    writeFileSync(await bob.publish('old.txt'), 'other content');
    await network.row('old.txt');
    await network.contextMenu([...all, 'old.txt'], 'Fetch from Network…');
    const { message, detail } = await workbench.dialog.opened();
    assert.match(message, /Fetch 2 files that can make programs run/u);
    assert.match(detail, /shared\/package\.json from Bob/u);
    await workbench.dialog.press('Cancel');
    const told = await workbench.notifications.shown(/Of 5 files: 2 fetched, 2 skipped, 1 failed/u);
    assert.match(told, /old\.txt: Bob has changed the file since it was published/u);
    const read = (name: string): string =>
      readFileSync(path.join(window.workspace, 'shared', name), 'utf8');
    assert.equal(read('a.txt'), 'a.txt of Bob');
    assert.equal(read('b.txt'), 'b.txt of Bob');
    assert.throws(() => read('package.json'), /ENOENT/u);
  });

  it('shows in the explorer what it has fetched', async () => {
    const { workbench } = window;
    const network = workbench.view('Network Files');
    await network.select('a.txt');
    await network.inlineAction('a.txt', 'Fetch from Network…');
    await workbench.notifications.press(/shared\/a\.txt is here already/u, 'Reveal');
    await workbench.explorer.shows('a.txt');
    await workbench.openView('Peershelf');
  });

  it('keeps the chosen row of the search when the network changes', async () => {
    const { workbench } = window;
    await workbench.runCommand('Peershelf: Fetch from Network…');
    await workbench.quickPick.opened({ title: /5 files/u });
    await workbench.press('ArrowDown');
    await bob.publish('0 first.txt');
    await workbench.quickPick.opened({ title: /6 files/u });
    await workbench.press('Enter');
    await workbench.notifications.shown(/shared\/b\.txt is here already/u);
  });
});
