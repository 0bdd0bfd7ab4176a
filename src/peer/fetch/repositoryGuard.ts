import { existsSync, rmdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { PeershelfError } from '../../common/errors';
import { comparedNames } from '../../common/foldedName';
import { RealFolders } from './realFolders';

const HEAD = 'HEAD';
/**
 * Names that, beside `HEAD`, make Git take a folder for a repository, or give it settings once it is one.
 * `commondir` leads to a folder elsewhere that has the others.
 */
const COMPANIONS = ['objects', 'refs', 'config', 'commondir'];
/** Folder, or file that leads to one: `git init` keeps what it finds there. */
const GIT_FOLDER = '.git';
const MEMBERS: ReadonlySet<string> = new Set([HEAD.toLowerCase(), ...COMPANIONS]);

/** Places that a fetch is about to fill; held until they are filled, or will not be. */
export interface Claim {
  /** Places in a folder that is a Git repository, or would become one. */
  readonly refused: ReadonlySet<string>;
  release(): void;
}

/**
 * Keeps fetches from putting together a Git repository in an ordinary folder, or from adding to one: its
 * settings name programs that the next call of Git in that folder runs. Counts what all fetches of this
 * engine are about to place, as each of them may bring one part.
 */
export class RepositoryGuard {
  /** Parts of the pattern that are on their way, by folder, with the number of fetches of each. */
  private readonly coming = new Map<string, Map<string, number>>();

  /** @param paths absolute, of the files of one fetch. */
  claim(paths: readonly string[]): Claim {
    const real = new RealFolders();
    const held: (readonly [folder: string, member: string])[] = [];
    const ways = paths.map((path) => ({ path, folders: real.above(path) }));
    for (const { folders } of ways)
      for (const { folder, child } of folders)
        for (const member of comparedNames(child)) {
          if (!MEMBERS.has(member)) continue;
          this.count(folder, member, 1);
          held.push([folder, member]);
        }
    const verdicts = new Map<string, boolean>();
    const isRepository = (folder: string): boolean => {
      const known = verdicts.get(folder);
      if (known !== undefined) return known;
      const verdict = this.isRepository(folder);
      verdicts.set(folder, verdict);
      return verdict;
    };
    const refused = ways.filter(({ folders }) =>
      folders.some(({ folder, child }) => isGitFolder(child) || isRepository(folder)),
    );
    return {
      refused: new Set(refused.map(({ path }) => path)),
      release: () => {
        for (const [folder, member] of held.splice(0)) this.count(folder, member, -1);
      },
    };
  }

  private isRepository(folder: string): boolean {
    const has = (name: string): boolean =>
      (this.coming.get(folder)?.get(name.toLowerCase()) ?? 0) > 0 || existsSync(join(folder, name));
    return has(HEAD) && COMPANIONS.some(has);
  }

  private count(folder: string, member: string, change: 1 | -1): void {
    const members = this.coming.get(folder) ?? new Map<string, number>();
    const count = (members.get(member) ?? 0) + change;
    if (count > 0) members.set(member, count);
    else members.delete(member);
    if (members.size > 0) this.coming.set(folder, members);
    else this.coming.delete(folder);
  }
}

/**
 * Whether a Git repository stands on the way to this path, or would with it: what is there, and what
 * the path itself adds. Asked directly before and behind everything that makes a name, as another
 * process may place the other part at the same time: of two, the one that looks last sees both.
 */
export function wouldBeRepository(path: string): boolean {
  return new RealFolders().above(path).some(({ folder, child }) => {
    if (isGitFolder(child)) return true;
    const members = comparedNames(child).filter((name) => MEMBERS.has(name));
    if (members.length === 0) return false;
    const has = (name: string): boolean =>
      members.includes(name.toLowerCase()) || existsSync(join(folder, name));
    return has(HEAD) && COMPANIONS.some(has);
  });
}

function isGitFolder(name: string): boolean {
  return comparedNames(name).includes(GIT_FOLDER);
}

/**
 * Makes folders on the way to a path by `make`, unless a Git repository comes of that; takes those that
 * are new and empty back when another process has placed the other part meanwhile.
 * @throws GIT_REPOSITORY
 */
export function makingNoRepository<T>(path: string, make: () => T): T {
  if (wouldBeRepository(path)) throw inRepository(basename(path));
  const missing = missingFolders(dirname(path));
  const made = make();
  if (!wouldBeRepository(path)) return made;
  for (const folder of missing)
    try {
      rmdirSync(folder);
    } catch {
      break; // Not empty: of somebody else by now.
    }
  throw inRepository(basename(path));
}

/** The deepest one first. */
function missingFolders(folder: string): string[] {
  if (existsSync(folder) || dirname(folder) === folder) return [];
  return [folder, ...missingFolders(dirname(folder))];
}

/** The publisher of a file, as far as that is known where it is refused. */
interface Publisher {
  readonly hostname?: string;
  readonly displayName?: string;
}

/** A file that is refused for this reason. */
export function inRepository(name: string, owner: Publisher = {}): PeershelfError {
  const { hostname = '', displayName = '' } = owner;
  return new PeershelfError('GIT_REPOSITORY', `${name} would lie in a Git repository`, {
    details: { name, hostname, displayName },
  });
}

/** The same error; with the name that was asked for and its owner, when it is this one and has none. */
export function namingOwner(error: unknown, name: string, owner: Publisher | undefined): unknown {
  const isNameless =
    PeershelfError.is(error, 'GIT_REPOSITORY') && (error.details['displayName'] ?? '') === '';
  return isNameless ? inRepository(name, owner) : error;
}
