import * as assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { COMMANDS } from '../../../src/editor/contributions';
import { parseRemoteUri, toRemoteUri } from '../../../src/editor/remoteUri';
import { MAX_PREVIEW_BYTES, type NetworkFile } from '../../../src/peer/peerApi';
import { Cleanup } from '../../../scripts/host/cleanup';
import { connectHost } from '../../support/hostSession';
import { startPeer, type TestPeer } from '../../support/startPeer';
import { startTracker } from '../../support/startTracker';
import { eventually } from '../../support/waitFor';

/** A picture of one pixel. */
const DOT = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

describe('files of others that are opened without being fetched', () => {
  const cleanup = new Cleanup();
  let bob: TestPeer;
  let folder: vscode.Uri;

  before(async () => {
    folder = vscode.workspace.workspaceFolders?.[0]?.uri ?? assert.fail('no folder');
    const { address } = await startTracker(cleanup);
    bob = await startPeer(cleanup, {
      tracker: address,
      settings: { hostname: 'bob', displayName: 'Bob' },
    });
    await connectHost(address);
  });
  after(async () => {
    await run(COMMANDS.leave);
    await run('workbench.action.closeAllEditors');
    await cleanup.run();
  });

  const run = (command: string, ...args: unknown[]): Thenable<unknown> =>
    vscode.commands.executeCommand(command, ...args);

  /** What the tree would pass for a file that Bob publishes now. */
  const publish = async (
    name: string,
    content: string | Uint8Array,
  ): Promise<{ file: NetworkFile }> => {
    await bob.publish(name, content);
    const [outcome] = await bob.peer
      .discover({ hostname: 'bob' })
      .then((files) => files.filter((file) => file.name === name));
    return { file: { ...(outcome ?? assert.fail(name)), displayName: 'Bob' } };
  };
  const activeTab = (): vscode.Tab =>
    vscode.window.tabGroups.activeTabGroup.activeTab ?? assert.fail('no tab');
  const openedText = async (uri: vscode.Uri): Promise<string> =>
    (await vscode.workspace.openTextDocument(uri)).getText();

  it('shows the text in an editor that cannot be changed, and nothing in the workspace', async () => {
    const node = await publish('docs/Bài 1.md'.normalize('NFC'), '# Xin chào\n');
    await run(COMMANDS.openRemote, node);
    const { input, label } = activeTab();
    assert.ok(input instanceof vscode.TabInputText);
    assert.equal(label, 'Bài 1.md'.normalize('NFC'));
    assert.equal(await openedText(input.uri), '# Xin chào\n');
    assert.equal(vscode.workspace.fs.isWritableFileSystem('peershelf'), false);
    const { permissions, size } = await vscode.workspace.fs.stat(input.uri);
    assert.equal(permissions, vscode.FilePermission.Readonly);
    assert.equal(size, Buffer.byteLength('# Xin chào\n'));
    await assert.rejects(async () => vscode.workspace.fs.writeFile(input.uri, Buffer.from('x')));
  });

  it('shows a picture as a picture', async () => {
    await run(COMMANDS.openRemote, await publish('dot.png', DOT));
    const { input } = await eventually(() => {
      const tab = activeTab();
      return tab.label === 'dot.png' ? tab : undefined;
    }, 'a tab for the picture');
    assert.ok(input instanceof vscode.TabInputCustom);
    assert.equal(input.uri.scheme, 'peershelf');
    assert.match(input.viewType, /image/iu);
  });

  it('keeps what an editor shows, whatever its publisher does', async () => {
    const node = await publish('changing.txt', 'first');
    await run(COMMANDS.openRemote, node);
    const { input } = activeTab();
    assert.ok(input instanceof vscode.TabInputText);
    const other = await publish('changing.txt', 'second');
    assert.notEqual(toRemoteUri(other.file).toString(), input.uri.toString());
    assert.equal(Buffer.from(await vscode.workspace.fs.readFile(input.uri)).toString(), 'first');
    assert.equal(
      Buffer.from(await vscode.workspace.fs.readFile(toRemoteUri(other.file))).toString(),
      'second',
    );
  });

  it('compares with what was fetched, else with the same path of the workspace', async () => {
    const node = await publish('compared.txt', 'theirs');
    await vscode.workspace.fs.writeFile(
      vscode.Uri.joinPath(folder, 'compared.txt'),
      Buffer.from('mine'),
    );
    await run(COMMANDS.compareWithWorkspace, node);
    const withPath = activeTab().input;
    assert.ok(withPath instanceof vscode.TabInputTextDiff);
    assert.equal(await openedText(withPath.original), 'mine');
    assert.equal(await openedText(withPath.modified), 'theirs');
    assert.match(activeTab().label, /compared\.txt \(workspace ↔ Bob\)/u);

    await vscode.workspace.fs.writeFile(
      vscode.Uri.joinPath(folder, 'shared/compared.txt'),
      Buffer.from('fetched'),
    );
    await run(COMMANDS.compareWithWorkspace, node);
    const withFetched = await eventually(() => {
      const { input } = activeTab();
      return input instanceof vscode.TabInputTextDiff && /shared/u.test(input.original.path)
        ? input
        : undefined;
    }, 'compared with the fetched file');
    assert.equal(await openedText(withFetched.original), 'fetched');
  });

  it('compares two files of others', async () => {
    const nodes = [await publish('left.txt', 'left'), await publish('right.txt', 'right')];
    await run(COMMANDS.compareSelected, nodes[0], nodes);
    const { input } = activeTab();
    assert.ok(input instanceof vscode.TabInputTextDiff);
    assert.equal(await openedText(input.original), 'left');
    assert.equal(await openedText(input.modified), 'right');
  });

  it('opens nothing that is too large, and says so when its address is opened', async () => {
    const { file } = await publish('large.bin', 'not really');
    const large = { ...file, contentId: undefined, sizeBytes: MAX_PREVIEW_BYTES + 1 };
    const before = activeTab();
    await run(COMMANDS.openRemote, { file: large });
    assert.equal(activeTab(), before);
    await assert.rejects(
      async () => vscode.workspace.fs.readFile(toRemoteUri(large)),
      /too large to be opened/u,
    );
  });

  it('reads only addresses of its own', () => {
    const contentId = `${'a'.repeat(64)}-5`;
    const requests = ['bob', '..', 'a/b', 'a?b#c%d', 'Việt'].flatMap((hostname) =>
      ['a.txt', 'docs/Bài 1.md', 'a?b#c%d'].map((name) => ({
        hostname,
        name,
        contentId,
        sizeBytes: 5,
      })),
    );
    for (const request of requests) {
      const uri = vscode.Uri.parse(toRemoteUri(request).toString());
      assert.deepEqual(parseRemoteUri(uri), request);
    }
    for (const text of [
      'file:///bob/content/a.txt?5',
      'peershelf:/bob/content/a.txt',
      'peershelf:/bob/content/a.txt?-5',
      'peershelf:/bob/a.txt?5',
      'peershelf:/%25/content/a.txt?5',
      `peershelf:/bob/${'a'.repeat(64)}-6/a.txt?5`,
      'peershelf:/bob/other/a.txt?5',
      // Nobody can publish these.
      'peershelf:/bob/content/a%E2%80%AEtxt.exe?5',
      'peershelf:/bo%E2%80%AEb/content/a.txt?5',
      'peershelf:/bob/content/../a.txt?5',
    ])
      assert.equal(parseRemoteUri(vscode.Uri.parse(text)), undefined, text);
  });

  it('says that nobody has it any more', async () => {
    const { file } = await publish('gone.txt', 'gone');
    await bob.peer.unpublish({ names: ['gone.txt'] });
    await assert.rejects(
      async () => vscode.workspace.fs.readFile(toRemoteUri(file)),
      /Nobody offers|does not offer/u,
    );
  });
});
