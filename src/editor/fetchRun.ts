import { join } from 'node:path';
import { mapConcurrently } from '../common/concurrency';
import {
  describeError,
  type ErrorCode,
  fromPlainError,
  PeershelfError,
  type PlainError,
} from '../common/errors';
import { isRiskyPath } from '../common/riskyPaths';
import type { Logger } from '../common/logger';
import type { EngineApi } from '../peer/enginePort';
import type { FetchOptions, FetchResult, FolderFetchRequest } from '../peer/peerApi';
import { toLocalName } from '../protocol/names';
import type { FileFailure } from './failures';
import type { Wish } from './wantedFile';

/** More than the engine runs at once: the next ones are ready, have their rows, and survive a reload. */
const FETCHES_AT_ONCE = 16;
/** What is wished for in a session ends with it: for the same name another one would have something else. */
const LEFT: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'NOT_A_MEMBER',
  'REPLACED',
  'SESSION_CHANGED',
]);

/** Where a file goes: an absolute path, and the folder that must contain it, if any must. */
export interface Place {
  readonly destination: string;
  readonly folder: string | undefined;
  /** `overwrite` when the user has been asked already. */
  readonly ifExists: 'fail' | 'overwrite';
  /** The path that the user sees, when a file there could make programs run. */
  readonly risk: string | undefined;
}

/** One file and its place. */
export interface FetchJob {
  readonly wish: Wish;
  /** Display name of the publisher; empty when it is not known. */
  readonly owner: string;
  /** For the progress; 0 when it is not known. */
  readonly sizeBytes: number;
  readonly place: Place;
}

export type FolderJob = Omit<FolderFetchRequest, 'ifExists'>;

/** Something else is at the place of a file, or an editor has changes of it that are not saved. */
export interface Conflict {
  readonly job: FetchJob;
  readonly isUnsaved: boolean;
  /** Further ones that wait for an answer. */
  readonly others: number;
}

export interface Decision {
  readonly answer: 'overwrite' | 'keepBoth' | 'skip';
  /** It holds for the other conflicts of this operation, too. */
  readonly forAll: boolean;
}

export interface FetchRunDependencies {
  readonly calls: Pick<EngineApi, 'fetch' | 'fetchFolder'>;
  readonly logger: Logger;
  readonly hasUnsavedChanges: (path: string) => boolean;
  /** Undefined leaves this one and all others as they are. */
  readonly decide: (conflict: Conflict, signal?: AbortSignal) => Promise<Decision | undefined>;
  /** Whose file is meant where several people offer different ones; undefined passes over it and the others. */
  readonly chooseOwner: (name: string, signal?: AbortSignal) => Promise<Wish | undefined>;
  /** Owners that the user names where several people offer files in a folder; undefined for nobody. */
  readonly chooseFolderOwners: (
    folder: string,
    error: PeershelfError,
    signal?: AbortSignal,
  ) => Promise<readonly string[] | undefined>;
  /** Whether to fetch what could make programs run: asked once for all of an operation. */
  readonly allowRisky: (jobs: readonly FetchJob[]) => Promise<boolean>;
}

export interface Fetched {
  readonly wish: Wish;
  readonly result: FetchResult;
}

/** What came of an operation, of however many files and folders. */
export class FetchOutcome {
  /** Files that were fetched one by one, or were there already. */
  readonly single: Fetched[] = [];
  /** Folders of which something was fetched, or was there already. */
  readonly folders: FolderJob[] = [];
  fetched = 0;
  alreadyThere = 0;
  skipped = 0;
  cancelled = 0;
  readonly failures: FileFailure[] = [];
  /** Failures that the engine has counted and not told. */
  untold = 0;

  get failed(): number {
    return this.failures.length + this.untold;
  }

  get total(): number {
    return this.fetched + this.alreadyThere + this.skipped + this.cancelled + this.failed;
  }

  add(wish: Wish, result: FetchResult): void {
    this.single.push({ wish, result });
    if (result.outcome === 'fetched') this.fetched += 1;
    else this.alreadyThere += 1;
  }
}

/**
 * One operation over several files and folders: one progress, one signal that ends it, one outcome.
 * A file that fails keeps no other from arriving. Conflicts are asked about when all the others are
 * through, so that nothing waits for the user that need not.
 */
export class FetchRun {
  private readonly progress: ProgressSum;
  /** The session was left in which everything was wished for. */
  private hasLeft = false;
  /** Files of folders that could make programs run. */
  private readonly risky: FetchJob[] = [];

  constructor(
    private readonly dependencies: FetchRunDependencies,
    private readonly outcome: FetchOutcome,
    private readonly options: FetchOptions,
  ) {
    this.progress = new ProgressSum(options.onProgress);
  }

