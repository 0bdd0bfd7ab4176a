// Runs one file of the tests that drive the workbench, and tells its parent what happens:
// workbenchTests.ts starts it, with the name of the file as its argument.
import { errorText, quietMocha, runMocha } from './mochaEvents';
import { GREP_VARIABLE, type TestEvent } from './testReport';

/** A journey through two windows takes a while on a busy machine. */
const TEST_TIMEOUT_MS = 90_000;

async function main(): Promise<void> {
  const [file = ''] = process.argv.slice(2);
  const grep = process.env[GREP_VARIABLE];
  const mocha = quietMocha(TEST_TIMEOUT_MS, grep === '' ? undefined : grep);
  mocha.addFile(file);
  await runMocha(mocha, tell);
}

function tell(event: TestEvent): void {
  // What a test has left open keeps nobody waiting.
  process.send?.(event, () => event.type === 'end' && process.exit());
}

// With its parent goes all that it has started.
process.once('disconnect', () => process.exit(1));
main().catch((error: unknown) => tell({ type: 'end', error: errorText(error) }));
