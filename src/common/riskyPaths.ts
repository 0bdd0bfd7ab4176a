import { foldedName } from './foldedName';

/** Folders and files that make programs run when they appear in a workspace, folded as below. */
const RISKY_PARTS: ReadonlySet<string> = new Set([
  '.git',
  '.vscode',
  '.devcontainer',
  '.envrc',
  'package.json',
  'makefile',
  'gnumakefile',
]);
const RISKY_ENDING = '.code-workspace';
/** A short name of Windows, such as `GIT~1`: what it stands for cannot be seen. */
const SHORT_NAME = /^[^.]{1,6}~\d+(?:\..{0,3})?$/u;

/**
 * Whether a file at this relative path (`/` between its parts) could make a program run. Compared as
 * the most forgiving file system does: whatever the case, without trailing dots and spaces, without
 * characters that nobody sees.
 */
export function isRiskyPath(path: string): boolean {
  return path.split('/').some((part) => {
    const folded = foldedName(part);
    return RISKY_PARTS.has(folded) || folded.endsWith(RISKY_ENDING) || SHORT_NAME.test(folded);
  });
}