  /** Nothing more is begun: the user has cancelled it, or left the session. */
  private get isOver(): boolean {
    return this.options.signal?.aborted === true || this.hasLeft;
  }

  async run(jobs: readonly FetchJob[], folders: readonly FolderJob[]): Promise<void> {
    for (const job of jobs) this.progress.set(job, 0, job.sizeBytes);
    const conflicts = await this.attempt(jobs.filter((job) => !isRisky(job)));
    for (const folder of folders) conflicts.push(...(await this.fetchFolder(folder)));
    conflicts.push(...(await this.fetchRisky([...jobs.filter(isRisky), ...this.risky])));
    // In an order that people can follow: they came in that in which they were found.
    await this.settle(conflicts.sort(byDestination));
  }

  /** Fetches what nothing is in the way of; gives back the others. */
  private async attempt(jobs: readonly FetchJob[]): Promise<FetchJob[]> {
    const conflicts: FetchJob[] = [];
    await mapConcurrently(jobs, FETCHES_AT_ONCE, async (job) => {
      const { destination, ifExists } = job.place;
      // The save dialog has asked about the file, but does not know what an editor holds of it.
      if (this.dependencies.hasUnsavedChanges(destination)) conflicts.push(job);
      else if (!(await this.fetch(job, ifExists))) conflicts.push(job);
    });
    return conflicts;
  }

  /** Fetches what could make programs run if the user wants it; gives back what is in the way of. */
  private async fetchRisky(jobs: readonly FetchJob[]): Promise<FetchJob[]> {
    if (jobs.length === 0) return [];
    if (!this.isOver && (await this.dependencies.allowRisky(jobs))) return this.attempt(jobs);
    if (this.isOver) this.outcome.cancelled += jobs.length;
    else this.outcome.skipped += jobs.length;
    return [];
  }

  /** As `fetchFolder`, of the owners that the user names. */
  private async fetchFolderOfOwners(folder: FolderJob, error: PeershelfError): Promise<FetchJob[]> {
    const { chooseFolderOwners } = this.dependencies;
    const hostnames = await chooseFolderOwners(folder.prefix, error, this.options.signal);
    if (hostnames !== undefined && hostnames.length > 0)
      return this.fetchFolder({ ...folder, hostnames });
    this.outcome.skipped += 1;
    return [];
  }

  /**
   * Everything below a prefix; gives back what is in the way of, and keeps what could make programs run
   * for the one question about all of it.
   */
  private async fetchFolder(folder: FolderJob): Promise<FetchJob[]> {
    const { calls } = this.dependencies;
    const { signal } = this.options;
    if (this.isOver) {
      this.outcome.cancelled += 1;
      return [];
    }
    try {
      const onProgress: FetchOptions['onProgress'] = ({ bytes, totalBytes }) =>
        this.progress.set(folder, bytes, totalBytes);
      const result = await calls.fetchFolder(
        { ...folder, ifExists: 'fail' },
        { signal, onProgress },
      );
      this.outcome.fetched += result.fetched;
      this.outcome.alreadyThere += result.alreadyThere;
      // Of the owners that the engine has found, also when something is fetched later.
      const owned = { ...folder, hostnames: result.hostnames ?? folder.hostnames };
      if (result.fetched + result.alreadyThere > 0) this.outcome.folders.push(owned);
      this.outcome.untold += result.failedCount - result.failed.length;
      const conflicts: FetchJob[] = [];
      const ambiguous: FetchJob[] = [];
      for (const { name, error } of result.failed)
        if (error.code === 'DESTINATION_EXISTS') conflicts.push(toJob(name, owned, error));
        else if (error.code === 'RISKY_PLACE') this.risky.push(toJob(name, owned, error));
        else if (error.code === 'AMBIGUOUS_NAME') ambiguous.push(toJob(name, owned, error));
        else this.fail(name, fromPlainError(error));
      this.risky.push(...(await this.chooseOwners(ambiguous, conflicts)));
      return conflicts;
    } catch (error) {
      if (PeershelfError.is(error, 'AMBIGUOUS_FOLDER') && folder.hostnames === undefined)
        return this.fetchFolderOfOwners(folder, error);
      this.fail(folder.prefix, error);
      return [];
    }
  }

  /**
   * Asks whose file is meant under each name, and fetches it; gives back those that could make programs
   * run at their places.
   */
  private async chooseOwners(
    jobs: readonly FetchJob[],
    conflicts: FetchJob[],
  ): Promise<FetchJob[]> {
    const chosen: FetchJob[] = [];
    for (const [index, job] of jobs.entries()) {
      const wish = await this.dependencies.chooseOwner(job.wish.name, this.options.signal);
      if (wish === undefined) {
        this.outcome.skipped += jobs.length - index;
        break;
      }
      chosen.push({ ...job, wish });
    }
    conflicts.push(...(await this.attempt(chosen.filter((job) => !isRisky(job)))));
    return chosen.filter(isRisky);
  }

