import { stripVTControlCharacters } from 'node:util';
import Mocha from 'mocha';
import type { TestEvent } from './testReport';

/**
 * Runs what is loaded into a Mocha instance and tells what happens. Tests that are skipped are told once for
 * each suite; skipping where nothing failed is a failure, since nobody would notice it.
 */
export function runMocha(mocha: Mocha, tell: (event: TestEvent) => void): Promise<void> {
  const skipped = new Map<Mocha.Suite, number>();
  return new Promise((resolve) => {
    const runner = mocha.run((failures) => {
      if (skipped.size > 0 && failures === 0)
        tell({ type: 'fail', title: 'the run', error: 'tests were skipped, and none has failed' });
      tell({ type: 'end' });
      resolve();
    });
    runner.on('test', (test) => tell({ type: 'start', title: test.fullTitle() }));
    runner.on('pass', (test) =>
      tell({ type: 'pass', title: test.fullTitle(), ms: test.duration ?? 0 }),
    );
    runner.on('pending', ({ parent }) => {
      if (parent !== undefined) skipped.set(parent, (skipped.get(parent) ?? 0) + 1);
    });
    runner.on('suite end', (suite) => {
      const count = skipped.get(suite);
      if (count !== undefined)
        tell({ type: 'skip', title: `${suite.fullTitle()}: ${count} tests` });
    });
    runner.on('fail', (test, error: unknown) =>
      tell({ type: 'fail', title: test.fullTitle(), error: errorText(error) }),
    );
  });
}

/** Stack and causes of an error. */
export function errorText(error: unknown): string {
  if (!(error instanceof Error)) {
    return String(error);
  }
  const own = stripVTControlCharacters(error.stack ?? error.message);
  return error.cause === undefined ? own : `${own}\nCaused by: ${errorText(error.cause)}`;
}

/** A Mocha that prints nothing itself: the events are told elsewhere. */
export function quietMocha(timeoutMs: number, grep: string | undefined): Mocha {
  return new Mocha({
    ui: 'bdd',
    timeout: timeoutMs,
    reporter: function () {} as unknown as Mocha.ReporterConstructor,
    ...(grep === undefined ? {} : { grep }),
  });
}
