import type { TestEvent } from '../host/testReport';

/** Settings of the Windows process that runs tests, handed over in a file. */
export interface MochaRun {
  /** Paths of the test files as Windows writes them. */
  readonly files: readonly string[];
  readonly timeoutMs: number;
  readonly grep: string | undefined;
  /** Full titles that are expected to fail, and whether they run at all. */
  readonly leftOut: readonly { readonly title: string; readonly neverRun: boolean }[];
  /** Receives one event per line as JSON. */
  readonly report: string;
}

export type Tell = (event: TestEvent) => void;
