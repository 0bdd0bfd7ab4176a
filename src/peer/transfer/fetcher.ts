import { existsSync, statSync } from 'node:fs';
import { abortable, throwIfAborted } from '../../common/abort';
import type { Clock } from '../../common/clock';
import { describeError, type ErrorCode, PeershelfError } from '../../common/errors';
import type { Logger } from '../../common/logger';
import { type ContentId, formatContentId, isSameContent } from '../../protocol/contentId';
import type { LocatedSource } from '../../protocol/controlRepliesV2';
import type { SourceInfo } from '../../protocol/controlReplies';
import { inRepository, namingOwner, type RepositoryGuard } from '../fetch/repositoryGuard';
import { RealFolders } from '../fetch/realFolders';
import { riskOfPlace, riskyPlace } from '../fetch/riskyPlace';
import type { FetchOptions, FetchRequest, FetchResult } from '../peerApi';
import { isWanted } from '../wantedSources';
import { Destination, destinationExists } from './destination';
import { download } from './download';
import { DownloadPart, type Leftovers } from './leftovers';
import type { ContentSource } from './pieces/contentDownload';
import type { ContentFetcher, ContentJob } from './pieces/contentFetcher';
import { Semaphore } from './semaphore';
import type { SourceDialer } from './sourceDialer';
import { throttled } from './throttled';
import type { RunOptions, TransferHandle } from './transferHandle';
import type { TransferList } from './transferList';

/** Downloads at the same time. */
const MAX_DOWNLOADS = 4;
/** Downloads that wait for their turn. */
const MAX_QUEUED_DOWNLOADS = 10_000;
/** Sources tried before a fetch gives up. */
const MAX_ATTEMPTS = 5;

/** Failures of one publisher after which another one may still succeed. */
const TRY_NEXT_SOURCE: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'CONNECTION_LOST',
  'FILE_GONE',
  'FILE_UNREADABLE',
  'INVALID_MESSAGE',
  'LENGTH_MISMATCH',
  'LINE_TOO_LONG',
  'NOT_PUBLISHED',
  'PEER_BUSY',
  'PEER_IDENTITY_MISMATCH',
  'PEER_UNREACHABLE',
  'STALLED',
]);

export interface FetcherDependencies {
  readonly clock: Clock;
  readonly dialer: SourceDialer;
  readonly logger: Logger;
  readonly transfers: TransferList;
  readonly leftovers: Leftovers;
  readonly stallMs: number;
  readonly contents: ContentFetcher;
  readonly repositories: RepositoryGuard;
  /** Stores what is known of the files that have arrived. */
  readonly saveHashes: () => void;
  /** Who has a content now, this peer left out. */
  readonly locate: (id: ContentId) => Promise<readonly LocatedSource[]>;
}

export type StartOptions = FetchOptions & RunOptions;

/** Runs downloads: chooses the source, writes beside the destination, places the finished file. */
export class Fetcher {
  private readonly turns = new Semaphore(MAX_DOWNLOADS, MAX_QUEUED_DOWNLOADS);

  constructor(private readonly dependencies: FetcherDependencies) {}

  /** @param sources who offers the name, this peer left out. */
  async fetch(
    request: FetchRequest,
    sources: readonly SourceInfo[],
    options: StartOptions,
  ): Promise<FetchResult> {
    const candidates = chooseSources(request, sources);
    refuseRisky(request, candidates[0]);
    const { destination, name } = request;
    const claim = this.dependencies.repositories.claim([destination]);
    try {
      if (claim.refused.has(destination)) throw inRepository(name, candidates[0]);
      return await this.start(request, candidates, options);
    } catch (error) {
      throw namingOwner(error, name, candidates[0]);
    } finally {
      claim.release();
    }
  }

  private start(
    request: FetchRequest,
    candidates: readonly SourceInfo[],
    options: StartOptions,
  ): Promise<FetchResult> {
    const first = prepare(request, candidates);
    const about = {
      direction: 'download',
      name: request.name,
      peer: first.displayName,
      totalBytes: first.size,
      state: 'waiting',
      wish: { kind: 'file', request },
      path: request.destination,
    } as const;
    const { transfers, saveHashes } = this.dependencies;
    return transfers.run(about, options, (handle) =>
      this.run({ request, candidates, handle, options }).finally(saveHashes),
    );
  }

