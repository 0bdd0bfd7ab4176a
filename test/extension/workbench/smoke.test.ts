import * as assert from 'node:assert/strict';
import type { PeerWindow } from '../../support/peerWindows';
import { useWindows } from '../../support/useWindows';

describe('two windows', () => {
  const { windows } = useWindows();
  let alice: PeerWindow;
  let bob: PeerWindow;

  before(async () => {
    [alice, bob] = await windows.addAliceAndBob({ files: { 'notes.txt': 'for everyone' } });
  });

  it('have workspaces of their own', async () => {
    await alice.workbench.explorer.shows('notes.txt');
    assert.deepEqual(await bob.workbench.explorer.names(), []);
  });

  it('both show Peershelf with its views', async () => {
    for (const { workbench } of [alice, bob]) {
      await workbench.openView('Peershelf');
      await workbench.view('Published Files').expand();
      await workbench.view('Network Files').expand();
    }
  });

  it('both offer the commands', async () => {
    for (const { workbench } of [alice, bob]) {
      const titles = await workbench.paletteTitles('Peershelf: ');
      assert.ok(titles.includes('Peershelf: Show Log'), titles.join(', '));
    }
  });
});
