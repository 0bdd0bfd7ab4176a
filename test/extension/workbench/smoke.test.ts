import * as assert from 'node:assert/strict';
import { openTwoWindows, type TwoWindows } from '../../support/twoWindows';

describe('two windows', () => {
  let two: TwoWindows;

  before(async () => {
    two = await openTwoWindows({ alice: { files: { 'notes.txt': 'for everyone' } } });
  });

  afterEach(async function () {
    if (this.currentTest?.state === 'failed') {
      await two.windows.keepEvidence(this.currentTest.fullTitle());
    }
  });

  after(() => two.close());

  it('have workspaces of their own', async () => {
    await two.alice.workbench.explorer.shows('notes.txt');
    assert.deepEqual(await two.bob.workbench.explorer.names(), []);
  });

  it('both show Peershelf with its views', async () => {
    for (const { workbench } of [two.alice, two.bob]) {
      await workbench.openView('Peershelf');
      await workbench.view('Published Files').expand();
      await workbench.view('Network Files').expand();
    }
  });

  it('both offer the commands', async () => {
    for (const { workbench } of [two.alice, two.bob]) {
      const titles = await workbench.paletteTitles('Peershelf: ');
      assert.ok(titles.includes('Peershelf: Show Log'), titles.join(', '));
    }
  });
});
