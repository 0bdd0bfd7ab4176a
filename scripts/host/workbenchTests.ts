import { readdir } from 'node:fs/promises';
import * as path from 'node:path';
import { testBrowser } from '../../test/support/peerWindows';
import { quietMocha, runMocha } from './mochaEvents';
import { REPOSITORY } from './paths';
import type { BuildName } from './serverBuild';
import { BUILD_VARIABLE, type TestEvent } from './testReport';

const FOLDER = path.join(REPOSITORY, 'test', 'extension', 'workbench');

/** A journey through two windows takes a while on a busy machine. */
const TEST_TIMEOUT_MS = 90_000;

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

/** Runs the tests that drive the workbench from outside; they read the build from a variable. */
export async function runWorkbenchTests(
  { build, grep, all }: WorkbenchChoice,
  tell: (event: TestEvent) => void,
): Promise<void> {
  process.env[BUILD_VARIABLE] = build;
  const mocha = quietMocha(TEST_TIMEOUT_MS, grep);
  for (const name of await testFiles()) {
    if (build === 'oldest' && !all && !ON_EVERY_BUILD.has(name)) continue;
    mocha.addFile(path.join(FOLDER, name));
  }
  try {
    await runMocha(mocha, tell);
  } finally {
    await testBrowser.close();
    // The next build loads the same files again.
    mocha.unloadFiles();
    process.env[BUILD_VARIABLE] = '';
  }
}

async function testFiles(): Promise<string[]> {
  const names = await readdir(FOLDER, { recursive: true });
  return names.filter((name) => name.endsWith('.test.ts')).sort();
}
