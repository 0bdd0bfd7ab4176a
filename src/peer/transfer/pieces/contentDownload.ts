import { throwIfAborted } from '../../../common/abort';
import { type Clock, delay, every } from '../../../common/clock';
import { deferred } from '../../../common/deferred';
import { DisposableStore } from '../../../common/disposable';
import { describeError, type ErrorCode, PeershelfError } from '../../../common/errors';
import type { Logger } from '../../../common/logger';
import { formatHostPort } from '../../../protocol/address';
import type { ContentId } from '../../../protocol/contentId';
import type { SourceAddress, SourceDialer } from '../sourceDialer';
import type { BlockPool } from './blockPool';
import { Lane } from './lane';
import type { PieceFile } from './pieceFile';
import { PiecePlan } from './piecePlan';

/** Sources that send at the same time. */
const MAX_ACTIVE_SOURCES = 8;
/** Sources looked at in one download, however many a tracker names. */
const MAX_KNOWN_SOURCES = 64;
/** How often others are looked for who have the content by now. */
const LOOK_INTERVAL_MS = 5_000;
/**
 * Rests after failures of a source in a row; after the last one it is not tried again. Long enough
 * for a publisher whose window is loaded again: that is back within a few seconds, and when it then
 * serves at another port, the next look finds it there.
 */
const RETRY_DELAYS_MS: readonly number[] = [200, 1_000, 3_000, 5_000, 5_000];
/** A publisher that serves others is asked again for this long. */
const BUSY_RETRIES = 60;
const BUSY_DELAY_MS = 1_000;
/** What another lane has to be slower than to be relieved of its work. */
const RELIEF_FACTOR = 2;
const RELIEF_MIN_MS = 500;

/** The source is not used again in this transfer: what it says is wrong. */
const LIES: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['CONTENT_MISMATCH', 'INVALID_MESSAGE']);

/** The source does not have the content any more, or cannot give it, or is not there at all. */
const HAS_NOTHING: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'DECLINED',
  'NOT_PUBLISHED',
  'CONTENT_CHANGED',
  'FILE_GONE',
  'FILE_UNREADABLE',
  'NOT_A_MEMBER',
  'PEER_IDENTITY_MISMATCH',
]);

/** Failures of the way to a source, after which it may be tried again. */
const OF_THE_NETWORK: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'CONNECTION_LOST',
  'PEER_UNREACHABLE',
  'STALLED',
]);

/** A peer that says that it has the content. */
export interface ContentSource extends SourceAddress {
  readonly hostname: string;
  readonly displayName: string;
}

/** What every lane of a download needs. */
export interface DownloadTools {
  readonly dialer: SourceDialer;
  readonly clock: Clock;
  readonly contentId: ContentId;
  readonly blocks: BlockPool;
  readonly stallMs: number;
  readonly throttle?: ((bytes: number) => Promise<void> | undefined) | undefined;
}

export interface ContentDownloadOptions extends DownloadTools {
  readonly logger: Logger;
  readonly file: PieceFile;
  readonly signal: AbortSignal;
  readonly sources: readonly ContentSource[];
  /** Asks who has the content now. */
  readonly findSources: () => Promise<readonly ContentSource[]>;
  readonly onVerified: (verifiedBytes: number) => void;
  /** A source has sent its first right piece. */
  readonly onSource?: ((source: ContentSource) => void) | undefined;
}

export interface ContentDownloadResult {
  /** Bytes that came over the network, those that were thrown away included. */
  readonly receivedBytes: number;
  /** Who has sent right pieces. */
  readonly sources: readonly ContentSource[];
}

interface SourceState {
  readonly source: ContentSource;
  lane: Lane | undefined;
  failures: number;
  busy: number;
  delivered: boolean;
  /** The last lane has delivered a right piece. */
  laneDelivered: boolean;
  /** What its last lane has shown; undefined before it has been asked for anything. */
  bytesPerSecond: number | undefined;
}

