import * as assert from 'node:assert/strict';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { Comparing } from '../../../src/editor/comparing';
import { placeFor } from '../../../src/editor/destinations';
import type { NetworkFile } from '../../../src/peer/peerApi';

const FILE: NetworkFile = {
  ...{ name: 'notes.md', hostname: 'bob', displayName: 'Bob', sizeBytes: 1 },
  ...{ modifiedMs: 0, publishedAtMs: 0 },
};

/** Where a mark looks for a file is where a fetch puts it. */
describe('the places of a network file', () => {
  const root = (): string => vscode.workspace.workspaceFolders?.[0]?.uri.fsPath ?? '';
  const placesOf = (file: NetworkFile, fetchedTo?: string): Promise<string[]> =>
    new Comparing({ placeOf: () => fetchedTo }).placesOf(file);

  it('begin with the folder of its owner, where others mean something else by its name', async () => {
    const plain = [join(root(), 'shared/notes.md'), join(root(), 'notes.md')];
    assert.deepEqual(await placesOf(FILE), plain);
    const clashing = await placesOf({ ...FILE, clashes: true });
    assert.deepEqual(clashing, [join(root(), 'shared/Bob/notes.md'), ...plain]);
    assert.equal(clashing[0], (await placeFor(FILE, true))?.destination);
    assert.equal(plain[0], (await placeFor(FILE, false))?.destination);
  });

  it('begin with where it was fetched to, if it was', async () => {
    const beside = join(root(), 'shared/notes (2).md');
    const [first, second] = await placesOf({ ...FILE, clashes: true }, beside);
    assert.deepEqual([first, second], [beside, join(root(), 'shared/Bob/notes.md')]);
  });
});
