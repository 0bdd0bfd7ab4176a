import * as assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import type { PeerWindow } from '../../support/peerWindows';
import { startPeerOf, type TestPeer } from '../../support/startPeer';
import { startTracker } from '../../support/startTracker';
import { useWindows } from '../../support/useWindows';

/** Folders whose files lie on no disk; the fixture has them in its memory. Each test builds on the one before. */
describe('a virtual workspace', () => {
  const { windows, cleanup } = useWindows();
  let window: PeerWindow;
  let bob: TestPeer;

  before(async () => {
    const { address } = await startTracker(cleanup);
    bob = await startPeerOf(cleanup, 'Bob', address);
    await bob.publish('theirs.txt', 'of Bob');
    await bob.publish('docs/one.txt', 'one');
    window = await windows.add('Erin', { fixture: true, tracker: address });
    const { host, port } = window.server;
    await window.workbench.goto(`http://${host}:${port}/?folder=fixture:/`);
    await window.workbench.statusBarItem(/1 other peer/u);
  });

  const offered = async (): Promise<string[]> => {
    const { files } = await bob.peer.networkFiles({ limit: 100 });
    return files.map(({ name }) => name);
  };

  it('shows what others offer, and does not offer to publish', async () => {
    const { workbench } = window;
    await workbench.openView('Explorer');
    await workbench.explorer.openFile('a.txt');
    await workbench.editorShows(/a\.txt/u, /in memory/u);
    const ours = (titles: readonly string[]): string[] =>
      titles.filter((title) => /Peershelf|Publish/u.test(title));
    assert.deepEqual(ours(await workbench.explorer.contextMenuTitles('a.txt')), []);
    const inPalette = await workbench.paletteTitles('Peershelf: Publish');
    assert.deepEqual(
      inPalette.filter((title) => title.startsWith('Peershelf: Publish')),
      [],
    );
    await workbench.openView('Peershelf');
    await workbench.view('Network Files').row('theirs.txt', '6 B');
    await workbench.view('Published Files').welcomed(/are not on a disk, so they cannot be/u);
  });

  it('opens and fetches, a file and a folder, to where the user says on a disk', async () => {
    const { workbench, workspace } = window;
    const network = workbench.view('Network Files');
    await network.inlineAction('theirs.txt', 'Open Without Fetching');
    await workbench.editorShows(/theirs\.txt/u, /of Bob/u);
    await network.inlineAction('theirs.txt', 'Fetch from Network…');
    await workbench.fileDialog.choose('Fetch theirs.txt To', path.join(workspace, 'here.txt'));
    await workbench.notifications.shown(/Fetched .*here\.txt from Bob/u);
    assert.equal(readFileSync(path.join(workspace, 'here.txt'), 'utf8'), 'of Bob');
    await network.inlineAction('docs', 'Fetch from Network…');
    await workbench.fileDialog.choose('Fetch To', workspace);
    await workbench.notifications.shown(/Fetched 1 file/u);
    assert.equal(readFileSync(path.join(workspace, 'docs/one.txt'), 'utf8'), 'one');
  });

  it('beside a folder on a disk, says of a virtual file why it is not published', async () => {
    const { workbench, server, workspace } = window;
    const file = path.join(path.dirname(workspace), 'mixed.code-workspace');
    const folders = [{ uri: 'fixture:/', name: 'memory' }, { path: workspace }];
    writeFileSync(file, JSON.stringify({ folders }));
    await workbench.goto(server.url(file));
    await workbench.statusBarItem(/1 other peer/u);
    await workbench.openView('Explorer');
    await workbench.showsRoot('memory');
    await workbench.explorer.openFolder('memory');
    await workbench.explorer.openFile('b.txt');
    await workbench.editorShows(/b\.txt/u, /in memory, too/u);
    await workbench.runCommand('Peershelf: Publish to Network');
    await workbench.notifications.shown(
      /b\.txt is not on a disk\. Copy it into a folder on a disk/u,
    );
    assert.deepEqual(await offered(), []);
    await workbench.openView('Peershelf');
    await workbench.view('Network Files').inlineAction('theirs.txt', 'Fetch from Network…');
    await workbench.notifications.shown(/Fetched .*theirs\.txt from Bob/u);
    assert.equal(readFileSync(path.join(workspace, 'shared/theirs.txt'), 'utf8'), 'of Bob');
  });
});
