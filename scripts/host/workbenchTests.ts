import { readdir } from 'node:fs/promises';
import * as path from 'node:path';
import { spawnOwned } from './ownedProcess';
import { REPOSITORY } from './paths';
import type { BuildName } from './serverBuild';
import { BUILD_VARIABLE, GREP_VARIABLE, type TestEvent } from './testReport';

const FOLDER = path.join(REPOSITORY, 'test', 'extension', 'workbench');

const RUNNER = path.join(__dirname, 'workbenchFile.ts');

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

/**
 * Runs the tests that drive the workbench from outside, one file after the other: the start of a window
 * keeps two cores busy, and with two files at once tests failed for a gain of a tenth.
 */
export async function runWorkbenchTests(
  choice: WorkbenchChoice,
  tell: (event: TestEvent) => void,
): Promise<void> {
  for (const name of await testFiles())
    if (choice.build !== 'oldest' || choice.all || ON_EVERY_BUILD.has(name))
      await runFile(name, choice, tell);
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
