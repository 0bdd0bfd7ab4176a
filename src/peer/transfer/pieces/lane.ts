import { deferred } from '../../../common/deferred';
import { PeershelfError } from '../../../common/errors';
import { pieceBytes } from '../../../protocol/hashTree';
import type { ByteRange } from '../../../protocol/httpReply';
import { ObjectConnection, type ReceivedBlock } from './objectConnection';
import type { PieceFile } from './pieceFile';
import type { PiecePlan, PieceRun } from './piecePlan';
import type { ContentSource, DownloadTools } from './contentDownload';

/** Ranges asked for at the same time on one connection: the next one is there when one ends. */
const REQUESTS_IN_FLIGHT = 2;
/** A range is about as long as a source sends in this time: long enough to be cheap, soon over. */
const RANGE_MS = 500;
const MAX_RANGE_BYTES = 8 * 1024 * 1024;

export interface LaneOptions extends DownloadTools {
  readonly source: ContentSource;
  readonly plan: PiecePlan;
  readonly file: PieceFile;
  readonly signal: AbortSignal;
  /** Most pieces that one lane should take now. */
  readonly share: () => number;
  /** Bytes of a piece that turned out to be right, or anything else that changed the plan. */
  readonly onVerified: () => void;
  /** There is nothing to take. */
  readonly onIdle: () => void;
}

/**
 * One connection to one source, and the pieces that it has been asked for. All bytes of a piece come
 * over one lane, so a wrong piece has one author.
 */
export class Lane {
  private readonly connection: ObjectConnection;
  private readonly taken: PieceRun[] = [];
  private readonly stores = new Set<Promise<void>>();
  private readonly broken = deferred<never>();
  private startedMs = 0;
  /** Since when it has been asked for something, and for how long it was before. */
  private busySinceMs: number | undefined;
  private busyMs = 0;
  private closed = false;

  constructor(private readonly options: LaneOptions) {
    const { dialer, source, contentId, clock, signal, blocks, stallMs, throttle } = options;
    this.connection = new ObjectConnection({
      dialer,
      source,
      contentId,
      clock,
      signal,
      blocks,
      stallMs,
      throttle,
      onBlock: (block) => this.store(block),
      onRange: () => this.fill(),
    });
    this.broken.promise.catch(() => undefined); // `run` waits for it, once it runs.
  }

  /** Bytes that have arrived over this lane. */
  get receivedBytes(): number {
    return this.connection.receivedBytes;
  }

  /** Since the connection was made; 0 before. */
  get ageMs(): number {
    return this.startedMs === 0 ? 0 : this.options.clock.monotonic() - this.startedMs;
  }

  /** While there was something to send; 0 before anything has come. */
  get bytesPerSecond(): number {
    const { clock } = this.options;
    const busyMs =
      this.busyMs + (this.busySinceMs === undefined ? 0 : clock.monotonic() - this.busySinceMs);
    return busyMs <= 0 ? 0 : (this.receivedBytes / busyMs) * 1000;
  }

  /** Bytes that it has been asked for and that have not arrived. */
  get pendingBytes(): number {
    const [first, ...others] = this.connection.pendingRanges;
    if (first === undefined) return 0;
    const begun = Math.max(first.start, this.connection.nextPosition);
    return others.reduce((sum, { start, end }) => sum + end - start, first.end - begun);
  }

  /**
   * Works until the connection ends. Whatever was under way is free for others then.
   * @throws always, with the reason.
   */
  async run(): Promise<never> {
    try {
      await this.connection.open();
      this.startedMs = this.options.clock.monotonic();
      this.fill();
      return await Promise.race([this.connection.ended, this.broken.promise]);
    } finally {
      this.closed = true;
      this.connection.close();
      await Promise.all(this.stores);
      this.releaseAll();
    }
  }

  /** Asks for more, if there is more to ask for. */
  fill(): void {
    if (this.closed || this.startedMs === 0) return;
    while (this.connection.pendingRanges.length < REQUESTS_IN_FLIGHT) {
      const run = this.options.plan.take(this.runLength());
      if (run === undefined) break;
      this.taken.push(run);
      this.connection.request(this.toRange(run));
    }
    this.noteWork();
    if (this.connection.pendingRanges.length === 0) this.options.onIdle();
  }

  /** Ends the lane, so that others can take over what it has not delivered. */
  giveUp(reason: PeershelfError): void {
    this.connection.close(reason);
  }

  private noteWork(): void {
    const nowMs = this.options.clock.monotonic();
    const isBusy = this.connection.pendingRanges.length > 0;
    if (isBusy) this.busySinceMs ??= nowMs;
    else if (this.busySinceMs !== undefined) {
      this.busyMs += nowMs - this.busySinceMs;
      this.busySinceMs = undefined;
    }
  }

  private store(block: ReceivedBlock): void {
    const piece = Math.floor(block.position / pieceBytes(this.options.contentId.sizeBytes));
    const stored: Promise<void> = this.options.file
      .store(block)
      .then((verdict) => {
        if (verdict === 'right') {
          this.options.plan.complete(piece);
          this.options.onVerified();
        } else if (verdict === 'wrong') {
          this.broken.reject(new PeershelfError('CONTENT_MISMATCH', `piece ${piece} is wrong`));
        }
      })
      .catch((error: unknown) => this.broken.reject(error))
      .finally(() => this.stores.delete(stored));
    this.stores.add(stored);
  }

  private releaseAll(): void {
    const { plan, file } = this.options;
    for (const { first, end } of this.taken)
      for (let piece = first; piece < end; piece += 1) {
        if (!file.isVerified(piece)) file.forget(piece);
        plan.release(piece);
      }
    this.taken.length = 0;
  }

  /** One piece at first: neither its speed nor its honesty is known. */
  private runLength(): number {
    const bytesPerPiece = pieceBytes(this.options.contentId.sizeBytes);
    const wishedBytes = Math.min(MAX_RANGE_BYTES, (this.bytesPerSecond * RANGE_MS) / 1000);
    return Math.max(1, Math.min(this.options.share(), Math.floor(wishedBytes / bytesPerPiece)));
  }

  private toRange({ first, end }: PieceRun): ByteRange {
    const { sizeBytes } = this.options.contentId;
    const bytesPerPiece = pieceBytes(sizeBytes);
    return { start: first * bytesPerPiece, end: Math.min(sizeBytes, end * bytesPerPiece) };
  }
}
