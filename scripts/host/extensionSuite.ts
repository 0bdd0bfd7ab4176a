import { mkdir } from 'node:fs/promises';
import * as path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Browser } from 'playwright-core';
import { SUITE, suiteFiles } from './builds';
import { Cleanup } from './cleanup';
import { homeEnvironment } from './homeEnvironment';
import { REPOSITORY, type Log } from './paths';
import type { ServerBuild } from './serverBuild';
import {
  FILES_VARIABLE,
  GREP_VARIABLE,
  readReport,
  REPORT_VARIABLE,
  type TestEvent,
} from './testReport';
import { startVsCodeServer } from './vscodeServer';

/** From the opening of the page to the first test; then from one event to the next: no test may take longer. */
const SILENCE_TIMEOUT_MS = 100_000;
const POLL_MS = 100;
/** Files of the suite about what our own code holds, over hundreds of cycles. */
const ON_NEWEST_ONLY: ReadonlySet<string> = new Set(['cycles']);
const KEPT_CONSOLE_LINES = 30;

export interface SuiteRun {
  build: ServerBuild;
  browser: Browser;
  grep: string | undefined;
  /** All files, also those that take long and whose answer does not depend on the build. */
  all: boolean;
  tell: (event: TestEvent) => void;
  log: Log;
}

/** Runs the bundled suite once inside the extension host of a fresh server. */
export async function runSuiteOn(run: SuiteRun): Promise<void> {
  const cleanup = new Cleanup();
  try {
    const folder = await cleanup.temporaryFolder('peershelf-suite-');
    const workspace = path.join(folder, 'workspace');
    await mkdir(workspace);
    const report = path.join(folder, 'report.jsonl');
    const server = await startVsCodeServer({
      build: run.build,
      dataDir: path.join(folder, 'data'),
      development: true,
      env: { ...homeEnvironment(folder), ...(await suiteEnvironment(report, run)) },
      userSettings: { 'security.workspace.trust.enabled': false },
      log: run.log,
    });
    cleanup.add(() => server.stop());
    const context = await run.browser.newContext();
    cleanup.add(() => context.close());
    const page = await context.newPage();
    const console: string[] = [];
    page.on('console', (message) => console.push(message.text()));
    await page.goto(server.url(workspace, { extensions: [REPOSITORY], testsPath: SUITE }));
    const told = await follow(report, run.tell, () =>
      console.slice(-KEPT_CONSOLE_LINES).join('\n'),
    );
    if (told === 1 && run.grep === undefined) {
      throw new Error('the suite ran no test');
    }
  } finally {
    await cleanup.run();
  }
}

/** What the suite needs to know; it is handed over in the environment. */
export async function suiteEnvironment(
  report: string,
  { grep, all }: Pick<SuiteRun, 'grep' | 'all'>,
): Promise<Record<string, string>> {
  const files = await suiteFiles();
  return {
    [REPORT_VARIABLE]: report,
    [FILES_VARIABLE]: files.filter((name) => all || !ON_NEWEST_ONLY.has(name)).join(','),
    ...(grep === undefined ? {} : { [GREP_VARIABLE]: grep }),
  };
}

/** Passes on what the report says until it ends; fails when nothing comes for too long. */
async function follow(
  report: string,
  tell: (event: TestEvent) => void,
  context: () => string,
): Promise<number> {
  let told = 0;
  let last: TestEvent | undefined;
  let deadline = Date.now() + SILENCE_TIMEOUT_MS;
  while (last?.type !== 'end') {
    const events = await readReport(report);
    for (const event of events.slice(told)) {
      tell(event);
      last = event;
      deadline = Date.now() + SILENCE_TIMEOUT_MS;
    }
    told = events.length;
    if (Date.now() > deadline) {
      throw new Error(`${silence(last)} for ${SILENCE_TIMEOUT_MS} ms\n${context()}`);
    }
    await delay(POLL_MS);
  }
  return told;
}

function silence(last: TestEvent | undefined): string {
  if (last === undefined) {
    return 'no report from the extension host';
  }
  return last.type === 'start' ? `"${last.title}" has been running` : 'nothing new in the report';
}
