import * as assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import * as path from 'node:path';
import { Cleanup } from '../../../scripts/host/cleanup';
import { formatHostPort } from '../../../src/protocol/address';
import { PeerWindows, type PeerWindow } from '../../support/peerWindows';
import { startPeer, type TestPeer } from '../../support/startPeer';
import { startTracker } from '../../support/startTracker';

/** At one megabyte a second there is time to press every button. */
const LARGE = randomBytes(60_000_000);
const SMALL = Buffer.from('a small file');

describe('the view of transfers', () => {
  const cleanup = new Cleanup();
  let windows: PeerWindows;
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
    windows = await PeerWindows.start();
    cleanup.add(() => windows.close());
    window = await windows.add('Erin', {
      files: { 'project/a.ts': 'a', 'project/build/b.js': 'b', 'project/.gitignore': 'build/\n' },
      userSettings: { 'peershelf.displayName': 'Erin' },
      machineSettings: {
        'peershelf.port': '0',
        'peershelf.tracker': formatHostPort(address),
        'peershelf.maxDownloadMegabytesPerSecond': 1,
      },
    });
    await window.workbench.openView('Peershelf');
    await window.workbench.view('Network Files').row('large.bin');
  });

  afterEach(async function () {
    if (this.currentTest?.state === 'failed')
      await windows.keepEvidence(this.currentTest.fullTitle());
  });

  after(() => cleanup.run());

  /** Not by the row's button: a view that has just appeared is drawn again, and forgets its rows. */
  const fetchByPalette = async (name: string): Promise<void> => {
    const { workbench } = window;
    await workbench.runCommand('Peershelf: Fetch from Network…');
    await workbench.quickPick.opened({ title: /Fetch from Network/u });
    await workbench.quickPick.type(name);
    await workbench.quickPick.choose(name);
  };

  it('says what is shown there while nothing is transferred', async () => {
    await window.workbench.view('Transfers').welcomed(/Nothing is transferred/u);
  });

  it('shows a download with percent, speed and source, and pauses and resumes it', async () => {
    const { workbench } = window;
    const transfers = workbench.view('Transfers');
    await fetchByPalette('large.bin');
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
    await fetchByPalette('small.txt');
    await transfers.row('small.txt', /^done · 12 B/u);
    assert.ok(readFileSync(path.join(workspace, 'shared/small.txt')).equals(SMALL));
    await workbench.view('Published Files').welcomed(/Nothing is published from this window/u);
    await transfers.contextMenu('small.txt', 'Offer This Too');
    // Bob offers the same content, and that is said first.
    await workbench.notifications.press(/small\.txt/u, 'Publish Anyway');
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
    await workbench.openView('Explorer');
    await workbench.explorer.contextMenu('project', 'Publish to Network');
    await workbench.notifications.shown(/Published 2 files/u);
    await workbench.openView('Peershelf');
    await workbench.view('Published Files').row('project/a.ts');
    assert.deepEqual(
      (await workbench.view('Published Files').labels()).filter((name) => /build/u.test(name)),
      [],
    );
  });
});
