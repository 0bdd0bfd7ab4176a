import type { PeershelfError } from '../common/errors';
import { errorMessage } from './errorMessages';
import { foreignText } from './foreignText';

/** Failures that a summary spells out; the log has all. */
const MAX_LISTED = 3;

/** What went wrong with one of several files. */
export interface FileFailure {
  readonly name: string;
  readonly error: PeershelfError;
}

/** One message for all: the summary, and what the first ones failed with. */
export function describeFailures(summary: string, failures: readonly FileFailure[]): string {
  const reasons = failures
    .slice(0, MAX_LISTED)
    .map(({ name, error }) => `${foreignText(name)}: ${errorMessage(error)}`);
  return [summary, ...reasons].join(' ');
}
