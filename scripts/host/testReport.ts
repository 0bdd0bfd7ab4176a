import { readFile } from 'node:fs/promises';

/** Where the suite inside the extension host writes its report, one JSON object per line. */
export const REPORT_VARIABLE = 'PEERSHELF_TEST_REPORT';
/** Names of the suite's test files, without `.test.ts`, separated by commas. */
export const FILES_VARIABLE = 'PEERSHELF_TEST_FILES';
/** Runs only tests whose full title matches this pattern. */
export const GREP_VARIABLE = 'PEERSHELF_TEST_GREP';
/** Which server build tests of the workbench use: `oldest` or `newest`. */
export const BUILD_VARIABLE = 'PEERSHELF_TEST_BUILD';

/** What a run tells while it goes on. A run without `end` did not finish. */
export type TestEvent =
  | { type: 'start'; title: string }
  | { type: 'pass'; title: string; ms: number }
  | { type: 'fail'; title: string; error: string }
  | { type: 'skip'; title: string }
  | { type: 'end'; error?: string };

/** Events of a report so far; a line that is still being written is left out. */
export async function readReport(file: string): Promise<TestEvent[]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as TestEvent);
}

/** The line that a person reads for an event, if any. */
export function formatEvent(event: TestEvent): string | undefined {
  switch (event.type) {
    case 'start':
      return undefined;
    case 'pass':
      return `  ok    ${event.title} (${event.ms} ms)`;
    case 'skip':
      return `  skip  ${event.title}`;
    case 'fail':
      return `  FAIL  ${event.title}\n${indent(event.error)}`;
    case 'end':
      return event.error === undefined ? undefined : `  FAIL  the run\n${indent(event.error)}`;
  }
}

/** Adds up the results of several runs. */
export class Tally {
  passed = 0;
  failed = 0;

  add(event: TestEvent): void {
    if (event.type === 'pass') {
      this.passed += 1;
    } else if (event.type === 'fail' || (event.type === 'end' && event.error !== undefined)) {
      this.failed += 1;
    }
  }

  /** Counts something that went wrong around the tests. */
  fail(): void {
    this.failed += 1;
  }

  summary(): string {
    return `${this.passed} passed, ${this.failed} failed`;
  }
}

function indent(text: string): string {
  return text.replace(/^/gm, '        ');
}
