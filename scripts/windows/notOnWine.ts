/** A test, or a whole file of tests, that cannot succeed under Wine. */
export interface NotOnWine {
  /** Path below `test`, without `.test.ts`. */
  readonly file: string;
  /** Full title; without one the whole file is left out. */
  readonly title?: string;
  readonly reason: string;
  /**
   * Most of these tests run all the same, as one that passes is an error: it does not belong here. This
   * one does not run, since it would only end at its deadline, or fail those that come after it.
   */
  readonly neverRun?: boolean;
}

/** Everything that `npm run test:windows` leaves out. */
export const NOT_ON_WINE: readonly NotOnWine[] = [
  {
    file: 'unit/common/processExists',
    title:
      'processExists does not count a process that has ended and that its parent never asks after',
    reason: 'There are no zombies on Windows.',
  },
  {
    file: 'integration/commandLine',
    title: 'the command line cancels a fetch on SIGINT and removes what it had',
    reason: 'A signal from another process ends a program on Windows at once.',
  },
];
