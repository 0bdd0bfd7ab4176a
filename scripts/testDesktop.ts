// Runs the suite of the extension host in desktop VS Code, which is downloaded on first use.
//   npm run test:desktop -- [--build oldest|newest] [--grep PATTERN]
// On Linux without a display: xvfb-run -a npm run test:desktop
import { mkdir } from 'node:fs/promises';
import * as path from 'node:path';
import { parseArgs } from 'node:util';
import { runTests } from '@vscode/test-electron';
import { buildExtension, buildTests, SUITE } from './host/builds';
import { Cleanup } from './host/cleanup';
import { suiteEnvironment } from './host/extensionSuite';
import { errorText } from './host/mochaEvents';
import { CACHE, REPOSITORY } from './host/paths';
import { formatEvent, readReport, Tally } from './host/testReport';

/** What `engines.vscode` promises, and what people have today. */
const VERSIONS = { oldest: '1.103.0', newest: 'stable' } as const;

const log = (line: string): void => console.log(line);

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { build: { type: 'string' }, grep: { type: 'string' } },
  });
  const chosen = Object.entries(VERSIONS).filter(
    ([name]) => values.build === undefined || values.build === name,
  );
  if (chosen.length === 0) {
    throw new Error('usage: [--build oldest|newest] [--grep PATTERN]');
  }
  requireDisplay();
  await buildExtension();
  await buildTests();
  const tally = new Tally();
  for (const [name, version] of chosen) {
    log(`\ndesktop, ${name} build (VS Code ${version})`);
    await runVersion(version, values.grep, tally);
  }
  log(`\n${tally.summary()}`);
  process.exitCode = tally.failed === 0 ? 0 : 1;
}

function requireDisplay(): void {
  const { DISPLAY, WAYLAND_DISPLAY } = process.env;
  if (process.platform === 'linux' && DISPLAY === undefined && WAYLAND_DISPLAY === undefined) {
    throw new Error('VS Code needs a display; run it as: xvfb-run -a npm run test:desktop');
  }
}

async function runVersion(version: string, grep: string | undefined, tally: Tally): Promise<void> {
  const cleanup = new Cleanup();
  try {
    const folder = await cleanup.temporaryFolder('peershelf-desktop-');
    const workspace = path.join(folder, 'workspace');
    await mkdir(workspace);
    const report = path.join(folder, 'report.jsonl');
    const failure = await runTests({
      version,
      cachePath: CACHE,
      extensionDevelopmentPath: REPOSITORY,
      extensionTestsPath: SUITE,
      extensionTestsEnv: await suiteEnvironment(report, { grep, all: version === VERSIONS.newest }),
      launchArgs: [workspace, ...isolation(folder)],
    }).then(
      () => undefined,
      (error: unknown) => error,
    );
    await tellReport(report, failure, tally);
  } finally {
    await cleanup.run();
  }
}

/** Keeps the user's own VS Code out of it. */
function isolation(folder: string): string[] {
  return [
    `--user-data-dir=${path.join(folder, 'data')}`,
    `--extensions-dir=${path.join(folder, 'extensions')}`,
    '--disable-extensions',
    '--disable-workspace-trust',
    '--disable-updates',
    '--skip-welcome',
    '--skip-release-notes',
    ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
  ];
}

/** A run that ended without a full report counts as failed, whatever its exit code says. */
async function tellReport(report: string, failure: unknown, tally: Tally): Promise<void> {
  const events = await readReport(report);
  for (const event of events) {
    tally.add(event);
    const line = formatEvent(event);
    if (line !== undefined) {
      log(line);
    }
  }
  const complete = events.length > 1 && events.at(-1)?.type === 'end';
  if (!complete || (failure !== undefined && tally.failed === 0)) {
    log(`  FAIL  the run: ${complete ? errorText(failure) : 'no complete report'}`);
    tally.fail();
  }
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
