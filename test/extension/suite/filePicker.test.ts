import * as assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import * as vscode from 'vscode';
import { Emitter } from '../../../src/common/events';
import { nullLogger } from '../../../src/common/logger';
import type { Engine } from '../../../src/editor/engine';
import { pickNetworkFile } from '../../../src/editor/filePicker';
import type { NetworkFile, NetworkPage } from '../../../src/peer/peerApi';

/** For the window to draw what it was told; it does not say when it has. */
const DRAWN_MS = 500;

const file = (name: string): NetworkFile => ({
  name,
  hostname: 'bob',
  displayName: 'Bob',
  sizeBytes: 1,
  modifiedMs: 0,
  publishedAtMs: 0,
});

describe('choosing a file of the network', () => {
  const open = (
    names: string[],
  ): { chosen: Promise<NetworkFile | undefined>; change: (names: string[]) => void } => {
    const changed = new Emitter<'network'>();
    let files = names.map(file);
    const engine = {
      onDidChange: changed.event,
      calls: {
        refreshNetwork: () => Promise.resolve(),
        networkFiles: (): Promise<NetworkPage> => Promise.resolve({ files, total: files.length }),
      },
    };
    const chosen = pickNetworkFile(engine as unknown as Engine, nullLogger);
    const change = (changedNames: string[]): void => {
      files = changedNames.map(file);
      changed.fire('network');
    };
    return { chosen, change };
  };
  const press = async (command: string): Promise<void> => {
    await vscode.commands.executeCommand(command);
    await delay(DRAWN_MS);
  };

  it('keeps the row in focus when others come before it', async () => {
    const { chosen, change } = open(['b', 'c']);
    await delay(DRAWN_MS);
    change(['a', 'b', 'c']);
    await delay(DRAWN_MS);
    await press('workbench.action.acceptSelectedQuickOpenItem');
    assert.equal((await chosen)?.name, 'b');
  });

  it('chooses nothing at Enter when the row in focus is gone', async () => {
    const { chosen, change } = open(['a', 'b']);
    await delay(DRAWN_MS);
    change(['b']);
    await delay(DRAWN_MS);
    await press('workbench.action.acceptSelectedQuickOpenItem');
    await press('workbench.action.closeQuickOpen');
    assert.equal(await chosen, undefined);
  });
});