  /** As `fetch`, as a part of a transfer that is under way. */
  async fetchPart(
    request: FetchRequest,
    sources: readonly SourceInfo[],
    { handle, onBytes }: { handle: TransferHandle; onBytes: (bytes: number) => void },
  ): Promise<FetchResult> {
    const candidates = chooseSources(request, sources);
    const part: TransferHandle = {
      id: handle.id,
      signal: handle.signal,
      get isCancelled() {
        return handle.isCancelled;
      },
      throughPauses: (attempt) => handle.throughPauses(attempt),
      begin: () => handle.begin(),
      setTotal: () => undefined,
      setBytes: onBytes,
      setLeftOut: () => undefined,
      addSource: (displayName) => handle.addSource(displayName),
      setContent: () => undefined,
      setPath: () => undefined,
      finish: () => undefined,
    };
    try {
      prepare(request, candidates);
      return await this.run({ request, candidates, handle: part, options: {} });
    } catch (error) {
      throw namingOwner(error, request.name, candidates[0]);
    }
  }

  /** Removes what an earlier attempt has left of a content for this place. */
  discard(destination: string, contentId: ContentId): void {
    this.dependencies.leftovers.discard(destination, contentId);
  }

  private async run(job: FetchJob): Promise<FetchResult> {
    const { candidates, handle } = job;
    const contentId = candidates[0]?.contentId;
    if (contentId === undefined)
      return this.inTurns(handle, (signal) => this.fetchFromAny({ ...job, signal }));
    handle.setContent(contentId);
    const part = new DownloadPart(this.dependencies.leftovers, contentId);
    let sources = candidates.map(toContentSource);
    let isFirst = true;
    let isWanted = false;
    try {
      return await this.inTurns(handle, async (signal) => {
        if (!isFirst) sources = await this.locateAnew(contentId, sources, signal);
        isFirst = false;
        return this.fetchContent(contentId, { ...job, signal }, { part, sources });
      });
    } catch (error) {
      // Whoever cancels does not want it; whatever else goes wrong may go better next time.
      isWanted = !handle.isCancelled;
      throw error;
    } finally {
      part.end(isWanted);
    }
  }

  /** Runs when a turn has come. A pause gives it to others; whoever goes on waits for another. */
  private inTurns<T>(
    handle: TransferHandle,
    attempt: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    return handle.throughPauses((signal) =>
      this.turns.run(() => {
        handle.begin();
        return attempt(signal);
      }, signal),
    );
  }

  /** Who has the content after a pause; who had it before, when that cannot be found out. */
  private async locateAnew(
    contentId: ContentId,
    before: readonly ContentSource[],
    signal: AbortSignal,
  ): Promise<ContentSource[]> {
    const { locate, logger } = this.dependencies;
    try {
      const located = await abortable(locate(contentId), signal);
      if (located.length > 0) return located.map(toContentSource);
    } catch (error) {
      throwIfAborted(signal);
      logger.info(`looking for sources: ${describeError(error)}`);
    }
    return [...before];
  }

  /** By content, from everyone who has it, under whatever name. */
  private async fetchContent(
    contentId: ContentId,
    { request, candidates, handle, signal, options }: FetchAttempt,
    { part, sources }: Pick<ContentJob, 'part' | 'sources'>,
  ): Promise<FetchResult> {
    const { clock, contents, locate } = this.dependencies;
    const startMs = clock.monotonic();
    const { sizeBytes } = contentId;
    const tell = throttled(clock, options.onProgress);
    handle.setTotal(sizeBytes);
    const fetched = await contents.fetch({
      request,
      contentId,
      sources,
      findSources: async () => (await locate(contentId)).map(toContentSource),
      signal,
      part,
      onSource: ({ displayName }) => handle.addSource(displayName),
      onProgress: (bytes) => {
        handle.setBytes(bytes);
        tell(bytes, sizeBytes);
      },
    });
    handle.setPath(fetched.path);
    const [owner] = candidates;
    return {
      outcome: fetched.outcome,
      path: fetched.path,
      sizeBytes,
      durationMs: clock.monotonic() - startMs,
      hostname: owner?.hostname ?? '',
      displayName: owner?.displayName ?? '',
      ...(owner?.fingerprint !== undefined && { identity: owner.fingerprint }),
      changedSincePublished: false,
      contentId: formatContentId(contentId),
      receivedBytes: fetched.receivedBytes,
      keptBytes: fetched.keptBytes,
      sources: fetched.sources.map(({ displayName }) => displayName),
    };
  }

  private async fetchFromAny(job: FetchAttempt): Promise<FetchResult> {
    const { request, candidates, signal } = job;
    const { leftovers, logger } = this.dependencies;
    const wanted = { ...request, path: request.destination, folder: request.folder };
    const place = Destination.openPlace(wanted);
    const destination = new Destination(wanted, place, leftovers.reserve(place));
    try {
      let failure: unknown = notFound(request);
      for (const source of candidates.slice(0, MAX_ATTEMPTS)) {
        throwIfAborted(signal);
        try {
          return await this.fetchFrom(source, destination, job);
        } catch (error) {
          if (!PeershelfError.is(error) || !TRY_NEXT_SOURCE.has(error.code)) throw error;
          logger.info(`${request.name} from ${source.hostname}: ${error.message}`);
          failure = withSource(error, source);
        }
      }
      throw failure;
    } finally {
      destination.dispose();
      place.close();
    }
  }

