import { mkdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { throwIfAborted } from '../../../common/abort';
import type { Clock } from '../../../common/clock';
import { mapConcurrently } from '../../../common/concurrency';
import {
  describeError,
  fromWriteError,
  PeershelfError,
  toPlainError,
} from '../../../common/errors';
import type { Logger } from '../../../common/logger';
import { isRiskyPath } from '../../../common/riskyPaths';
import { formatContentId, isSameContent } from '../../../protocol/contentId';
import type { ListedHost, SourceInfo } from '../../../protocol/controlReplies';
import { BATCH_PATH } from '../../../protocol/httpReply';
import { toLocalName } from '../../../protocol/names';
import type { ContentHasher } from '../../hash/contentHasher';
import type { HashPool } from '../../hash/hashPool';
import type { FetchResult, FolderFetchRequest, FolderFetchResult } from '../../peerApi';
import { Destination } from '../destination';
import type { Leftovers } from '../leftovers';
import type { Offers } from '../offers';
import { askPeer, errorForStatus } from '../pieces/peerHttp';
import type { RateLimiter } from '../rateLimiter';
import type { SourceDialer } from '../sourceDialer';
import type { Fetcher, StartOptions } from '../fetcher';
import { type Progress, throttled } from '../throttled';
import type { TransferHandle } from '../transferHandle';
import type { TransferList } from '../transferList';
import { BatchReply } from './batchReply';
import { type FolderFile, isSmall, planFolder, type SmallFile, toBatches } from './folderPlan';

/** Batches under way at the same time: one is written while the next one arrives. */
const BATCHES_AT_ONCE = 3;
/** Files that go their own way at the same time. */
const FILES_AT_ONCE = 4;
/** Sources a batch is asked from before its files go their own way; a false one may cost ten seconds. */
const SOURCES_OF_BATCH = 5;
/** Failures that are told one by one; the others are counted. */
const MAX_TOLD_FAILURES = 1_000;

export interface FolderFetcherDependencies {
  readonly clock: Clock;
  readonly dialer: SourceDialer;
  readonly logger: Logger;
  readonly leftovers: Leftovers;
  readonly pool: HashPool;
  readonly hasher: ContentHasher;
  readonly saveHashes: () => void;
  readonly downloadLimiter: RateLimiter;
  readonly stallMs: number;
  readonly transfers: TransferList;
  readonly fetcher: Pick<Fetcher, 'fetchPart'>;
  readonly offers: Pick<Offers, 'confirmFolder'>;
}

interface FolderJob {
  readonly request: FolderFetchRequest;
  readonly hosts: ReadonlyMap<string, ListedHost>;
  readonly handle: TransferHandle;
  readonly tell: Progress;
  /** Hostnames of those who have ended it: nobody of them is asked again. */
  readonly declinedBy: Set<string>;
}

/** What has become of the files so far. */
class Tally {
  fetched = 0;
  alreadyThere = 0;
  receivedBytes = 0;
  /** Of the files that are in their places. */
  doneBytes = 0;
  /** Bytes of files that are under way, a few at a time. */
  private readonly moving = new Map<FolderFile, number>();
  failedCount = 0;
  readonly failed: { name: string; error: ReturnType<typeof toPlainError> }[] = [];

  constructor(
    readonly totalBytes: number,
    private readonly job: FolderJob,
  ) {}

  done(file: FolderFile, outcome: FetchResult['outcome']): void {
    if (outcome === 'fetched') this.fetched += 1;
    else this.alreadyThere += 1;
    this.move(file, file.sizeBytes);
    this.moving.delete(file);
    this.doneBytes += file.sizeBytes;
  }

  /** So many bytes of a file are there. */
  move(file: FolderFile, fileBytes: number): void {
    this.moving.set(file, fileBytes);
    const moving = [...this.moving.values()].reduce((sum, bytes) => sum + bytes, 0);
    const bytes = this.doneBytes + moving;
    this.job.handle.setBytes(bytes);
    this.job.tell(bytes, this.totalBytes);
  }

  fail(file: FolderFile, error: unknown): void {
    this.moving.delete(file);
    this.leaveOut(file.name, error);
  }

  /** A file whose turn never came. */
  leaveOut(name: string, error: unknown): void {
    this.failedCount += 1;
    if (this.failed.length < MAX_TOLD_FAILURES)
      this.failed.push({ name, error: toPlainError(error) });
  }
}

/**
 * Fetches everything below a prefix: small files many at a time over few connections, the others one
 * by one from all their sources. A file that fails keeps no other from arriving.
 */
export class FolderFetcher {
  constructor(private readonly dependencies: FolderFetcherDependencies) {}

  /**
   * @param hosts what the network offers, this peer left out.
   * @throws NOT_FOUND when nobody offers anything there, CANCELLED, and what concerns all files.
   */
  async fetch(
    request: FolderFetchRequest,
    hosts: ReadonlyMap<string, ListedHost>,
    options: StartOptions,
  ): Promise<FolderFetchResult> {
    const { transfers, clock, saveHashes } = this.dependencies;
    const about = {
      direction: 'download',
      name: request.prefix,
      peer: request.hostname ?? '',
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
    const { prefix, hostname, destination } = request;
    const wanted = { prefix, hostname };
    const startMs = this.dependencies.clock.monotonic();
    const { offers } = this.dependencies;
    const { hosts, failures } = await offers.confirmFolder(job.hosts, wanted, handle.signal);
    const { files: planned, ambiguous } = planFolder(hosts, wanted);
    const { files, risky } = withoutRisky(planned, request);
    const failed = [...ambiguous, ...failures.values(), ...risky];
    if (files.length + failed.length === 0)
      throw new PeershelfError('NOT_FOUND', `nobody offers ${prefix}`, {
        details: { name: prefix },
      });
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
    Destination.prepareFolder({ path: join(destination, 'x'), folder, ifExists: 'fail' });
    // One folder beside the files, so that there is one record to clean up after, not thousands.
    const staging = this.dependencies.leftovers.reserve(join(destination, 'x'));
    try {
      mkdirSync(staging.path);
      const batch = new SmallFiles(this.dependencies, job, staging.path);
      const left = await mapConcurrently(toBatches(files), BATCHES_AT_ONCE, (some) =>
        batch.fetch(some, tally),
      );
      return left.flat();
    } finally {
      staging.release();
    }
  }

  private async fetchOne(file: FolderFile, job: FolderJob, tally: Tally): Promise<void> {
    throwIfAborted(job.handle.signal);
    try {
      const sources = file.sources.filter(({ hostname }) => !job.declinedBy.has(hostname));
      const [first] = file.sources;
      if (sources.length === 0 && first !== undefined) throw declined(first);
      const { folder, ifExists } = job.request;
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

/** The error of a single file says who it was. */
function noteDeclined(error: unknown, { declinedBy }: FolderJob): void {
  if (!isDeclined(error)) return;
  const { hostname } = error.details;
  if (typeof hostname === 'string') declinedBy.add(hostname);
}

function isDeclined(error: unknown): error is PeershelfError {
  return PeershelfError.is(error, 'DECLINED');
}

function declined({ hostname, displayName }: SourceInfo): PeershelfError {
  return new PeershelfError('DECLINED', `${hostname} has ended this transfer`, {
    details: { hostname, displayName },
  });
}

/** Files that travel together. */
class SmallFiles {
  private count = 0;

  constructor(
    private readonly dependencies: FolderFetcherDependencies,
    private readonly job: FolderJob,
    private readonly staging: string,
  ) {}

  /** Fetches a batch from one of its sources; gives back the files that did not arrive as wished. */
  async fetch(files: readonly SmallFile[], tally: Tally): Promise<SmallFile[]> {
    const { sources } = files[0] ?? { sources: [] };
    for (const source of sources.slice(0, SOURCES_OF_BATCH)) {
      if (this.job.declinedBy.has(source.hostname)) continue;
      try {
        return await this.job.handle.throughPauses((signal) => {
          this.job.handle.begin();
          return this.fetchFrom(source, files, tally, signal);
        });
      } catch (error) {
        throwIfAborted(this.job.handle.signal);
        if (PeershelfError.is(error, 'DISK_FULL')) throw error;
        this.dependencies.logger.info(`${source.hostname}: ${describeError(error)}`);
        if (isDeclined(error)) this.job.declinedBy.add(source.hostname);
      }
    }
    return [...files];
  }

  private async fetchFrom(
    source: SourceInfo,
    files: readonly SmallFile[],
    tally: Tally,
    signal: AbortSignal,
  ): Promise<SmallFile[]> {
    const { clock, dialer, stallMs, downloadLimiter, pool } = this.dependencies;
    const ids = files.map(({ contentId }) => contentId);
    const reply = new BatchReply(ids);
    if (downloadLimiter.isLimited) await downloadLimiter.take(reply.memory.byteLength, signal);
    await askPeer({
      source: { host: source.ip, port: source.port, fingerprint: source.fingerprint },
      method: 'POST',
      path: BATCH_PATH,
      body: ids.map((id) => `${formatContentId(id)}\n`).join(''),
      ...{ dialer, clock, signal, stallMs },
      onData: (bytes) => {
        tally.receivedBytes += bytes.length;
        reply.push(bytes);
      },
    });
    const items = reply.end();
    if (items.some(({ status }) => status !== 200 && isDeclined(errorForStatus(status))))
      this.job.declinedBy.add(source.hostname);
    this.job.handle.addSource(source.displayName);
    const arrived: { file: SmallFile; start: number; path: string }[] = [];
    const left: SmallFile[] = [];
    const prepared = new Set<string>();
    for (const [index, file] of files.entries()) {
      const start = items[index]?.start;
      const path = start === undefined ? undefined : this.prepare(file, prepared);
      if (start === undefined || path === undefined) left.push(file);
      else arrived.push({ file, start, path });
    }
    // A folder for each batch: threads that make files in the same one wait for each other.
    const staging = join(this.staging, String(this.count++));
    // After a long pause another window may have taken the folder around it for left over.
    mkdirSync(staging, { recursive: true });
    const { outcomes } = await pool.run({
      kind: 'files',
      memory: reply.memory,
      files: arrived.map(({ file, start, path }, index) => ({
        start,
        length: file.contentId.sizeBytes,
        root: file.contentId.root,
        temporary: join(staging, String(index)),
        path,
      })),
    });
    for (const [index, { file }] of arrived.entries()) {
      const outcome = outcomes[index];
      if (outcome === 'fetched' || outcome === 'alreadyThere') tally.done(file, outcome);
      else left.push(file);
    }
    return left;
  }

  /** The place of a file, its folder made and checked; undefined leaves it to who says what is wrong. */
  private prepare(file: SmallFile, prepared: Set<string>): string | undefined {
    const { folder } = this.job.request;
    try {
      const path = placeOf(file, this.job);
      const parent = dirname(path);
      if (!prepared.has(parent))
        Destination.prepareFolder({ path: join(parent, 'x'), folder, ifExists: 'fail' });
      prepared.add(parent);
      return path;
    } catch {
      return undefined; // Tried again on its own, where the failure is kept.
    }
  }
}

/** The files that may be fetched without asking, and why the others may not. */
function withoutRisky(
  files: readonly FolderFile[],
  { guardedAs, prefix }: FolderFetchRequest,
): { readonly files: readonly FolderFile[]; readonly risky: readonly PeershelfError[] } {
  if (guardedAs === undefined) return { files, risky: [] };
  const isRisky = ({ name }: FolderFile): boolean =>
    isRiskyPath(`${guardedAs}/${name.slice(prefix.length)}`);
  const risky = files.filter(isRisky).map(
    ({ name }) =>
      new PeershelfError('RISKY_PLACE', `${name} could make programs run there`, {
        details: { name },
      }),
  );
  return { files: files.filter((file) => !isRisky(file)), risky };
}

/** A destination that is its own limit has to be there before anything can be inside. */
function makeDestination({ destination, folder }: FolderFetchRequest): void {
  if (folder !== destination) return;
  try {
    mkdirSync(destination, { recursive: true });
  } catch (error) {
    throw fromWriteError(error, destination);
  }
}

/** @throws INVALID_NAME when the name would lead elsewhere. */
function placeOf({ name }: FolderFile, { request }: FolderJob): string {
  return join(
    request.destination,
    toLocalName(name.slice(request.prefix.length), process.platform),
  );
}

/** The place of a file, when one of its size is there; undefined also leaves it to who says what is wrong. */
function placeIfThere(file: SmallFile, job: FolderJob): string | undefined {
  const { folder } = job.request;
  try {
    const path = placeOf(file, job);
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats?.isFile() !== true || stats.size !== file.sizeBytes) return undefined;
    Destination.prepareFolder({ path, folder, ifExists: 'fail' });
    return path;
  } catch {
    return undefined;
  }
}
