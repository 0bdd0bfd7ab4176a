import { PeershelfError } from '../common/errors';

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** Chunks up to this size are joined while they wait for the end of their line. */
const SMALL_CHUNK_BYTES = 16 * 1024;

/** Asked for each chunk and line: limits may change while a conversation goes on. */
export interface LineDecoderOptions {
  /** Longest line, without its end. */
  readonly maxLineBytes: number;
  /** Most bytes held: lines not yet taken and the unfinished one. At least `maxLineBytes`. */
  readonly maxBufferBytes: number;
}

/**
 * Cuts a stream of bytes into lines. Push what arrives, then take lines until there is none.
 * Each byte is looked at once, however the stream is split.
 */
export class LineDecoder {
  private chunks: Buffer[] = [];
  private held = 0;
  /** Where in the first chunk the next line starts. */
  private start = 0;
  /** Chunks before this index are known to hold no line end (from `start` on). */
  private scanned = 0;

  constructor(private readonly options: LineDecoderOptions) {}

  /** Bytes held and not yet taken. */
  get bufferedBytes(): number {
    return this.held;
  }

  /**
   * Keeps the chunk itself: its bytes must not change any more.
   * @throws LIMIT_EXCEEDED when more is held than allowed: the caller closes the connection.
   */
  push(chunk: Buffer): void {
    if (this.held + chunk.length > this.options.maxBufferBytes)
      throw new PeershelfError('LIMIT_EXCEEDED', 'too many bytes are waiting to be read');
    this.chunks.push(chunk);
    this.held += chunk.length;
  }

  /**
   * The next whole line without `\n` and without one `\r` before it, or undefined.
   * @throws LINE_TOO_LONG also for a line that has not ended yet.
   */
  next(): Buffer | undefined {
    for (; this.scanned < this.chunks.length; this.scanned += 1) {
      const chunk = this.chunks[this.scanned];
      if (chunk === undefined) break;
      const end = chunk.indexOf(LINE_FEED, this.scanned === 0 ? this.start : 0);
      if (end !== -1) return this.take(chunk, end);
    }
    this.joinSmallChunks();
    // One `\r` may still turn out not to belong to the line.
    if (this.held > this.options.maxLineBytes + 1) throw this.tooLong();
    return undefined;
  }

  /** What is held and no line yet, for a conversation that goes on in another format. */
  rest(): Buffer {
    const [first, ...others] = this.chunks;
    const bytes = first === undefined ? [] : [first.subarray(this.start), ...others];
    this.chunks = [];
    this.held = this.start = this.scanned = 0;
    return bytes.length === 1 && bytes[0] !== undefined ? bytes[0] : Buffer.concat(bytes);
  }

  private take(last: Buffer, end: number): Buffer {
    let line = last.subarray(this.scanned === 0 ? this.start : 0, end);
    if (this.scanned > 0) {
      const [first, ...others] = this.chunks.slice(0, this.scanned);
      line = Buffer.concat([first?.subarray(this.start) ?? last, ...others, line]);
    }
    this.held -= line.length + 1;
    const lastIsUsedUp = end + 1 === last.length;
    this.chunks.splice(0, lastIsUsedUp ? this.scanned + 1 : this.scanned);
    this.start = lastIsUsedUp ? 0 : end + 1;
    this.scanned = 0;
    if (line[line.length - 1] === CARRIAGE_RETURN) line = line.subarray(0, -1);
    if (line.length > this.options.maxLineBytes) throw this.tooLong();
    return line;
  }

  /**
   * Keeps an unfinished line that arrives byte by byte from holding an object per byte. The last
   * chunk grows by joining with others of at most its size, so each byte is copied only a few times.
   */
  private joinSmallChunks(): void {
    while (this.chunks.length > 1) {
      const [before, last] = this.chunks.slice(-2);
      if (before === undefined || last === undefined) break;
      if (before.length > last.length || last.length > SMALL_CHUNK_BYTES) break;
      const from = this.chunks.length === 2 ? this.start : 0;
      if (this.chunks.length === 2) this.start = 0;
      this.chunks.splice(-2, 2, Buffer.concat([before.subarray(from), last]));
    }
    this.scanned = this.chunks.length;
  }

  private tooLong(): PeershelfError {
    const limit = this.options.maxLineBytes;
    return new PeershelfError('LINE_TOO_LONG', `a line is longer than ${limit} bytes`, {
      details: { limit },
    });
  }
}