/**
 * Fetches the pieces of one content from everyone who has it, until all are there. Fast sources ask
 * for more and so do more; what a slow one has not delivered is taken over; one that sends wrong
 * bytes is dropped; new ones join.
 */
export class ContentDownload {
  private readonly plan: PiecePlan;
  private readonly states = new Map<string, SourceState>();
  /** Sources whose turn has not come. */
  private readonly waiting: SourceState[] = [];
  private readonly active = new Set<Promise<void>>();
  private readonly done = deferred<undefined>();
  private readonly ended = new AbortController();
  private receivedBytes = 0;
  private lastFailure: PeershelfError | undefined;

  constructor(private readonly options: ContentDownloadOptions) {
    const { file, contentId } = options;
    this.plan = new PiecePlan(file.pieces, (piece) => file.isVerified(piece));
    options.logger.debug(`${this.plan.missingCount} pieces of ${contentId.sizeBytes} bytes to go`);
  }

  /**
   * Resolves when every piece is verified and written.
   * @throws CANCELLED, what writing failed with, or what the last source failed with.
   */
  async run(): Promise<ContentDownloadResult> {
    const { clock, signal, sources } = this.options;
    throwIfAborted(signal);
    const abort = (): void => this.done.reject(new PeershelfError('CANCELLED', 'cancelled'));
    signal.addEventListener('abort', abort, { once: true });
    const timers = new DisposableStore();
    timers.add(every(clock, LOOK_INTERVAL_MS, () => void this.look()));
    // Who is slow shows only in time.
    timers.add(every(clock, RELIEF_MIN_MS, () => this.wakeAll()));
    try {
      this.add(sources);
      if (this.plan.isComplete) this.done.resolve(undefined);
      else this.startWaiting();
      await this.done.promise;
    } finally {
      signal.removeEventListener('abort', abort);
      timers.dispose();
      this.ended.abort();
      await Promise.all(this.active);
    }
    return this.result();
  }

  private result(): ContentDownloadResult {
    const states = [...this.states.values()];
    return {
      receivedBytes: this.receivedBytes,
      sources: states.filter(({ delivered }) => delivered).map(({ source }) => source),
    };
  }

  private add(sources: readonly ContentSource[]): void {
    for (const source of sources) {
      // A tracker that names a wrong owner for an address keeps nobody from the right one.
      const key = `${formatHostPort(source)} ${source.fingerprint ?? ''}`;
      if (this.states.has(key) || this.states.size >= MAX_KNOWN_SOURCES) continue;
      const state: SourceState = {
        source,
        lane: undefined,
        failures: 0,
        busy: 0,
        delivered: false,
        laneDelivered: false,
        bytesPerSecond: undefined,
      };
      this.states.set(key, state);
      this.waiting.push(state);
    }
  }

  private async look(): Promise<void> {
    try {
      this.add(await this.options.findSources());
      if (!this.ended.signal.aborted) this.startWaiting();
    } catch (error) {
      this.options.logger.debug(`looking for sources: ${describeError(error)}`);
    }
  }

  private startWaiting(): void {
    while (this.active.size < MAX_ACTIVE_SOURCES) {
      const state = this.waiting.shift();
      if (state === undefined) break;
      const task: Promise<void> = this.use(state).finally(() => {
        this.active.delete(task);
        this.onSourceEnded();
      });
      this.active.add(task);
    }
  }

  private onSourceEnded(): void {
    if (this.ended.signal.aborted) return;
    this.startWaiting();
    if (this.active.size > 0) return;
    this.done.reject(
      this.lastFailure ?? new PeershelfError('NOT_FOUND', 'nobody offers the content'),
    );
  }

  /** Uses one source for as long as it is of use. */
  private async use(state: SourceState): Promise<void> {
    for (;;) {
      const lane = this.startLane(state);
      const error = await lane.run().catch((failure: unknown) => PeershelfError.from(failure));
      state.lane = undefined;
      this.receivedBytes += lane.receivedBytes;
      state.bytesPerSecond = lane.bytesPerSecond;
      // What this lane has left behind is for those who have nothing to do.
      this.wakeAll();
      if (this.hasEnded()) return;
      const restMs = this.restAfter(state, error);
      if (restMs === undefined) return;
      await delay(this.options.clock, restMs, this.ended.signal).catch(() => undefined);
      if (this.hasEnded()) return;
    }
  }

