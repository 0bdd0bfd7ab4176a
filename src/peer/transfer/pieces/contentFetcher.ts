import { existsSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type Clock } from '../../../common/clock';
import { mapConcurrently } from '../../../common/concurrency';
import { describeError, fromWriteError, PeershelfError } from '../../../common/errors';
import type { Logger } from '../../../common/logger';
import { type ContentId, isSameContent } from '../../../protocol/contentId';
import { hasLayer } from '../../../protocol/hashTree';
import type { FetchRequest } from '../../peerApi';
import type { ContentHasher } from '../../hash/contentHasher';
import type { HashPool } from '../../hash/hashPool';
import type { LayerStore } from '../../hash/layerStore';
import type { HeldFolder } from '../../fetch/heldFolder';
import { Destination, destinationExists, type Placed } from '../destination';
import type { DownloadPart, Leftovers, ResumableFile } from '../leftovers';
import type { RateLimiter } from '../rateLimiter';
import type { SourceDialer } from '../sourceDialer';
import { BlockPool } from './blockPool';
import { ContentDownload, type ContentSource } from './contentDownload';
import { copyFile } from './localCopy';
import { askForLayer } from './peerHttp';
import { PieceFile } from './pieceFile';

/** 12 MiB that all downloads share: enough to keep several sources and the disk busy. */
const MAX_BLOCKS = 12;
/** Sources asked for piece hashes before a fetch gives up: as many as a download looks at. */
const MAX_LAYER_SOURCES = 64;
/** Asked at the same time, once the first one has failed: each may take long to fail. */
const LAYER_SOURCES_AT_ONCE = 8;

export interface ContentFetcherDependencies {
  readonly clock: Clock;
  readonly dialer: SourceDialer;
  readonly logger: Logger;
  readonly leftovers: Leftovers;
  readonly pool: HashPool;
  readonly hasher: ContentHasher;
  readonly layers: LayerStore;
  readonly downloadLimiter: RateLimiter;
  readonly stallMs: number;
  /** Files of this machine that may have the content. */
  readonly localCopies: (id: ContentId) => readonly string[];
}

export interface ContentJob {
  readonly request: FetchRequest;
  readonly contentId: ContentId;
  readonly sources: readonly ContentSource[];
  /** Asks who has the content now. */
  readonly findSources: () => Promise<readonly ContentSource[]>;
  /** Aborted when this attempt must end; whether another one follows is not known here. */
  readonly signal: AbortSignal;
  /** What attempts leave to each other. */
  readonly part: DownloadPart;
  readonly onProgress: (bytes: number) => void;
  /** A source has sent its first right piece. */
  readonly onSource?: (source: ContentSource) => void;
}

export interface FetchedContent extends Placed {
  /** Bytes that came over the network. */
  readonly receivedBytes: number;
  /** Bytes that an earlier attempt or a file of this machine had. */
  readonly keptBytes: number;
  readonly sources: readonly ContentSource[];
}

/**
 * Fetches a content to its destination: from this machine when it is here already, else from all
 * sources, going on where an earlier attempt has ended.
 */
export class ContentFetcher {
  private readonly blocks = new BlockPool(MAX_BLOCKS);

  constructor(private readonly dependencies: ContentFetcherDependencies) {}

  /** @throws what `ContentDownload` and `Destination` throw. */
  async fetch(job: ContentJob): Promise<FetchedContent> {
    const place = Destination.openPlace(toOptions(job.request));
    try {
      const there = await this.lookAtDestination(job, place);
      if (there !== undefined) return there;
      const copied = await this.copyLocally(job, place);
      return copied ?? (await this.download(job, place));
    } finally {
      place.close();
    }
  }

  /**
   * The destination, when it has the content.
   * @throws DESTINATION_EXISTS when other content is in the way and must stay.
   */
  private async lookAtDestination(
    job: ContentJob,
    place: HeldFolder,
  ): Promise<FetchedContent | undefined> {
    const { destination: path, ifExists } = job.request;
    const name = basename(path);
    const stats = statSync(place.at(name), { throwIfNoEntry: false });
    if (stats === undefined) return undefined;
    const mayBeSame = stats.isFile() && stats.size === job.contentId.sizeBytes;
    if (mayBeSame && (await this.has(join(place.realPath, name), job)))
      return { ...nothing(), outcome: 'alreadyThere', path, keptBytes: stats.size };
    if (ifExists === 'fail') throw destinationExists(path);
    return undefined;
  }

  private async has(path: string, { contentId, signal }: ContentJob): Promise<boolean> {
    const { hasher } = this.dependencies;
    const [found] = await hasher.hashAll([path], { signal });
    return found !== undefined && 'contentId' in found && isSameContent(found.contentId, contentId);
  }

