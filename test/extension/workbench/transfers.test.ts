import * as assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import * as path from 'node:path';
import type { PeerWindow } from '../../support/peerWindows';
import { startPeer, type TestPeer } from '../../support/startPeer';
import { startTracker } from '../../support/startTracker';
import { fetchByPalette, publish } from '../../support/userActions';
import { useWindows } from '../../support/useWindows';

/** At one megabyte a second there is time to press every button. */
const LARGE = randomBytes(60_000_000);
const SMALL = Buffer.from('a small file');

describe('the view of transfers', () => {
  // A fetch goes on from one test to the next.
  const { windows, cleanup } = useWindows({ keepMessages: true });
  let window: PeerWindow;
  let bob: TestPeer;

  before(async () => {
    const { address } = await startTracker(cleanup);
    bob = await startPeer(cleanup, {
      tracker: address,
      settings: { hostname: 'bob', displayName: 'Bob $(error)' },
    });
    await bob.publish('large.bin', LARGE);
    await bob.publish('small.txt', SMALL);
    window = await windows.add('Erin', {
      files: { 'project/a.ts': 'a', 'project/build/b.js': 'b', 'project/.gitignore': 'build/\n' },
      tracker: address,
      machineSettings: { 'peershelf.maxDownloadMegabytesPerSecond': 1 },
    });
    await window.workbench.openView('Peershelf');
    await window.workbench.view('Network Files').row('large.bin');
  });

  it('says what is shown there while nothing is transferred', async () => {
    await window.workbench.view('Transfers').welcomed(/Nothing is transferred/u);
  });

  it('shows a download with percent, speed and source, and pauses and resumes it', async () => {
    const { workbench } = window;
    const transfers = workbench.view('Transfers');
    await fetchByPalette(workbench, 'large.bin');
    const row = await transfers.row('large.bin', /\d+ % · .*\/s .*from Bob \$ \(error\)/u);
    assert.match(row.ariaLabel, /^Download, large\.bin, /u);
    await transfers.inlineAction('large.bin', 'Pause');
    await transfers.row('large.bin', /^paused · \d+ %/u);
    await transfers.inlineAction('large.bin', 'Resume');
    await transfers.row('large.bin', /\d+ % · .*\/s/u);
  });

  it('cancels it, leaving nothing, and tries it again', async () => {
    const { workbench, workspace } = window;
    const transfers = workbench.view('Transfers');
    await transfers.inlineAction('large.bin', 'Cancel');
    await transfers.row('large.bin', /^cancelled/u);
    assert.equal(existsSync(path.join(workspace, 'shared/large.bin')), false);
    await transfers.inlineAction('large.bin', 'Retry');
    await transfers.row('large.bin', /\d+ % · .*\/s/u);
    await transfers.inlineAction('large.bin', 'Cancel');
  });

  it('offers what was fetched when that is wished for, and not before', async () => {
    const { workbench, workspace } = window;
    const transfers = workbench.view('Transfers');
    await fetchByPalette(workbench, 'small.txt');
    await transfers.row('small.txt', /^done · 12 B/u);
    assert.ok(readFileSync(path.join(workspace, 'shared/small.txt')).equals(SMALL));
    await workbench.view('Published Files').welcomed(/Nothing is published from this window/u);
    await transfers.contextMenu('small.txt', 'Offer This Too');
    // Without the question that others offer it, as that is where it comes from.
    await workbench.notifications.shown(/Published shared\/small\.txt/u);
    await workbench.view('Published Files').row('shared/small.txt');
  });

  it('forgets what has ended', async () => {
    const transfers = window.workbench.view('Transfers');
    await transfers.titleAction('Clear Finished');
    await transfers.welcomed(/Nothing is transferred/u);
  });

  it('publishes a folder by right-click, without what its rules leave out', async () => {
    const { workbench } = window;
    // Only three messages are in sight at once.
    await workbench.notifications.clear();
    await publish(workbench, 'project');
    await workbench.notifications.shown(/Published 2 files/u);
    await workbench.openView('Peershelf');
    await workbench.view('Published Files').row('project/a.ts');
    assert.deepEqual(
      (await workbench.view('Published Files').labels()).filter((name) => /build/u.test(name)),
      [],
    );
  });
});
