import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { throwIfAborted } from '../../../common/abort';
import type { Clock } from '../../../common/clock';
import { describeError, PeershelfError } from '../../../common/errors';
import type { Logger } from '../../../common/logger';
import { formatContentId } from '../../../protocol/contentId';
import type { SourceInfo } from '../../../protocol/controlReplies';
import { BATCH_PATH } from '../../../protocol/httpReply';
import type { HashPool } from '../../hash/hashPool';
import type { HeldFolder } from '../../fetch/heldFolder';
import { Destination } from '../destination';
import { askPeer, errorForStatus } from '../pieces/peerHttp';
import type { RateLimiter } from '../rateLimiter';
import type { SourceDialer } from '../sourceDialer';
import { BatchReply } from './batchReply';
import { type FolderJob, isDeclined, limitOf, placeOf, type Tally } from './folderJob';
import type { SmallFile } from './folderPlan';

/** Sources a batch is asked from before its files go their own way; a false one may cost ten seconds. */
const SOURCES_OF_BATCH = 5;

export interface SmallFilesDependencies {
  readonly clock: Clock;
  readonly dialer: SourceDialer;
  readonly logger: Logger;
  readonly pool: HashPool;
  readonly downloadLimiter: RateLimiter;
  readonly stallMs: number;
}

/** Files that travel together. */
export class SmallFiles {
  private count = 0;

  constructor(
    private readonly dependencies: SmallFilesDependencies,
    private readonly job: FolderJob,
    /** A folder of this user alone, on the volume of the destination. */
    private readonly staging: HeldFolder,
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
    const staging = this.staging.at(String(this.count++));
    // Fails when another window has taken the folder around it for left over after a long pause: then
    // the files go their own way.
    mkdirSync(staging);
    const { outcomes } = await pool.run({
      kind: 'files',
      memory: reply.memory,
      files: arrived.map(({ file, start, path }, index) => ({
        start,
        length: file.contentId.sizeBytes,
        root: file.contentId.root,
        temporary: join(staging, String(index)),
        path,
        within: limitOf(this.job.request),
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
    const folder = limitOf(this.job.request);
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
