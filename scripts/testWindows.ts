// Runs tests on Windows, as Wine has it, with a real Windows Node: the unit and the integration suite,
// and those of a window of VS Code whose server and extension host run there.
//   npm run test:windows -- [--only unit|integration|window] [--file PART]... [--grep PATTERN]
import { parseArgs } from 'node:util';
import { buildExtension } from './host/builds';
import { Cleanup } from './host/cleanup';
import { formatEvent, Tally, type TestEvent } from './host/testReport';
import { runSuite, type SuiteChoice, type SuiteName, SUITES } from './windows/suites';
import { makeTree } from './windows/tree';
import { runWindowTests } from './windows/windowTests';
import { Windows } from './windows/wine';

const log = (line: string): void => console.log(line);

const WINDOW = 'window';

interface Choice extends SuiteChoice {
  readonly suites: readonly SuiteName[];
  readonly window: boolean;
}

function readChoice(): Choice {
  const { values } = parseArgs({
    options: {
      only: { type: 'string' },
      file: { type: 'string', multiple: true },
      grep: { type: 'string' },
    },
  });
  const suites = SUITES.filter((name) => values.only === undefined || values.only === name);
  const window = values.only === undefined || values.only === WINDOW;
  if (suites.length === 0 && !window)
    throw new Error('usage: [--only unit|integration|window] [--file PART]... [--grep PATTERN]');
  return { suites, window, files: values.file, grep: values.grep };
}

/** The results, and how many tests and files the list of what cannot run here leaves out. */
class Results {
  readonly tally = new Tally();
  private leftOut = 0;

  readonly tell = (event: TestEvent): void => {
    this.tally.add(event);
    if (event.type === 'skip') this.leftOut += 1;
    const line = formatEvent(event);
    if (line !== undefined) log(line);
  };

  end(): void {
    if (this.tally.passed + this.tally.failed === 0) {
      log('no test ran');
      this.tally.fail();
    }
    log(`\nleft out: ${this.leftOut}`);
    log(this.tally.summary());
    process.exitCode = this.tally.failed === 0 ? 0 : 1;
  }
}

async function main(): Promise<void> {
  const choice = readChoice();
  const results = new Results();
  const cleanup = new Cleanup();
  try {
    await Promise.race([runAll(choice, results, cleanup), interrupted()]);
  } finally {
    await cleanup.run();
  }
  results.end();
}

async function runAll(choice: Choice, results: Results, cleanup: Cleanup): Promise<void> {
  if (choice.suites.length > 0) await runSuites(choice, results, cleanup);
  if (choice.window) await timed(WINDOW, () => runWindowTests(choice, results.tell));
}

async function runSuites(choice: Choice, { tell }: Results, cleanup: Cleanup): Promise<void> {
  const windows = await Windows.start(cleanup, log);
  const folder = await cleanup.temporaryFolder('peershelf-windows-');
  await buildExtension();
  const tree = await makeTree(cleanup);
  for (const suite of choice.suites)
    await timed(suite, () => runSuite(suite, choice, { windows, tree, folder, tell }));
}

async function timed(what: string, run: () => Promise<void>): Promise<void> {
  log(`\n${what} tests on Windows`);
  const startMs = performance.now();
  await run();
  log(`${what} tests on Windows: ${((performance.now() - startMs) / 1000).toFixed(0)} s`);
}

function interrupted(): Promise<never> {
  return new Promise((_, reject) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
      process.once(signal, () => reject(new Error(`ended by ${signal}`)));
  });
}

main().then(
  () => process.exit(),
  (error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    log('0 passed, 1 failed');
    process.exit(1);
  },
);