  /** A method, as it may have changed behind an `await`. */
  private hasEnded(): boolean {
    return this.ended.signal.aborted;
  }

  private startLane(state: SourceState): Lane {
    const { file, onVerified, onSource } = this.options;
    const lane = new Lane({
      ...this.options,
      source: state.source,
      plan: this.plan,
      signal: this.ended.signal,
      share: () => Math.ceil(this.plan.missingCount / (2 * Math.max(1, this.active.size))),
      onVerified: () => {
        if (!state.delivered) onSource?.(state.source);
        state.delivered = state.laneDelivered = true;
        state.failures = state.busy = 0;
        onVerified(file.verifiedBytes);
        if (this.plan.isComplete) this.done.resolve(undefined);
      },
      onIdle: () => this.relieve(state, lane),
    });
    state.lane = lane;
    state.laneDelivered = false;
    return lane;
  }

  private wakeAll(): void {
    for (const { lane } of this.states.values()) lane?.fill();
  }

  /** How long to wait before the source is tried again; undefined: never. */
  private restAfter(state: SourceState, error: PeershelfError): number | undefined {
    const { source } = state;
    const { logger } = this.options;
    if (error.code === 'CANCELLED') return 0; // Relieved of its work.
    this.lastFailure = withSource(error, source);
    if (LIES.has(error.code)) {
      logger.warn(`${source.hostname} sent wrong data and is not used again: ${error.message}`);
      return undefined;
    }
    logger.info(`${source.hostname}: ${error.message}`);
    if (HAS_NOTHING.has(error.code)) return undefined;
    if (error.code === 'PEER_BUSY') {
      state.busy += 1;
      return state.busy > BUSY_RETRIES ? undefined : BUSY_DELAY_MS;
    }
    if (OF_THE_NETWORK.has(error.code)) {
      // It gets on, if only by a few pieces for every connection.
      if (state.laneDelivered) return 0;
      state.failures += 1;
      // Who has never sent anything gets one more chance, so that many dead sources cost little time.
      const chances = state.delivered ? RETRY_DELAYS_MS.length : 1;
      return state.failures > chances ? undefined : RETRY_DELAYS_MS[state.failures - 1];
    }
    this.done.reject(error); // Not the source's fault: the disk, for example.
    return undefined;
  }

  /** A lane has nothing to do: it takes over from the one that would take longest. */
  private relieve(idle: SourceState, idleLane: Lane): void {
    if (this.plan.isComplete) return;
    const lanes = [...this.states.values()].flatMap(({ lane }) => lane ?? []);
    const [slowest] = lanes
      .filter((lane) => lane !== idleLane && lane.pendingBytes > 0)
      .filter((lane) => lane.ageMs >= RELIEF_MIN_MS)
      .sort((a, b) => remainingMs(b) - remainingMs(a));
    if (slowest === undefined) return;
    // A source that has never been asked is given a try; one that was relieved itself is known.
    const rate = idleLane.bytesPerSecond || idle.bytesPerSecond;
    const ownMs = rate === undefined ? 0 : (slowest.pendingBytes / Math.max(1, rate)) * 1000;
    if (remainingMs(slowest) < RELIEF_MIN_MS + ownMs * RELIEF_FACTOR) return;
    slowest.giveUp(new PeershelfError('CANCELLED', 'another source takes over'));
  }
}

function remainingMs(lane: Lane): number {
  return (lane.pendingBytes / Math.max(1, lane.bytesPerSecond)) * 1000;
}

function withSource(error: PeershelfError, source: ContentSource): PeershelfError {
  const details = {
    ...error.details,
    hostname: source.hostname,
    displayName: source.displayName,
  };
  return new PeershelfError(error.code, error.message, { cause: error, details });
}