  /** Copies a file of this machine; the copy is hashed, as the file may change meanwhile. */
  private async copyLocally(
    job: ContentJob,
    place: HeldFolder,
  ): Promise<FetchedContent | undefined> {
    const { leftovers, localCopies, logger } = this.dependencies;
    const { contentId, request, signal } = job;
    const { sizeBytes } = contentId;
    for (const path of localCopies(contentId)) {
      const temporary = leftovers.reserve(place);
      const destination = new Destination(toOptions(request), place, temporary);
      try {
        const outcome = await copyFile(path, temporary.at, { sizeBytes, signal });
        if (outcome === 'otherFile' || !(await this.has(temporary.path, job))) continue;
        const placed = await destination.place(signal);
        this.dependencies.hasher.noteWritten(placed.path, contentId, temporary.path);
        logger.info(`${request.name}: ${outcome} from ${path}`);
        job.onProgress(sizeBytes);
        return { ...nothing(), ...placed, keptBytes: sizeBytes };
      } catch (error) {
        const failure = fromWriteError(error, request.destination);
        if (failure.code === 'CANCELLED' || failure.code === 'DESTINATION_EXISTS') throw failure;
        logger.info(`${request.name}: cannot copy ${path}: ${describeError(failure)}`);
      } finally {
        destination.dispose();
      }
    }
    return undefined;
  }

  private async download(job: ContentJob, place: HeldFolder): Promise<FetchedContent> {
    const { request, signal } = job;
    const layer = await this.findLayer(job);
    const part = job.part.open(place);
    const destination = new Destination(toOptions(request), place, part);
    // What was left here stays whatever ends this before it has been looked at.
    let isWorthKeeping = existsSync(part.at);
    const onProgress = (bytes: number): void => {
      isWorthKeeping = bytes > 0;
      job.onProgress(bytes);
    };
    try {
      const received = await this.fill(part, { ...job, onProgress, layer });
      const placed = await destination.place(signal);
      isWorthKeeping = false;
      this.dependencies.hasher.noteWritten(placed.path, job.contentId, part.path);
      return { ...placed, ...received };
    } finally {
      // Whatever goes wrong may go better next time.
      if (isWorthKeeping) job.part.rest(part);
      else destination.dispose();
    }
  }

  private async fill(
    part: ResumableFile,
    job: ContentJob & { readonly layer: Buffer },
  ): Promise<Omit<FetchedContent, keyof Placed>> {
    const { clock, dialer, logger, pool, hasher, stallMs } = this.dependencies;
    const { contentId, layer, signal, onProgress, sources, findSources } = job;
    const file = await PieceFile.open(
      { path: part.path, at: part.at, journal: part.journal, contentId, layer },
      { pool, hasher, blocks: this.blocks },
      signal,
    );
    try {
      const keptBytes = file.verifiedBytes;
      onProgress(keptBytes);
      const result = await new ContentDownload({
        clock,
        dialer,
        logger,
        contentId,
        blocks: this.blocks,
        stallMs,
        throttle: (bytes) => this.throttle(bytes, signal),
        file,
        signal,
        sources,
        findSources,
        onVerified: onProgress,
        onSource: job.onSource,
      }).run();
      return { ...result, keptBytes };
    } finally {
      file.close();
      this.blocks.trim();
    }
  }

  private throttle(bytes: number, signal: AbortSignal): Promise<void> | undefined {
    const { downloadLimiter } = this.dependencies;
    return downloadLimiter.isLimited ? downloadLimiter.take(bytes, signal) : undefined;
  }

  /** The checked hashes of the pieces, from here or from the first source that has them. */
  private async findLayer(job: ContentJob): Promise<Buffer> {
    const { layers, clock, dialer, stallMs, logger } = this.dependencies;
    const { contentId } = job;
    if (!hasLayer(contentId.sizeBytes)) return Buffer.alloc(0);
    const known = layers.get(contentId);
    if (known !== undefined) return known;
    const sources = job.sources.slice(0, MAX_LAYER_SOURCES);
    let failure = new PeershelfError('NOT_FOUND', `nobody offers ${job.request.name}`);
    const found: Buffer[] = [];
    const isFound = new AbortController();
    const signal = AbortSignal.any([job.signal, isFound.signal]);
    const ask = async (source: ContentSource): Promise<void> => {
      if (signal.aborted) return;
      try {
        found.push(await askForLayer({ dialer, source, clock, stallMs, signal }, contentId));
        isFound.abort();
      } catch (error) {
        if (isFound.signal.aborted) return;
        failure = PeershelfError.from(error);
        logger.info(`${source.hostname}: no piece hashes: ${failure.message}`);
        const { hostname, displayName } = source;
        const details = { ...failure.details, hostname, displayName };
        failure = new PeershelfError(failure.code, failure.message, { cause: error, details });
      }
    };
    // Mostly the first one has them, and then nobody else need send them.
    await mapConcurrently(sources.slice(0, 1), 1, ask);
    await mapConcurrently(sources.slice(1), LAYER_SOURCES_AT_ONCE, ask);
    const [layer] = found;
    if (layer === undefined) throw failure;
    layers.put(contentId, layer);
    return layer;
  }
}

function toOptions(request: FetchRequest): ConstructorParameters<typeof Destination>[0] {
  return { path: request.destination, folder: request.folder, ifExists: request.ifExists };
}

function nothing(): Pick<FetchedContent, 'receivedBytes' | 'sources'> {
  return { receivedBytes: 0, sources: [] };
}
