import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import ignore, { type Ignore } from 'ignore';
import picomatch from 'picomatch';
import { PeershelfError } from '../../common/errors';

/** In this order: the later one has the last word. Both are written like `.gitignore`. */
const RULE_FILES = ['.gitignore', '.peershelfignore'];
/** A file of rules larger than this is none that somebody has written. */
const MAX_RULE_BYTES = 1024 * 1024;

/** On these, `Build` and `build` are the same folder. */
const IGNORES_CASE = process.platform === 'win32' || process.platform === 'darwin';

/** What the files of rules in one folder, and in those above it, leave out. */
export class IgnoreRules {
  private constructor(
    private readonly folder: string,
    private readonly own: Ignore | undefined,
    private readonly above: IgnoreRules | undefined,
  ) {}

  /** Reads the rules of a folder. @throws FILE_UNREADABLE: what they leave out is not guessed. */
  static read(folder: string, above: IgnoreRules | undefined): IgnoreRules {
    const texts = RULE_FILES.flatMap((name) => readRules(join(folder, name)) ?? []);
    const own =
      texts.length === 0 ? undefined : ignore({ ignorecase: IGNORES_CASE }).add(texts.join('\n'));
    return new IgnoreRules(folder, own, above);
  }

  /**
   * The rules that hold in a folder that was chosen: those of the folders above, up to its repository
   * or its workspace folder, and its own. Who chooses a folder that is left out itself means it, so
   * the rules above it do not hold then.
   */
  static of(chosen: string, workspaceFolder: string | undefined): IgnoreRules {
    const above = foldersAbove(chosen, workspaceFolder).reduce<IgnoreRules | undefined>(
      (rules, folder) => IgnoreRules.read(folder, rules),
      undefined,
    );
    const isLeftOut = above?.leavesOut(chosen, true) === true;
    return IgnoreRules.read(chosen, isLeftOut ? undefined : above);
  }

  /** Whether the rules leave out what lies at this absolute path; those nearest to it come first. */
  leavesOut(path: string, isFolder: boolean): boolean {
    if (this.own !== undefined) {
      const relative = path.slice(this.folder.length).replace(/^[\\/]/u, '');
      const posix = process.platform === 'win32' ? relative.replaceAll('\\', '/') : relative;
      const { ignored, unignored } = this.own.test(isFolder ? `${posix}/` : posix);
      if (ignored || unignored) return ignored;
    }
    return this.above?.leavesOut(path, isFolder) ?? false;
  }
}

/**
 * Whether a path relative to the workspace folder (`/` between its parts) matches a glob pattern.
 * @throws INVALID_ARGUMENT for a pattern that is none.
 */
export function globMatcher(patterns: readonly string[]): (path: string) => boolean {
  if (patterns.length === 0) return () => false;
  try {
    return picomatch([...patterns], { dot: true, nocase: IGNORES_CASE });
  } catch (cause) {
    const details = { argument: patterns.join(', ') };
    throw new PeershelfError('INVALID_ARGUMENT', 'a glob pattern is not valid', { cause, details });
  }
}

/** The folders above `chosen` that have a say, from the outermost one to its parent. */
function foldersAbove(chosen: string, workspaceFolder: string | undefined): string[] {
  const ways = [chosen];
  for (let folder = dirname(chosen); folder !== ways.at(-1); folder = dirname(folder))
    ways.push(folder);
  const repository = ways.findIndex((folder) => existsSync(join(folder, '.git')));
  const workspace = workspaceFolder === undefined ? -1 : ways.indexOf(workspaceFolder);
  return ways.slice(1, Math.max(repository, workspace) + 1).reverse();
}

function readRules(path: string): string | undefined {
  try {
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats?.isFile() !== true) return undefined;
    if (stats.size > MAX_RULE_BYTES)
      throw new PeershelfError('FILE_UNREADABLE', `${path} is too large`, { details: { path } });
    return readFileSync(path, 'utf8');
  } catch (cause) {
    if (PeershelfError.is(cause)) throw cause;
    throw new PeershelfError('FILE_UNREADABLE', `cannot read ${path}`, {
      cause,
      details: { path },
    });
  }
}
