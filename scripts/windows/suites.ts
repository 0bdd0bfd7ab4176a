import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import * as path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { REPOSITORY } from '../host/paths';
import { readReport, type TestEvent } from '../host/testReport';
import type { MochaRun, Tell } from './mochaRun';
import { NOT_ON_WINE } from './notOnWine';
import type { Windows } from './wine';

export const SUITES = ['unit', 'integration'] as const;
export type SuiteName = (typeof SUITES)[number];

/** As on Linux, several times over: a call of the system takes a way through two more processes. */
const TEST_TIMEOUT_MS = { unit: 60_000, integration: 90_000 } as const;
/** For all tests of one process. */
const PROCESS_DEADLINE_MS = 4 * 60_000;
/** Half of the integration suite waits for deadlines of real sockets. */
const PROCESSES = 3;
const POLL_MS = 100;
const TOLD_OUTPUT_LINES = 40;

export interface SuiteChoice {
  /** Runs only tests whose full title matches this pattern. */
  readonly grep: string | undefined;
  /** Runs only files whose path contains one of these. */
  readonly files: readonly string[] | undefined;
}

export interface SuiteContext {
  readonly windows: Windows;
  /** The transpiled copy of the repository. */
  readonly tree: string;
  /** For outputs and reports. */
  readonly folder: string;
  readonly tell: Tell;
}

/** Runs a suite: all unit tests in one process, every file of integration tests in one of its own. */
export async function runSuite(
  suite: SuiteName,
  choice: SuiteChoice,
  context: SuiteContext,
): Promise<void> {
  tellStale(suite, context.tell);
  const files = (await testFiles(suite)).filter(
    (file) => choice.files?.some((part) => file.includes(part)) ?? true,
  );
  const runs = suite === 'unit' ? [files] : files.map((file) => [file]);
  const queue = runs.filter((some) => some.length > 0).entries();
  await Promise.all(
    Array.from({ length: PROCESSES }, async () => {
      for (const [index, some] of queue) {
        const run = { suite, name: `${suite}-${index}`, files: some, grep: choice.grep };
        await runProcess(run, context);
      }
    }),
  );
}

/** The files of a suite that run at all, as paths below `test` without their ending. */
async function testFiles(suite: SuiteName): Promise<string[]> {
  const names = await readdir(path.join(REPOSITORY, 'test', suite), { recursive: true });
  const left = new Set(NOT_ON_WINE.flatMap(({ file, title }) => (title === undefined ? file : [])));
  return names
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => `${suite}/${name.slice(0, -'.test.ts'.length)}`)
    .filter((name) => !left.has(name))
    .sort();
}

/** An entry of the list whose file is gone leaves out nothing. */
function tellStale(suite: SuiteName, tell: Tell): void {
  for (const { file, title } of NOT_ON_WINE) {
    if (!file.startsWith(`${suite}/`)) continue;
    if (!existsSync(path.join(REPOSITORY, 'test', `${file}.test.ts`)))
      tell({ type: 'fail', title: file, error: 'is in notOnWine.ts, and there is no such file' });
    else if (title === undefined) tell({ type: 'skip', title: file });
  }
}

interface ProcessRun {
  readonly suite: SuiteName;
  readonly name: string;
  readonly files: readonly string[];
  readonly grep: string | undefined;
}

async function runProcess(run: ProcessRun, context: SuiteContext): Promise<void> {
  const { windows, tree, folder, tell } = context;
  const report = path.join(folder, `${run.name}.jsonl`);
  const outputFile = path.join(folder, `${run.name}.log`);
  const runFile = path.join(folder, `${run.name}.json`);
  const settings: MochaRun = {
    files: ['support/unhandled', ...run.files.map((file) => `${file}.test`)].map((file) =>
      windows.path(path.join(tree, 'test', `${file}.js`)),
    ),
    timeoutMs: TEST_TIMEOUT_MS[run.suite],
    grep: run.grep,
    leftOut: NOT_ON_WINE.flatMap(({ file, title, neverRun = false }) =>
      title !== undefined && run.files.includes(file) ? [{ title, neverRun }] : [],
    ),
    report: windows.path(report),
  };
  await writeFile(runFile, JSON.stringify(settings));
  const script = path.join(tree, 'scripts', 'windows', 'runTests.js');
  const child = windows.startNode({
    args: ['--enable-source-maps', windows.path(script), windows.path(runFile)],
    cwd: tree,
    outputFile,
  });
  const isLate = await follow(report, child.exited, tell);
  await child.stop();
  const last = (await readReport(report)).at(-1);
  if (last?.type === 'end') return;
  const what = isLate ? `took longer than ${PROCESS_DEADLINE_MS / 1000} s` : 'has ended early';
  const title = last === undefined || !('title' in last) ? '' : `, in or after "${last.title}"`;
  const output = (await readFile(outputFile, 'utf8')).split('\n').slice(-TOLD_OUTPUT_LINES);
  tell({
    type: 'fail',
    title: `${run.files.join(', ')} ${what}${title}`,
    error: output.join('\n'),
  });
}

/** Passes on what the report says until the process ends; true when it was not over in time. */
async function follow(report: string, exited: Promise<unknown>, tell: Tell): Promise<boolean> {
  let told = 0;
  let isOver = false as boolean;
  void exited.finally(() => (isOver = true));
  const deadlineMs = performance.now() + PROCESS_DEADLINE_MS;
  for (;;) {
    // Looked at before the report is read, so that its last lines are among them.
    const isLast = isOver || performance.now() > deadlineMs;
    const events: TestEvent[] = await readReport(report);
    events.slice(told).forEach(tell);
    told = events.length;
    if (isLast) return !isOver;
    await Promise.race([delay(POLL_MS), exited]);
  }
}
