import { appendFileSync } from 'node:fs';
import type Mocha from 'mocha';
import {
  errorText,
  quietMocha,
  runMocha,
  tellSkippedOnce,
} from '../../../scripts/host/mochaEvents';
import {
  FILES_VARIABLE,
  GREP_VARIABLE,
  REPORT_VARIABLE,
  type TestEvent,
} from '../../../scripts/host/testReport';

const TEST_TIMEOUT_MS = 20_000;

/** Entry point that VS Code calls inside the extension host. */
export async function run(): Promise<void> {
  let failures = 0;
  const tell = (event: TestEvent): void => {
    failures += event.type === 'fail' ? 1 : 0;
    // Written at once, so that a run that hangs shows where.
    appendFileSync(required(REPORT_VARIABLE), `${JSON.stringify(event)}\n`);
  };
  try {
    await runMocha(await loadTests(), tellSkippedOnce(tell));
  } catch (error) {
    tell({ type: 'end', error: errorText(error) });
    throw error;
  }
  if (failures > 0) {
    throw new Error(`${failures} tests failed`);
  }
}

async function loadTests(): Promise<Mocha> {
  const mocha = quietMocha(TEST_TIMEOUT_MS, process.env[GREP_VARIABLE]);
  for (const name of required(FILES_VARIABLE).split(',')) {
    // `describe` and `it` become globals here, so the files are loaded afterwards. The bundler
    // takes in every file that fits this pattern.
    mocha.suite.emit('pre-require', globalThis, name, mocha);
    await import(`./${name}.test.ts`);
  }
  return mocha;
}

function required(variable: string): string {
  const value = process.env[variable];
  if (value === undefined || value === '') {
    throw new Error(`${variable} is not set; start the suite with "npm run test:extension"`);
  }
  return value;
}
