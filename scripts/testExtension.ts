// Runs the extension in real VS Code: the suite inside the extension host, then the tests that
// drive the workbench, on the oldest and the newest supported build.
//   npm run test:extension -- [--build oldest|newest] [--grep PATTERN] [--only suite|workbench] [--all]
// The oldest build does without some files, unless --all is said.
import { rm } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { buildExtension, buildTests } from './host/builds';
import { launchBrowser } from './host/browser';
import { runSuiteOn } from './host/extensionSuite';
import { FAILURES } from './host/paths';
import { ensureServerBuild, SERVER_VERSIONS, type BuildName } from './host/serverBuild';
import { formatEvent, Tally, type TestEvent } from './host/testReport';
import { runWorkbenchTests } from './host/workbenchTests';

interface Choice {
  builds: BuildName[];
  grep: string | undefined;
  suite: boolean;
  workbench: boolean;
  all: boolean;
}

const log = (line: string): void => console.log(line);

function readChoice(): Choice {
  const { values } = parseArgs({
    options: {
      build: { type: 'string' },
      grep: { type: 'string' },
      only: { type: 'string' },
      all: { type: 'boolean' },
    },
  });
  const builds = (Object.keys(SERVER_VERSIONS) as BuildName[]).filter(
    (name) => values.build === undefined || values.build === name,
  );
  if (builds.length === 0 || ![undefined, 'suite', 'workbench'].includes(values.only)) {
    throw new Error(
      'usage: [--build oldest|newest] [--grep PATTERN] [--only suite|workbench] [--all]',
    );
  }
  return {
    builds,
    grep: values.grep,
    suite: values.only !== 'workbench',
    workbench: values.only !== 'suite',
    all: values.all === true,
  };
}

async function main(): Promise<void> {
  const choice = readChoice();
  const tally = new Tally();
  const tell = (event: TestEvent): void => {
    tally.add(event);
    const line = formatEvent(event);
    if (line !== undefined) {
      log(line);
    }
  };
  await rm(FAILURES, { recursive: true, force: true });
  // The same bundles are packed: a test of the package runs beside others, which use them.
  await buildExtension({ production: true });
  if (choice.suite) {
    await buildTests();
    await runSuites(choice, tally, tell);
  }
  if (choice.workbench) {
    for (const name of choice.builds) {
      await ensureServerBuild(SERVER_VERSIONS[name], log);
      log(`\nworkbench, ${name} build`);
      await runWorkbenchTests({ build: name, grep: choice.grep, all: choice.all }, tell);
    }
  }
  if (tally.passed + tally.failed === 0) {
    log('no test ran');
    tally.fail();
  }
  log(`\n${tally.summary()}`);
  process.exitCode = tally.failed === 0 ? 0 : 1;
}

async function runSuites(
  choice: Choice,
  tally: Tally,
  tell: (event: TestEvent) => void,
): Promise<void> {
  const browser = await launchBrowser(log);
  try {
    for (const name of choice.builds) {
      const build = await ensureServerBuild(SERVER_VERSIONS[name], log);
      log(`\nextension host, ${name} build (VS Code ${build.vscodeVersion})`);
      const run = { build, browser, grep: choice.grep, all: choice.all || name === 'newest' };
      await runSuiteOn({ ...run, tell, log }).catch((error: unknown) => {
        log(`  FAIL  ${String(error)}`);
        tally.fail();
      });
    }
  } finally {
    await browser.close();
  }
}

main().catch((error: unknown) => {
  console.error(error);
  log('0 passed, 1 failed');
  process.exitCode = 1;
});
