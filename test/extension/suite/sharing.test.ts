import * as assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import * as vscode from 'vscode';
import { COMMANDS, SETTING_NAMES } from '../../../src/editor/contributions';
import type { NetworkFile } from '../../../src/peer/peerApi';
import type { HostPort } from '../../../src/protocol/address';
import { Cleanup } from '../../../scripts/host/cleanup';
import { connectHost } from '../../support/hostSession';
import { startPeer, type TestPeer } from '../../support/startPeer';
import { startTracker } from '../../support/startTracker';
import { eventually } from '../../support/waitFor';

/** Enough for a command that asks nothing. */
const RETURN_MS = 5_000;

/** The extension as it runs in its host, seen by a real peer of another user. */
describe('the extension in its host', () => {
  const cleanup = new Cleanup();
  let tracker: HostPort;
  let bob: TestPeer;
  let folder: vscode.Uri;

  const write = async (name: string, content: string): Promise<vscode.Uri> => {
    const uri = vscode.Uri.joinPath(folder, name);
    await vscode.workspace.fs.writeFile(uri, Buffer.from(content));
    return uri;
  };
  const seenByBob = async (): Promise<string[]> => {
    await bob.peer.refreshNetwork();
    const { files } = await bob.peer.networkFiles({ limit: 100 });
    return files.map(({ name }) => name);
  };
  const run = (command: string, ...args: unknown[]): Thenable<unknown> =>
    vscode.commands.executeCommand(command, ...args);

  before(async () => {
    const [first] = vscode.workspace.workspaceFolders ?? [];
    folder = (first ?? assert.fail('no folder')).uri;
    ({ address: tracker } = await startTracker(cleanup));
    bob = await startPeer(cleanup, { tracker, settings: { hostname: 'bob', displayName: 'Bob' } });
    await connectHost(tracker);
  });

  after(async () => {
    await run(COMMANDS.leave);
    await cleanup.run();
  });

  it('registers every command that it declares', async () => {
    const known = new Set(await vscode.commands.getCommands(true));
    assert.deepEqual(
      Object.values(COMMANDS).filter((id) => !known.has(id)),
      [],
    );
  });

  it('has a default for every setting', () => {
    const settings = vscode.workspace.getConfiguration('peershelf');
    for (const name of Object.keys(SETTING_NAMES))
      assert.notEqual(settings.inspect(name)?.defaultValue, undefined, name);
  });

  it('publishes what the explorer passes: the row and the whole selection', async () => {
    const one = await write('one.txt', '1');
    const two = await write('sub/two.txt', '2');
    await run(COMMANDS.publish, one, [one, two]);
    assert.deepEqual(await seenByBob(), ['one.txt', 'sub/two.txt']);
  });

  it('publishes what an editor tab passes, saving unsaved changes first', async () => {
    const uri = await write('edited.txt', 'old');
    const document = await vscode.workspace.openTextDocument(uri);
    const editor = await vscode.window.showTextDocument(document);
    await editor.edit((edit) => edit.insert(new vscode.Position(0, 0), 'newer '));
    assert.equal(document.isDirty, true);
    await run(COMMANDS.publish, uri, { groupId: 0, editorIndex: 0 });
    assert.equal(document.isDirty, false);
    await bob.peer.fetch({ name: 'edited.txt', destination: bob.path('edited'), ifExists: 'fail' });
    assert.equal(readFileSync(bob.path('edited'), 'utf8'), 'newer old');
  });

  it('publishes the active file when it is called without arguments', async () => {
    const uri = await write('active.txt', 'x');
    await vscode.window.showTextDocument(uri);
    await run(COMMANDS.publish);
    assert.ok((await seenByBob()).includes('active.txt'));
  });

  it('follows what is renamed in the editor, a file and a folder', async () => {
    const file = await write('draft.txt', 'a draft');
    await write('drafts/inner.txt', 'in a folder');
    const uris = [file, vscode.Uri.joinPath(folder, 'drafts/inner.txt')];
    await run(COMMANDS.publish, file, uris);
    const rename = async (from: string, to: string): Promise<void> => {
      const edit = new vscode.WorkspaceEdit();
      edit.renameFile(vscode.Uri.joinPath(folder, from), vscode.Uri.joinPath(folder, to));
      assert.equal(await vscode.workspace.applyEdit(edit), true);
    };
    await rename('draft.txt', 'final.txt');
    await rename('drafts', 'finals');
    const renamed = ['final.txt', 'finals/inner.txt'];
    const isOne = (name: string): boolean => /^(?:draft|final)/u.test(name);
    await eventually(async () => {
      const names = (await seenByBob()).filter(isOne);
      return names.sort().join() === renamed.join() || undefined;
    }, 'the new names, and not the old ones');
    for (const [name, content] of [
      ['final.txt', 'a draft'],
      ['finals/inner.txt', 'in a folder'],
    ] as const) {
      await bob.peer.fetch({ name, destination: bob.path(name), ifExists: 'fail' });
      assert.equal(readFileSync(bob.path(name), 'utf8'), content);
    }
    const uri = (name: string): vscode.Uri => vscode.Uri.joinPath(folder, name);
    await run(COMMANDS.unpublish, uri('final.txt'), renamed.map(uri));
    assert.deepEqual((await seenByBob()).filter(isOne), []);
  });

  it('takes back what the explorer passes', async () => {
    const uris = ['one.txt', 'edited.txt', 'active.txt'].map((name) =>
      vscode.Uri.joinPath(folder, name),
    );
    await run(COMMANDS.unpublish, uris[0], uris);
    assert.deepEqual(await seenByBob(), ['sub/two.txt']);
  });

  it('fetches what the tree passes, several at once, and publishes none of it', async () => {
    await bob.publish('from bob.txt', 'for alice');
    await bob.publish('deep/er/file.txt', 'deeper');
    const node = (name: string): { kind: 'file'; file: NetworkFile } => ({
      kind: 'file',
      file: {
        name,
        hostname: 'bob',
        displayName: 'Bob',
        sizeBytes: 0,
        modifiedMs: 0,
        publishedAtMs: 0,
      },
    });
    const nodes = ['from bob.txt', 'deep/er/file.txt'].map(node);
    await run(COMMANDS.fetch, nodes[0], nodes);
    const read = (name: string): string =>
      readFileSync(join(folder.fsPath, 'shared', name), 'utf8');
    assert.equal(read('from bob.txt'), 'for alice');
    assert.equal(read('deep/er/file.txt'), 'deeper');
    assert.deepEqual(
      (await seenByBob()).filter((name) => name !== 'sub/two.txt'),
      [],
    );
  });

  it('fetches files and folders that are chosen together, to where others do not clash', async () => {
    const carol = await startPeer(cleanup, { tracker, settings: { hostname: 'carol' } });
    for (const name of ['tree/one.md', 'tree/deep/two.md', 'alone.md']) await bob.publish(name);
    await carol.publish('alone.md', 'of another');
    await run(COMMANDS.refreshNetwork);
    const file = { name: 'alone.md', hostname: 'bob', displayName: 'Bob', sizeBytes: 8 };
    const nodes = [
      { kind: 'file', file },
      { kind: 'folder', folder: { prefix: 'tree/' }, hostname: 'bob' },
    ];
    await run(COMMANDS.fetch, nodes[0], nodes);
    for (const [name, content] of [
      ['tree/one.md', 'tree/one.md'],
      ['tree/deep/two.md', 'tree/deep/two.md'],
      ['Bob/alone.md', 'alone.md'],
    ] as const)
      assert.equal(readFileSync(join(folder.fsPath, 'shared', name), 'utf8'), content);
    await carol.peer.stop();
  });

  it('does nothing when a tree no longer knows the row, instead of asking for another one', async () => {
    // What VS Code passes for a button that was pressed while it drew the tree again.
    for (const command of [COMMANDS.fetch, COMMANDS.fetchTo, COMMANDS.unpublish]) {
      const ended = run(command, undefined, undefined);
      const waited = delay(RETURN_MS, 'asks', { ref: false });
      assert.equal(await Promise.race([ended, waited]), undefined, command);
    }
  });

  it('publishes nothing, and not the open file, when source control no longer knows the row', async () => {
    const uri = vscode.Uri.joinPath(folder, 'open only.txt');
    await vscode.workspace.fs.writeFile(uri, Buffer.from('not meant'));
    await vscode.window.showTextDocument(uri);
    await run(COMMANDS.publish, undefined);
    assert.equal((await seenByBob()).includes('open only.txt'), false);
    await run('workbench.action.closeAllEditors');
  });

  it('fetches the others of a selection when one has a name that is none', async () => {
    await bob.publish('good.txt', 'good');
    const nodes = ['../../evil.txt', 'good.txt'].map((name) => ({
      kind: 'file',
      file: { name, hostname: 'bob', displayName: 'Bob' },
    }));
    await run(COMMANDS.fetch, nodes[0], nodes);
    assert.equal(readFileSync(join(folder.fsPath, 'shared/good.txt'), 'utf8'), 'good');
  });

  it('keeps files inside the folder, whatever the setting of the workspace says', async () => {
    const settings = vscode.workspace.getConfiguration('peershelf', folder);
    await settings.update('fetchFolder', '../outside', vscode.ConfigurationTarget.Workspace);
    const file = { name: 'from bob.txt', hostname: 'bob', displayName: 'Bob' };
    await run(COMMANDS.fetch, { kind: 'file', file });
    await settings.update('fetchFolder', undefined, vscode.ConfigurationTarget.Workspace);
    assert.throws(() => readFileSync(join(folder.fsPath, '../outside/from bob.txt')), /ENOENT/u);
  });

  it('publishes a folder without what its rules leave out, and takes it back', async () => {
    await write('project/.gitignore', 'build/\n*.log\n');
    await write('project/.peershelfignore', 'notes/\n');
    for (const name of ['a.ts', 'src/b.ts', 'build/c.js', 'd.log', 'notes/e.md'])
      await write(`project/${name}`, name);
    await write('project/node_modules/f/index.js', 'f');
    const project = vscode.Uri.joinPath(folder, 'project');
    await run(COMMANDS.publish, project, [project]);
    const ofProject = async (): Promise<string[]> =>
      (await seenByBob()).filter((name) => name.startsWith('project/')).sort();
    assert.deepEqual(await ofProject(), [
      'project/.gitignore',
      'project/.peershelfignore',
      'project/a.ts',
      'project/src/b.ts',
    ]);
    await run(COMMANDS.unpublish, project, [project]);
    assert.deepEqual(await ofProject(), []);
  });

  it('leaves the session: others see its files no more', async () => {
    await run(COMMANDS.leave);
    assert.deepEqual(await seenByBob(), []);
  });
});
