import { stripVTControlCharacters } from 'node:util';
import Mocha from 'mocha';
import type { TestEvent } from './testReport';

/** Runs what is loaded into a Mocha instance and tells what happens. */
export function runMocha(mocha: Mocha, tell: (event: TestEvent) => void): Promise<void> {
  return new Promise((resolve) => {
    const runner = mocha.run(() => {
      tell({ type: 'end' });
      resolve();
    });
    runner.on('test', (test) => tell({ type: 'start', title: test.fullTitle() }));
    runner.on('pass', (test) =>
      tell({ type: 'pass', title: test.fullTitle(), ms: test.duration ?? 0 }),
    );
    runner.on('pending', (test) => tell({ type: 'skip', title: test.fullTitle() }));
    runner.on('fail', (test, error: unknown) =>
      tell({ type: 'fail', title: test.fullTitle(), error: errorText(error) }),
    );
  });
}

/**
 * Tells of tests that are skipped one after the other once. Skipping where nothing has failed is a failure,
 * since nobody would notice it.
 */
export function tellSkippedOnce(tell: (event: TestEvent) => void): (event: TestEvent) => void {
  let skipped: string[] = [];
  let failed = false;
  return (event) => {
    if (event.type === 'skip') {
      skipped.push(event.title);
      return;
    }
    failed ||= event.type === 'fail';
    const [first] = skipped;
    // A skipped test starts as well.
    if (first !== undefined && event.type !== 'start') {
      const more = skipped.length === 1 ? '' : `, and the ${skipped.length - 1} after it`;
      const title = `${first}${more}`;
      if (failed) tell({ type: 'skip', title });
      else tell({ type: 'fail', title, error: 'skipped, although none has failed' });
      skipped = [];
    }
    tell(event);
  };
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
