import { readdir } from 'node:fs/promises';
import * as path from 'node:path';
import { spawnOwned } from './ownedProcess';
import { REPOSITORY } from './paths';
import type { BuildName } from './serverBuild';
import { BUILD_VARIABLE, GREP_VARIABLE, type TestEvent } from './testReport';

const FOLDER = path.join(REPOSITORY, 'test', 'extension', 'workbench');

const RUNNER = path.join(__dirname, 'workbenchFile.ts');

/** Half of the time is the start of one window, which keeps little more than one core busy. */
const FILES_AT_ONCE = 2;

/**
 * What is driven on the oldest build, too: that it installs, and that two users share. All other files
 * are about our own behaviour, which does not depend on the build; what we call of the editor is tested
 * on both by the suite inside the extension host.
 */
const ON_EVERY_BUILD: ReadonlySet<string> = new Set(['package.test.ts', 'sharing.test.ts']);

/** These measure what a user waits for, and have the machine to themselves. */
const ALONE: ReadonlySet<string> = new Set(['largeNetwork.test.ts', 'teamSession.test.ts']);

export interface WorkbenchChoice {
  readonly build: BuildName;
  readonly grep: string | undefined;
  /** All files, also on a build that usually does without some. */
  readonly all: boolean;
}

/**
 * Runs the tests that drive the workbench from outside; they read the build from a variable. Files
 * run side by side, so what is told of them comes mixed: a title begins with what the file is about.
 */
export async function runWorkbenchTests(
  choice: WorkbenchChoice,
  tell: (event: TestEvent) => void,
): Promise<void> {
  const files = (await testFiles()).filter(
    (name) => choice.build !== 'oldest' || choice.all || ON_EVERY_BUILD.has(name),
  );
  const isAlone = (name: string): boolean => ALONE.has(name);
  const run = (name: string): Promise<void> => runFile(name, choice, tell);
  await runFiles(
    files.filter((name) => !isAlone(name)),
    FILES_AT_ONCE,
    run,
  );
  await runFiles(files.filter(isAlone), 1, run);
}

async function runFiles(
  names: readonly string[],
  atOnce: number,
  run: (name: string) => Promise<void>,
): Promise<void> {
  const left = [...names];
  const runLeft = async (): Promise<void> => {
    for (let name = left.shift(); name !== undefined; name = left.shift()) await run(name);
  };
  await Promise.all(Array.from({ length: atOnce }, runLeft));
}

/** Runs a file in a process of its own: what nobody catches there fails no test of another file. */
async function runFile(
  name: string,
  { build, grep = '' }: WorkbenchChoice,
  tell: (event: TestEvent) => void,
): Promise<void> {
  const args = [...process.execArgv, RUNNER, path.join(FOLDER, name)];
  const { child, stop } = spawnOwned(process.execPath, args, {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, [BUILD_VARIABLE]: build, [GREP_VARIABLE]: grep },
  });
  const told = new Set<TestEvent['type']>();
  child.on('message', (message) => {
    const event = message as TestEvent;
    told.add(event.type);
    tell(event);
  });
  const code = await new Promise<number | string | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exitCode, signal) => resolve(exitCode ?? signal));
  });
  await stop();
  if (!told.has('end') || code !== 0)
    tell({ type: 'end', error: `${name}: its process ended with ${code}` });
}

async function testFiles(): Promise<string[]> {
  const names = await readdir(FOLDER, { recursive: true });
  return names.filter((name) => name.endsWith('.test.ts')).sort();
}
