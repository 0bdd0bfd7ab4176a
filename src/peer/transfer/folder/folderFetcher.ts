import { mkdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { throwIfAborted } from '../../../common/abort';
import { mapConcurrently } from '../../../common/concurrency';
import { describeError, fromWriteError, PeershelfError } from '../../../common/errors';
import { isSameContent } from '../../../protocol/contentId';
import { toLocalName } from '../../../protocol/names';
import type { ListedHost } from '../../../protocol/controlReplies';
import type { ContentHasher } from '../../hash/contentHasher';
import { hostsOfFolder } from '../../fetch/folderOwners';
import { type Claim, inRepository, type RepositoryGuard } from '../../fetch/repositoryGuard';
import { RealFolders } from '../../fetch/realFolders';
import { riskOfPlace, riskyPlace } from '../../fetch/riskyPlace';
import type { FolderFetchRequest, FolderFetchResult } from '../../peerApi';
import { HeldFolder } from '../../fetch/heldFolder';
import { Destination } from '../destination';
import type { Leftovers } from '../leftovers';
import type { Offers } from '../offers';
import type { Fetcher, StartOptions } from '../fetcher';
import { throttled } from '../throttled';
import type { TransferList } from '../transferList';
import { declined, type FolderJob, limitOf, noteDeclined, placeOf, Tally } from './folderJob';
import { type FolderFile, isSmall, planFolder, type SmallFile, toBatches } from './folderPlan';
import { SmallFiles, type SmallFilesDependencies } from './smallFiles';

/** Batches under way at the same time: one is written while the next one arrives. */
const BATCHES_AT_ONCE = 3;
/** Files that go their own way at the same time. */
const FILES_AT_ONCE = 4;

export interface FolderFetcherDependencies extends SmallFilesDependencies {
  readonly leftovers: Leftovers;
  readonly hasher: ContentHasher;
  readonly saveHashes: () => void;
  readonly transfers: TransferList;
  readonly fetcher: Pick<Fetcher, 'fetchPart'>;
  readonly offers: Pick<Offers, 'confirmFolder'>;
  readonly repositories: RepositoryGuard;
}

/**
 * Fetches everything below a prefix: small files many at a time over few connections, the others one
 * by one from all their sources. A file that fails keeps no other from arriving.
 */
export class FolderFetcher {
  constructor(private readonly dependencies: FolderFetcherDependencies) {}

  /**
   * @param hosts what the network offers, this peer left out.
   * @throws NOT_FOUND when nobody offers anything there, AMBIGUOUS_FOLDER, CANCELLED, and what concerns
   * all files.
   */
  async fetch(
    wanted: FolderFetchRequest,
    hosts: ReadonlyMap<string, ListedHost>,
    options: StartOptions,
  ): Promise<FolderFetchResult> {
    const { transfers, clock, saveHashes } = this.dependencies;
    // As a part of the request: when it goes on later, whoever offers something there by then is not meant.
    const request = { ...wanted, hostnames: hostsOfFolder(wanted, hosts) };
    const { prefix, hostnames = [] } = request;
    const about = {
      direction: 'download',
      name: prefix,
      peer: hostnames.length === 1 ? (hosts.get(hostnames[0] ?? '')?.displayName ?? '') : '',
      totalBytes: 0,
      wish: { kind: 'folder', request },
      path: request.destination,
    } as const;
    const tell = throttled(clock, options.onProgress);
    return transfers.run(about, options, (handle) =>
      this.run({ request, hosts, handle, tell, declinedBy: new Set() }).finally(saveHashes),
    );
  }

  private async run(job: FolderJob): Promise<FolderFetchResult> {
    const { request, handle } = job;
    const { prefix, hostnames } = request;
    const wanted = { prefix, hostnames };
    const startMs = this.dependencies.clock.monotonic();
    const { offers } = this.dependencies;
    const { hosts, failures } = await offers.confirmFolder(job.hosts, wanted, handle.signal);
    const { files: planned, ambiguous } = planFolder(hosts, wanted);
    const { files: unasked, risky } = withoutRisky(planned, request);
    const claim = this.dependencies.repositories.claim(placesOf(unasked, job));
    try {
      const { files, refused } = withoutRefused(unasked, job, claim);
      const failed = [...ambiguous, ...failures.values(), ...risky, ...refused];
      if (files.length + failed.length === 0)
        throw new PeershelfError('NOT_FOUND', `nobody offers ${prefix}`, {
          details: { name: prefix },
        });
      return await this.fetchFiles(files, failed, job, startMs);
    } finally {
      claim.release();
    }
  }

  /** @param failed why further files of the folder are left out. */
  private async fetchFiles(
    files: readonly FolderFile[],
    failed: readonly PeershelfError[],
    job: FolderJob,
    startMs: number,
  ): Promise<FolderFetchResult> {
    const { request, handle } = job;
    const { destination } = request;
    makeDestination(request);
    const totalBytes = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    handle.setTotal(totalBytes);
    const tally = new Tally(totalBytes, job);
    for (const error of failed) tally.leaveOut(String(error.details['name']), error);
    const missing = await this.passOver(files.filter(isSmall), job, tally);
    const others = await this.fetchSmall(missing, job, tally);
    const rest = [...files.filter((file) => !isSmall(file)), ...others];
    await mapConcurrently(rest, FILES_AT_ONCE, (file) => this.fetchOne(file, job, tally));
    // What has ended says what is there, not what was wished for.
    handle.setTotal(tally.doneBytes);
    handle.setBytes(tally.doneBytes);
    handle.setLeftOut(tally.failedCount);
    return {
      path: destination,
      hostnames: request.hostnames,
      files: files.length + failed.length,
      fetched: tally.fetched,
      alreadyThere: tally.alreadyThere,
      sizeBytes: totalBytes,
      receivedBytes: tally.receivedBytes,
      durationMs: this.dependencies.clock.monotonic() - startMs,
      failedCount: tally.failedCount,
      failed: tally.failed,
    };
  }

  /** Counts the files that are in their places already; gives back the others. */
  private async passOver(
    files: readonly SmallFile[],
    job: FolderJob,
    tally: Tally,
  ): Promise<SmallFile[]> {
    const there = new Map<SmallFile, string>();
    for (const file of files) {
      const path = placeIfThere(file, job);
      if (path !== undefined) there.set(file, path);
    }
    if (there.size === 0) return [...files];
    const { hasher } = this.dependencies;
    const { signal } = job.handle;
    const hashed = await hasher.hashAll([...there.values()], { signal });
    [...there.keys()].forEach((file, index) => {
      const found = hashed[index];
      const isSame =
        found !== undefined &&
        'contentId' in found &&
        isSameContent(found.contentId, file.contentId);
      if (isSame) tally.done(file, 'alreadyThere');
      else there.delete(file);
    });
    return files.filter((file) => !there.has(file));
  }

  /** Fetches in batches; gives back the files for which that did not do. */
  private async fetchSmall(
    files: readonly SmallFile[],
    job: FolderJob,
    tally: Tally,
  ): Promise<FolderFile[]> {
    if (files.length === 0) return [];
    const { destination, folder } = job.request;
    const place = Destination.openPlace({ path: join(destination, 'x'), folder });
    // One folder beside the files, so that there is one record to clean up after, not thousands.
    const staging = this.dependencies.leftovers.reserve(place);
    let held: HeldFolder | undefined;
    try {
      const made = HeldFolder.makePrivate(place, basename(staging.path));
      held = made;
      const batch = new SmallFiles(this.dependencies, job, made);
      const left = await mapConcurrently(toBatches(files), BATCHES_AT_ONCE, (some) =>
        batch.fetch(some, tally),
      );
      return left.flat();
    } finally {
      held?.close();
      staging.release();
      place.close();
    }
  }

  private async fetchOne(file: FolderFile, job: FolderJob, tally: Tally): Promise<void> {
    throwIfAborted(job.handle.signal);
    try {
      const sources = file.sources.filter(({ hostname }) => !job.declinedBy.has(hostname));
      const [first] = file.sources;
      if (sources.length === 0 && first !== undefined) throw declined(first);
      const { ifExists } = job.request;
      const folder = limitOf(job.request);
      const request = { name: file.name, destination: placeOf(file, job), folder, ifExists };
      const { outcome, receivedBytes } = await this.dependencies.fetcher.fetchPart(
        request,
        sources,
        { handle: job.handle, onBytes: (bytes) => tally.move(file, bytes) },
      );
      tally.receivedBytes += receivedBytes;
      tally.done(file, outcome);
    } catch (error) {
      throwIfAborted(job.handle.signal);
      this.dependencies.logger.info(`${file.name}: ${describeError(error)}`);
      noteDeclined(error, job);
      tally.fail(file, error);
    }
  }
}

/** The files that may be fetched without asking, and why the others may not. */
function withoutRisky(
  files: readonly FolderFile[],
  { guardedAs, prefix, destination }: FolderFetchRequest,
): { readonly files: readonly FolderFile[]; readonly risky: readonly PeershelfError[] } {
  if (guardedAs === undefined) return { files, risky: [] };
  const real = new RealFolders();
  const risky: PeershelfError[] = [];
  const unasked = files.filter(({ name, sources }) => {
    const below = localNameOr(name.slice(prefix.length));
    const risk = riskOfPlace(`${guardedAs}/${below}`, join(destination, below), real);
    if (risk !== undefined) risky.push(riskyPlace(name, risk, sources[0]));
    return risk === undefined;
  });
  return { files: unasked, risky };
}

/** The name that a file gets here, which can be riskier than the one it has; one that is none is refused later. */
function localNameOr(name: string): string {
  try {
    return toLocalName(name, process.platform);
  } catch {
    return name;
  }
}

/** The places that the files go to, as far as their names can be places. */
function placesOf(files: readonly FolderFile[], job: FolderJob): string[] {
  return files.flatMap((file) => placeOrNone(file, job) ?? []);
}

/** A name that is none is left to who says what is wrong with it. */
function placeOrNone(file: FolderFile, job: FolderJob): string | undefined {
  try {
    return placeOf(file, job);
  } catch {
    return undefined;
  }
}

/** The files that lie in no Git repository, and why the others are refused. */
function withoutRefused(
  files: readonly FolderFile[],
  job: FolderJob,
  claim: Claim,
): { readonly files: readonly FolderFile[]; readonly refused: readonly PeershelfError[] } {
  if (claim.refused.size === 0) return { files, refused: [] };
  const isRefused = (file: FolderFile): boolean => claim.refused.has(placeOrNone(file, job) ?? '');
  const refused = files
    .filter(isRefused)
    .map(({ name, sources }) => inRepository(name, sources[0]));
  return { files: files.filter((file) => !isRefused(file)), refused };
}

/** A destination that is its own limit has to be there before anything can be inside. */
function makeDestination(request: FolderFetchRequest): void {
  const { destination } = request;
  if (limitOf(request) !== destination) return;
  try {
    mkdirSync(destination, { recursive: true });
  } catch (error) {
    throw fromWriteError(error, destination);
  }
}

/** The place of a file, when one of its size is there; undefined also leaves it to who says what is wrong. */
function placeIfThere(file: SmallFile, job: FolderJob): string | undefined {
  const folder = limitOf(job.request);
  try {
    const path = placeOf(file, job);
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats?.isFile() !== true || stats.size !== file.sizeBytes) return undefined;
    return Destination.prepareFolder({ path, folder, ifExists: 'fail' });
  } catch {
    return undefined;
  }
}
