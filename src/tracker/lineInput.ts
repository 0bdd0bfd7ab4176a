import { PeershelfError } from '../common/errors';
import { freeChunk, GrowingBytes } from '../common/growingBytes';

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const NOTHING = Buffer.alloc(0);

export interface LineInputOptions {
  /** Longest line, without its end. Asked for each line: it may change while a conversation goes on. */
  readonly maxLineBytes: () => number;
  /** Longest line that there can ever be. */
  readonly mostLineBytes: number;
  /** Room beyond the longest line, for what one read brings. */
  readonly readAheadBytes: number;
}

/**
 * Cuts what a client sends into lines, as `LineDecoder` does. An unfinished line lies in memory that goes
 * back to the system when the line ends or the connection does.
 */
export class LineInput {
  /** Bytes that could not be answered when they arrived, in front of `chunk`. */
  private readonly held: GrowingBytes;
  private heldStart = 0;
  /** Bytes of `held` known to have no line end. */
  private scanned = 0;
  private chunk: Buffer = NOTHING;
  private chunkStart = 0;

  constructor(private readonly options: LineInputOptions) {
    this.held = new GrowingBytes(options.mostLineBytes + options.readAheadBytes);
  }

  /** Bytes held and not yet taken. */
  get bufferedBytes(): number {
    return this.held.length - this.heldStart + this.chunk.length - this.chunkStart;
  }

  /**
   * Takes the chunk over: nobody else may use its bytes any more.
   * @throws LIMIT_EXCEEDED when more is held than allowed: the caller closes the connection.
   */
  push(chunk: Buffer): void {
    const most = this.options.maxLineBytes() + this.options.readAheadBytes;
    if (this.bufferedBytes + chunk.length > most)
      throw new PeershelfError('LIMIT_EXCEEDED', 'too many bytes are waiting to be read');
    this.keepChunk();
    this.chunk = chunk;
    this.chunkStart = 0;
    const end = this.held.length === 0 ? -1 : chunk.indexOf(LINE_FEED);
    if (end === -1) return;
    // Only the line that began earlier is put together.
    this.append(chunk.subarray(0, end + 1));
    this.chunkStart = end + 1;
  }

  /**
   * The next whole line without `\n` and without one `\r` before it, or undefined. It is to be read
   * before the next call.
   * @throws LINE_TOO_LONG also for a line that has not ended yet.
   */
  next(): Buffer | undefined {
    const line = this.nextOfHeld() ?? this.nextOfChunk();
    const length = line?.length ?? this.bufferedBytes - 1; // One `\r` may not belong to the line.
    const limit = this.options.maxLineBytes();
    if (length > limit)
      throw new PeershelfError('LINE_TOO_LONG', `a line is longer than ${limit} bytes`, {
        details: { limit },
      });
    return line;
  }

  clear(): void {
    this.held.clear();
    this.heldStart = this.scanned = this.chunkStart = 0;
    this.chunk = NOTHING;
  }

  private nextOfHeld(): Buffer | undefined {
    if (this.heldStart === this.held.length) {
      this.held.clear();
      this.heldStart = this.scanned = 0;
      return undefined;
    }
    const bytes = this.held.view();
    const end = bytes.indexOf(LINE_FEED, Math.max(this.heldStart, this.scanned));
    if (end === -1) {
      this.keepChunk();
      this.scanned = bytes.length;
      return undefined;
    }
    const line = bytes.subarray(this.heldStart, end);
    this.heldStart = end + 1;
    return withoutReturn(line);
  }

  private nextOfChunk(): Buffer | undefined {
    if (this.chunkStart === this.chunk.length) this.chunk = NOTHING;
    const end = this.chunk.indexOf(LINE_FEED, this.chunkStart);
    if (end === -1) {
      this.keepChunk();
      return undefined;
    }
    const line = this.chunk.subarray(this.chunkStart, end);
    this.chunkStart = end + 1;
    return withoutReturn(line);
  }

  /** Moves what is left of the chunk behind what is held. */
  private keepChunk(): void {
    const { chunk, chunkStart } = this;
    this.chunk = NOTHING;
    this.chunkStart = 0;
    if (chunkStart === chunk.length) return;
    this.append(chunk.subarray(chunkStart));
    freeChunk(chunk);
  }

  private append(bytes: Buffer): void {
    const { mostLineBytes, readAheadBytes } = this.options;
    if (this.held.length + bytes.length > mostLineBytes + readAheadBytes) {
      // Bytes that have been taken already make room.
      this.held.discard(this.heldStart);
      this.scanned = Math.max(0, this.scanned - this.heldStart);
      this.heldStart = 0;
    }
    this.held.append(bytes);
  }
}

function withoutReturn(line: Buffer): Buffer {
  return line[line.length - 1] === CARRIAGE_RETURN ? line.subarray(0, -1) : line;
}
