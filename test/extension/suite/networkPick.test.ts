import * as assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import * as vscode from 'vscode';
import { Emitter } from '../../../src/common/events';
import { nullLogger } from '../../../src/common/logger';
import type { Engine } from '../../../src/editor/engine';
import { type NetworkChoice, NetworkPick } from '../../../src/editor/networkPick';
import type { NetworkRow, NetworkRowPage } from '../../../src/peer/peerApi';
import { eventually } from '../../support/waitFor';

/** For the timers by which the window puts off drawing; it does not say when it has drawn. */
const DRAWN_MS = 300;

/** Resolves when the window has drawn what it was told, however busy it is. */
async function drawn(): Promise<void> {
  for (const delayMs of [DRAWN_MS, 0]) {
    // An answer means that the window has read all messages before this one.
    await vscode.commands.executeCommand('setContext', 'peershelf.test', delayMs);
    await delay(delayMs);
  }
}

const row = (name: string): NetworkRow => ({
  ...{ name, sizeBytes: 1, modifiedMs: 0, publishedAtMs: 0 },
  sources: [{ hostname: 'bob', displayName: 'Bob', state: 'online' }],
});

function nameOf(choice: NetworkChoice | undefined): string | undefined {
  return choice?.kind === 'fetch' ? choice.file.name : undefined;
}

describe('choosing a file of the network', () => {
  const open = (
    names: string[],
  ): { chosen: Promise<string | undefined>; change: (names: string[]) => void } => {
    const changed = new Emitter<'network'>();
    let rows = names.map(row);
    const engine = {
      onDidChange: changed.event,
      state: { connection: { kind: 'connected' } },
      calls: {
        refreshNetwork: () => Promise.resolve(),
        networkRows: (): Promise<NetworkRowPage> => Promise.resolve({ rows, total: rows.length }),
      },
    };
    const pick = new NetworkPick(
      { engine: engine as unknown as Engine, logger: nullLogger, record: { files: [] } },
      { title: 'Fetch' },
    );
    const chosen = pick.choose().then(nameOf);
    const change = (changedNames: string[]): void => {
      rows = changedNames.map(row);
      changed.fire('network');
    };
    return { chosen, change };
  };
  const press = async (command: string): Promise<void> => {
    await vscode.commands.executeCommand(command);
    await drawn();
  };

  it('keeps the row in focus when others come before it', async () => {
    const { chosen, change } = open(['b', 'c']);
    await drawn();
    change(['a', 'b', 'c']);
    await drawn();
    await press('workbench.action.acceptSelectedQuickOpenItem');
    assert.equal(await chosen, 'b');
  });

  it('shows the answer to what stands there, however late those to earlier texts come', async () => {
    const answers: ((page: NetworkRowPage) => void)[] = [];
    const changed = new Emitter<'network'>();
    const engine = {
      onDidChange: changed.event,
      state: { connection: { kind: 'connected' } },
      calls: {
        refreshNetwork: () => Promise.resolve(),
        networkRows: () => new Promise<NetworkRowPage>((resolve) => answers.push(resolve)),
      },
    };
    const answer = async (index: number, name: string): Promise<void> => {
      await eventually(() => answers[index], 'the question');
      answers[index]?.({ rows: [row(name)], total: 1 });
    };
    const pick = new NetworkPick(
      { engine: engine as unknown as Engine, logger: nullLogger, record: { files: [] } },
      { title: 'Fetch' },
    );
    const chosen = pick.choose().then(nameOf);
    await eventually(() => answers[0], 'the first question');
    changed.fire('network');
    await answer(1, 'of the last question');
    await answer(0, 'late');
    await drawn();
    await press('workbench.action.acceptSelectedQuickOpenItem');
    assert.equal(await chosen, 'of the last question');
  });

  it('chooses nothing at Enter when the row in focus is gone', async () => {
    const { chosen, change } = open(['a', 'b']);
    await drawn();
    change(['b']);
    await drawn();
    await press('workbench.action.acceptSelectedQuickOpenItem');
    await press('workbench.action.closeQuickOpen');
    assert.equal(await chosen, undefined);
  });
});