  /** Asks about each, unless one answer holds for all; then fetches what is wanted. */
  private async settle(conflicts: readonly FetchJob[]): Promise<void> {
    const { decide, hasUnsavedChanges } = this.dependencies;
    const { signal } = this.options;
    const wanted: { job: FetchJob; ifExists: 'overwrite' | 'keepBoth' }[] = [];
    let decision: Decision | undefined;
    for (const [index, job] of conflicts.entries()) {
      const isUnsaved = hasUnsavedChanges(job.place.destination);
      const conflict = { job, isUnsaved, others: conflicts.length - index - 1 };
      if (decision?.forAll !== true && !this.isOver)
        decision = (await decide(conflict, signal)) ?? { answer: 'skip', forAll: true };
      if (this.isOver) this.outcome.cancelled += 1;
      else if (decision === undefined || decision.answer === 'skip') this.outcome.skipped += 1;
      else wanted.push({ job, ifExists: decision.answer });
    }
    await mapConcurrently(wanted, FETCHES_AT_ONCE, async ({ job, ifExists }) => {
      await this.fetch(job, ifExists);
    });
  }

  /** False when other content is in the way; whatever else goes wrong is kept. */
  private async fetch(
    job: FetchJob,
    ifExists: 'fail' | 'overwrite' | 'keepBoth',
  ): Promise<boolean> {
    const { wish, place, sizeBytes } = job;
    const { signal } = this.options;
    const { destination, folder } = place;
    if (this.isOver) {
      this.outcome.cancelled += 1;
      return true;
    }
    try {
      const result = await this.dependencies.calls.fetch(
        { ...wish, destination, folder, ifExists },
        {
          signal,
          onProgress: ({ bytes, totalBytes }) => this.progress.set(job, bytes, totalBytes),
        },
      );
      this.progress.set(job, sizeBytes, sizeBytes);
      this.outcome.add(wish, result);
    } catch (error) {
      if (ifExists === 'fail' && PeershelfError.is(error, 'DESTINATION_EXISTS')) return false;
      this.fail(wish.name, error);
    }
    return true;
  }

  private fail(name: string, cause: unknown): void {
    const error = PeershelfError.from(cause);
    this.dependencies.logger.info(`fetch ${name}: ${describeError(error)}`);
    this.hasLeft ||= LEFT.has(error.code);
    // Also one of many, in the view of transfers: the others go on.
    if (error.code === 'CANCELLED' || this.hasLeft) this.outcome.cancelled += 1;
    else this.outcome.failures.push({ name, error });
  }
}

function byDestination({ place: one }: FetchJob, { place: other }: FetchJob): number {
  return one.destination < other.destination ? -1 : 1;
}

function isRisky({ place }: FetchJob): boolean {
  return place.risk !== undefined && isRiskyPath(place.risk);
}

/**
 * A file of a folder on its own: the content that the engine has met, as the user's answer is for that,
 * whoever else offers something of this name by then.
 * @throws INVALID_NAME, which the engine has refused before.
 */
function toJob(
  name: string,
  { prefix, hostnames = [], destination, folder, guardedAs }: FolderJob,
  { details: { displayName: owner, contentId } }: PlainError,
): FetchJob {
  const hostname = hostnames.length === 1 ? hostnames[0] : undefined;
  const local = toLocalName(name.slice(prefix.length), process.platform);
  return {
    wish: typeof contentId === 'string' ? { name, contentId } : { name, hostname },
    owner: typeof owner === 'string' ? owner : '',
    sizeBytes: 0,
    place: {
      destination: join(destination, ...local.split('/')),
      folder,
      ifExists: 'fail',
      risk: `${guardedAs ?? ''}/${local}`.replace(/^\//u, ''),
    },
  };
}

/** Adds up the progress of what runs side by side. */
class ProgressSum {
  private readonly parts = new Map<object, { readonly bytes: number; readonly total: number }>();
  private bytes = 0;
  private total = 0;

  constructor(private readonly tell: FetchOptions['onProgress']) {}

  set(part: object, bytes: number, total: number): void {
    const before = this.parts.get(part) ?? { bytes: 0, total: 0 };
    const shown = Math.min(bytes, total);
    this.parts.set(part, { bytes: shown, total });
    this.bytes += shown - before.bytes;
    this.total += total - before.total;
    if (bytes > 0) this.tell?.({ bytes: this.bytes, totalBytes: this.total });
  }
}
