import { comparedNames } from './foldedName';
import { NamePatterns } from './namePatterns';
import { HARMLESS_DOT_FILES, RISKY_FILES, type RiskFamily } from './riskyFiles';

/** Why a file is not placed unasked. */
export interface Risk {
  readonly family: RiskFamily;
  /** In English, for logs and developers. */
  readonly reason: string;
}

/** A short name of Windows, such as `GIT~1`: the name that it stands for cannot be seen. */
const SHORT_NAME = /^[^.]{1,6}~\d+(?:\..{0,3})?$/u;

const SHORT: Risk = { family: 'hidden', reason: 'may be the short name of another file' };
const DOT_FILE: Risk = { family: 'hidden', reason: 'begins with a dot, as settings do' };

const patterns = new NamePatterns<Risk>(
  RISKY_FILES.map(([family, names, reason]) => [names, { family, reason }]),
);
const harmless = new Set(HARMLESS_DOT_FILES.flatMap(([names]) => names.split(' ')));

/**
 * Why a file at this relative path could make a program run, or be obeyed by one; undefined when it is
 * an ordinary file. Compared as the most forgiving file system does: whatever the case, without trailing
 * dots and spaces, streams, and characters that nobody sees.
 */
export function riskOf(path: string): Risk | undefined {
  const found = patterns.find(path);
  if (found !== undefined) return found;
  const names = path.split(/[\\/]/u).flatMap(comparedNames);
  if (names.some((name) => SHORT_NAME.test(name))) return SHORT;
  return names.some((name) => name.startsWith('.') && !harmless.has(name)) ? DOT_FILE : undefined;
}

export function isRiskyPath(path: string): boolean {
  return riskOf(path) !== undefined;
}
