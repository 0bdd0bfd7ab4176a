import * as assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { queryObjects, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import * as vscode from 'vscode';
import { Cleanup } from '../../../scripts/host/cleanup';
import { COMMANDS, VIEWS } from '../../../src/editor/contributions';
import type { TestFacts } from '../../../src/extension';
import type { HostPort } from '../../../src/protocol/address';
import { connectHost } from '../../support/hostSession';
import { startPeer } from '../../support/startPeer';
import { startTracker } from '../../support/startTracker';
import { eventually } from '../../support/waitFor';

const CYCLES = 200;
/** Caches are full and code is compiled after these. */
const WARM_UP = 20;
const HEAP_TOLERANCE = 0.05;
/** Of 200 cycles, each of which may keep nothing: other extensions run in this host, too. */
const OF_OTHERS = 5;
const FUNCTIONS_OF_OTHERS = 100;
/** The window is asked several times in each cycle, on a busy machine. */
const TIMEOUT_MS = 180_000;
/** On Linux: open files and sockets of the whole process, the engine's thread included. */
const OPEN_FILES = '/proc/self/fd';

/** What is held that has to be given back. */
interface Held {
  /** By the extension, in its stores and slots. */
  readonly disposables: number;
  /** Functions that somebody can still call: who forgets to take a listener away leaves at least one. */
  readonly functions: number;
  readonly handles: number;
  readonly openFiles: number;
}

/** What the extension leaves in its host after doing the same thing often. */
describe('an extension in its host', function () {
  this.timeout(TIMEOUT_MS);
  const cleanup = new Cleanup();
  let tracker: HostPort;
  let facts: TestFacts;

  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const held = (): Held => ({
    disposables: facts.liveDisposables(),
    functions: queryObjects(Function, { format: 'count' }),
    handles: process.getActiveResourcesInfo().filter((kind) => /Wrap$|Port$/u.test(kind)).length,
    openFiles: existsSync(OPEN_FILES) ? readdirSync(OPEN_FILES).length : 0,
  });
  const heapBytes = (): number => {
    collect();
    collect();
    return process.memoryUsage().heapUsed;
  };

  before(async () => {
    ({ address: tracker } = await startTracker(cleanup));
    const bob = await startPeer(cleanup, { tracker, settings: { hostname: 'bob' } });
    await bob.publish('theirs.txt');
    await connectHost(tracker);
    const extension = vscode.extensions.getExtension<TestFacts>('peershelf.peershelf');
    facts = extension?.exports ?? assert.fail('the extension tells nothing');
  });

  after(async () => {
    await vscode.commands.executeCommand(COMMANDS.leave);
    await cleanup.run();
  });

  /** What is held more after 200 cycles than before, if anything is. */
  const growth = async (act: () => Promise<void>): Promise<string | undefined> => {
    const before = { ...held(), heapBytes: heapBytes() };
    for (let cycle = 0; cycle < CYCLES; cycle += 1) await act();
    // What the last cycle has closed may still be on its way out.
    let after = held();
    const isBack = (): boolean => {
      after = held();
      return (
        after.disposables <= before.disposables &&
        after.functions <= before.functions + FUNCTIONS_OF_OTHERS &&
        after.handles <= before.handles + OF_OTHERS &&
        after.openFiles <= before.openFiles + OF_OTHERS
      );
    };
    const isKept = await eventually(isBack, 'as little held as before').then(
      () => false,
      () => true,
    );
    if (isKept) return `more is held: ${JSON.stringify({ before, after })}`;
    const heap = heapBytes() / before.heapBytes - 1;
    return heap <= HEAP_TOLERANCE
      ? undefined
      : `the heap has grown by ${(heap * 100).toFixed(1)} %`;
  };

  /**
   * Counts a second time when more is held: VS Code tells a view only some time after `focus` that it is in
   * sight, and its watcher is held from then. What begins once is no more the second time; a leak is.
   */
  const repeat = async (act: () => Promise<void>): Promise<void> => {
    for (let cycle = 0; cycle < WARM_UP; cycle += 1) await act();
    const first = await growth(act);
    if (first === undefined) return;
    const second = await growth(act);
    if (second !== undefined) assert.fail(`${first}; and again: ${second}`);
  };

  it('keeps nothing of 200 times connecting and disconnecting', async () => {
    // An input box that is drawn takes half a second each time.
    const { showInputBox } = vscode.window;
    const accept = ({ value }: vscode.InputBoxOptions): Promise<string | undefined> =>
      Promise.resolve(value);
    Object.assign(vscode.window, { showInputBox: accept });
    try {
      await repeat(async () => {
        await vscode.commands.executeCommand(COMMANDS.leave);
        await vscode.commands.executeCommand(COMMANDS.connectOpen);
      });
    } finally {
      Object.assign(vscode.window, { showInputBox });
    }
  });

  it('keeps nothing of 200 times refreshing, with its rows in sight', async () => {
    await vscode.commands.executeCommand(`${VIEWS.network}.focus`);
    await repeat(async () => {
      await vscode.commands.executeCommand(COMMANDS.refreshNetwork);
    });
  });
});
