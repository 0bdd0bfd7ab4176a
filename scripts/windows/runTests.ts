// Runs test files in the Windows Node; started by `suites.ts` in the transpiled copy of the repository.
import { appendFileSync, readFileSync } from 'node:fs';
import type Mocha from 'mocha';
import { errorText, quietMocha, runMocha } from '../host/mochaEvents';
import type { TestEvent } from '../host/testReport';
import type { MochaRun } from './mochaRun';

/** `NOT_ON_WINE` for one process: which tests do not run, and which must fail. */
class Expectations {
  private readonly unknown: Set<string>;

  constructor(private readonly leftOut: MochaRun['leftOut']) {
    this.unknown = new Set(leftOut.map(({ title }) => title));
  }

  /** Takes out the tests that must not run; returns their titles. */
  apply(root: Mocha.Suite): string[] {
    const removed: string[] = [];
    const visit = (suite: Mocha.Suite): void => {
      suite.tests = suite.tests.filter((test) => {
        const title = test.fullTitle();
        this.unknown.delete(title);
        const isRemoved = this.leftOut.some((left) => left.title === title && left.neverRun);
        if (isRemoved) removed.push(title);
        return !isRemoved;
      });
      suite.suites.forEach(visit);
    };
    visit(root);
    return removed;
  }

  /** Titles that no test has. */
  get missing(): string[] {
    return [...this.unknown];
  }

  /** Turns the outcome of a test that must fail around; a skipped one must be in the list. */
  judge(event: TestEvent): TestEvent {
    if (event.type === 'start' || event.type === 'end') return event;
    const { title } = event;
    const isLeftOut = this.leftOut.some((left) => left.title === title);
    if (isLeftOut && event.type === 'pass')
      return { type: 'fail', title, error: 'is in notOnWine.ts, and passes: take it out there' };
    if (isLeftOut) return { type: 'skip', title };
    if (event.type === 'skip')
      return { type: 'fail', title, error: 'is skipped on Windows, and not in notOnWine.ts' };
    return event;
  }
}

async function main(): Promise<void> {
  const run = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as MochaRun;
  const tell = (event: TestEvent): void => appendFileSync(run.report, `${JSON.stringify(event)}\n`);
  process.on('uncaughtException', (error) => {
    // Mocha takes over while tests run; before and after that nobody else tells.
    console.error(error);
    process.exit(1);
  });
  try {
    const mocha = quietMocha(run.timeoutMs, run.grep);
    run.files.forEach((file) => mocha.addFile(file));
    await mocha.loadFilesAsync();
    const expectations = new Expectations(run.leftOut);
    for (const title of expectations.apply(mocha.suite)) tell({ type: 'skip', title });
    for (const title of expectations.missing)
      tell({ type: 'fail', title, error: 'is in notOnWine.ts, and there is no such test' });
    await runMocha(mocha, (event) => tell(expectations.judge(event)));
  } catch (error) {
    tell({ type: 'end', error: errorText(error) });
  }
  // Whether something is left open is shown by the suites on the other systems.
  process.exit();
}

void main();
