import { readdir, rm } from 'node:fs/promises';
import * as path from 'node:path';
import { buildExtension } from '../host/builds';
import { quietMocha, runMocha, tellSkippedOnce } from '../host/mochaEvents';
import { FAILURES, REPOSITORY } from '../host/paths';
import type { Tell } from './mochaRun';
import type { SuiteChoice } from './suites';

const FOLDER = path.join(REPOSITORY, 'test', 'windows');

const TEST_TIMEOUT_MS = 90_000;

/**
 * Runs the tests that drive a window of a VS Code in Windows from a browser of this computer. They have
 * the packed extension, and a Windows of their own.
 */
export async function runWindowTests({ files, grep }: SuiteChoice, tell: Tell): Promise<void> {
  const names = (await readdir(FOLDER)).filter((name) => name.endsWith('.test.ts'));
  const chosen = names.filter(
    (name) => files?.some((part) => `windows/${name}`.includes(part)) ?? true,
  );
  if (chosen.length === 0) return;
  await rm(FAILURES, { recursive: true, force: true });
  await buildExtension({ production: true });
  const mocha = quietMocha(TEST_TIMEOUT_MS, grep);
  for (const name of chosen.sort()) mocha.addFile(path.join(FOLDER, name));
  await runMocha(mocha, tellSkippedOnce(tell));
}
