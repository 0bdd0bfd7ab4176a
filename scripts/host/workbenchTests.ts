import { readdir } from 'node:fs/promises';
import * as path from 'node:path';
import { spawnOwned, type OwnedProcess } from './ownedProcess';
import { REPOSITORY } from './paths';
import type { BuildName } from './serverBuild';
import { BUILD_VARIABLE, type TestEvent } from './testReport';

const FOLDER = path.join(REPOSITORY, 'test', 'extension', 'workbench');
const LANE = path.join(__dirname, 'workbenchLane.ts');

/**
 * Files that run at the same time, each lane with a browser of its own. With one lane two cores stand idle for
 * a third of the time, while the window and the test wait for each other.
 */
const LANES = 2;

/** The longest first, so that the lanes end at about the same time. */
const FIRST: readonly string[] = [
  'teamSession',
  'network',
  'journeys',
  'keyboard',
  'states',
  'vietnamese',
  'sharing',
  'fetching',
  'hostileWorkspace',
  'robustness',
  'trust',
  'package',
  'machineOfTeam',
  'largeNetwork',
].map((name) => `${name}.test.ts`);

/**
 * What is driven on the oldest build, too: that it installs, and that two users share. All other files
 * are about our own behaviour, which does not depend on the build; what we call of the editor is tested
 * on both by the suite inside the extension host.
 */
const ON_EVERY_BUILD: ReadonlySet<string> = new Set(['package.test.ts', 'sharing.test.ts']);

export interface WorkbenchChoice {
  readonly build: BuildName;
  readonly grep: string | undefined;
  /** All files, also on a build that usually does without some. */
  readonly all: boolean;
}

/** Request to a lane: one file to run. */
export interface LaneRequest {
  readonly file: string;
  readonly grep: string | undefined;
}

/** Runs the tests that drive the workbench from outside, some files at a time. */
export async function runWorkbenchTests(
  { build, grep, all }: WorkbenchChoice,
  tell: (event: TestEvent) => void,
): Promise<void> {
  const names = (await testFiles()).filter(
    (name) => build === 'newest' || all || ON_EVERY_BUILD.has(name),
  );
  const queue = names.map((name): LaneRequest => ({ file: path.join(FOLDER, name), grep }));
  const lanes = Array.from({ length: Math.min(LANES, queue.length) }, async () => {
    const lane = startLane(build);
    try {
      for (let next = queue.shift(); next !== undefined; next = queue.shift())
        await runFile(lane, next, tell);
      await close(lane);
    } finally {
      await lane.stop();
    }
  });
  // One that fails does not end the others.
  for (const result of await Promise.allSettled(lanes))
    if (result.status === 'rejected')
      tell({ type: 'fail', title: 'a lane of the workbench', error: String(result.reason) });
}

/** The modules of a lane read the build from a variable. */
function startLane(build: BuildName): OwnedProcess {
  return spawnOwned(process.execPath, [...process.execArgv, LANE], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, [BUILD_VARIABLE]: build },
  });
}

/** Resolves at the `end` event of the file; rejects when the lane ends before it. */
function runFile(
  { child }: OwnedProcess,
  request: LaneRequest,
  tell: (event: TestEvent) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const onReport = (event: TestEvent): void => {
      tell(event);
      if (event.type !== 'end') return;
      child.off('message', onReport).off('exit', onExit);
      resolve();
    };
    const onExit = (code: number | null, signal: NodeJS.Signals | null): void => {
      reject(new Error(`ended with ${signal ?? String(code)} during ${request.file}`));
    };
    child.on('message', onReport).once('exit', onExit);
    child.send(request);
  });
}

/** Lets a lane close its browser, and waits until it has ended. */
function close({ child }: OwnedProcess): Promise<void> {
  return new Promise((resolve) => {
    // Node emits no `close` after a disconnection from here.
    child.once('exit', () => resolve());
    child.disconnect();
  });
}

async function testFiles(): Promise<string[]> {
  const names = await readdir(FOLDER, { recursive: true });
  const tests = names.filter((name) => name.endsWith('.test.ts')).sort();
  return [
    ...FIRST.filter((name) => tests.includes(name)),
    ...tests.filter((name) => !FIRST.includes(name)),
  ];
}
