import { readdir } from 'node:fs/promises';
import * as path from 'node:path';
import { errorText, quietMocha, runMocha } from './mochaEvents';
import { REPOSITORY } from './paths';
import type { BuildName } from './serverBuild';
import { BUILD_VARIABLE, type TestEvent } from './testReport';

const FOLDER = path.join(REPOSITORY, 'test', 'extension', 'workbench');

/** A journey through two windows takes a while on a busy machine. */
const TEST_TIMEOUT_MS = 90_000;

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
  { build, grep, all }: WorkbenchChoice,
  tell: (event: TestEvent) => void,
): Promise<void> {
  process.env[BUILD_VARIABLE] = build;
  const files = (await testFiles()).filter(
    (name) => build !== 'oldest' || all || ON_EVERY_BUILD.has(name),
  );
  const isAlone = (name: string): boolean => ALONE.has(name);
  try {
    const beside = files.filter((name) => !isAlone(name));
    await runFiles(beside, FILES_AT_ONCE, (name) => runFile(name, grep, tell));
    await runFiles(files.filter(isAlone), 1, (name) => runFile(name, grep, tell));
  } finally {
    process.env[BUILD_VARIABLE] = '';
  }
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

async function runFile(
  name: string,
  grep: string | undefined,
  tell: (event: TestEvent) => void,
): Promise<void> {
  const mocha = quietMocha(TEST_TIMEOUT_MS, grep);
  mocha.addFile(path.join(FOLDER, name));
  try {
    await runMocha(mocha, tell);
  } catch (error) {
    // It cannot be loaded; the others can.
    tell({ type: 'end', error: `${name}: ${errorText(error)}` });
  } finally {
    // The next build loads the same file again.
    mocha.unloadFiles();
    // It would go on listening for errors that nobody catches.
    mocha.dispose();
  }
}

async function testFiles(): Promise<string[]> {
  const names = await readdir(FOLDER, { recursive: true });
  return names.filter((name) => name.endsWith('.test.ts')).sort();
}