  private async fetchFrom(
    source: SourceInfo,
    destination: Destination,
    { request, handle, signal, options }: FetchAttempt,
  ): Promise<FetchResult> {
    const { clock, dialer, stallMs } = this.dependencies;
    const startMs = clock.monotonic();
    const tell = throttled(clock, options.onProgress);
    handle.addSource(source.displayName);
    const sizeBytes = await download(
      { host: source.ip, port: source.port, fingerprint: source.fingerprint },
      request.name,
      destination,
      {
        clock,
        dialer,
        signal,
        stallMs,
        maxBytes: request.maxBytes,
        onBytes: (bytes, totalBytes) => {
          handle.setTotal(totalBytes);
          handle.setBytes(bytes);
          tell(bytes, totalBytes);
        },
      },
    );
    throwIfAborted(signal);
    const placed = await destination.place(signal);
    handle.setPath(placed.path);
    return {
      ...placed,
      sizeBytes,
      durationMs: clock.monotonic() - startMs,
      hostname: source.hostname,
      displayName: source.displayName,
      ...(source.fingerprint !== undefined && { identity: source.fingerprint }),
      changedSincePublished: sizeBytes !== source.size,
      receivedBytes: sizeBytes,
      keptBytes: 0,
      sources: [source.displayName],
    };
  }
}

interface FetchJob {
  readonly request: FetchRequest;
  readonly candidates: readonly SourceInfo[];
  readonly handle: TransferHandle;
  readonly options: FetchOptions;
}

/** From the start or the end of a pause to the next one. */
interface FetchAttempt extends FetchJob {
  readonly signal: AbortSignal;
}

/**
 * The sources that offer what was asked for, all of them the same content. Where some say what they
 * have and others do not, as version 1 cannot, only the former count.
 * @throws AMBIGUOUS_NAME when several hosts offer different files and none was named.
 */
function chooseSources(request: FetchRequest, sources: readonly SourceInfo[]): SourceInfo[] {
  const { name } = request;
  const found = sources.filter((source) => isWanted(request, source));
  const known = found.filter(({ contentId }) => contentId !== undefined);
  const usable = known.length > 0 ? known : found;
  const [first] = usable;
  if (first === undefined || usable.every((source) => isSameOffer(source, first))) return usable;
  throw new PeershelfError('AMBIGUOUS_NAME', `several hosts offer different files as ${name}`, {
    details: { name, hostnames: found.map((source) => source.hostname) },
  });
}

/** Without content ids, files are taken for the same when size and time of modification are. */
function isSameOffer(left: SourceInfo, right: SourceInfo): boolean {
  if (left.contentId !== undefined && right.contentId !== undefined)
    return isSameContent(left.contentId, right.contentId);
  return left.size === right.size && left.modified === right.modified;
}

function toContentSource(source: Omit<LocatedSource, 'name'>): ContentSource {
  const { hostname, displayName, ip, port, fingerprint } = source;
  return { hostname, displayName, host: ip, port, fingerprint };
}

/** @throws RISKY_PLACE for what the request does not allow. */
function refuseRisky(
  { name, guardedAs, destination }: FetchRequest,
  owner: SourceInfo | undefined,
): void {
  if (guardedAs === undefined) return;
  const risk = riskOfPlace(guardedAs, destination, new RealFolders());
  if (risk !== undefined && owner !== undefined) throw riskyPlace(name, risk, owner);
}

/** Makes the way to the destination. @throws what keeps it from being fetched there. */
function prepare(request: FetchRequest, candidates: readonly SourceInfo[]): SourceInfo {
  const [first] = candidates;
  if (first === undefined) throw notFound(request);
  Destination.prepareFolder({ ...request, path: request.destination, folder: request.folder });
  if (isCertainConflict(request, first)) throw destinationExists(request.destination);
  return first;
}

/** Other content is there for certain, so that nothing need be transferred to see it. */
function isCertainConflict(request: FetchRequest, source: SourceInfo): boolean {
  const { destination, ifExists } = request;
  if (ifExists !== 'fail' || !existsSync(destination)) return false;
  return statSync(destination).size !== source.size;
}

function notFound({ name, hostname }: FetchRequest): PeershelfError {
  return new PeershelfError('NOT_FOUND', `nobody offers ${name}`, {
    details: hostname === undefined ? { name } : { name, hostname },
  });
}

function withSource(error: PeershelfError, source: SourceInfo): PeershelfError {
  const details = { ...error.details, hostname: source.hostname, displayName: source.displayName };
  return new PeershelfError(error.code, error.message, { cause: error, details });
}
