import type { Socket } from 'node:net';
import { onAbort } from '../../../common/abort';
import type { Clock } from '../../../common/clock';
import { DisposableStore } from '../../../common/disposable';
import { PeershelfError } from '../../../common/errors';
import type { ContentId } from '../../../protocol/contentId';
import { BLOCK_BYTES } from '../../../protocol/hashTree';
import {
  type ByteRange,
  checkRangeReply,
  encodeRangeRequest,
  endOfHead,
  MAX_REPLY_HEAD_BYTES,
  parseReplyHead,
} from '../../../protocol/httpReply';
import type { SourceAddress, SourceDialer } from '../sourceDialer';
import { watchForStall } from '../stallWatch';
import type { BlockPool } from './blockPool';
import { errorForStatus } from './peerHttp';

/** Where the head of a reply arrives, and what comes before there is memory for it. */
const HEAD_BUFFER_BYTES = 64 * 1024;
const CONNECT_DEADLINE_MS = 10_000;
const NOTHING = Buffer.alloc(0);

/** A received block. Its memory belongs to who gets it. */
export interface ReceivedBlock {
  readonly position: number;
  readonly length: number;
  readonly memory: ArrayBuffer;
}

export interface ObjectConnectionOptions {
  readonly dialer: SourceDialer;
  readonly source: SourceAddress;
  readonly contentId: ContentId;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly blocks: BlockPool;
  readonly stallMs: number;
  /** Waits until that many bytes may have come; undefined when they come as fast as they can. */
  readonly throttle?: ((bytes: number) => Promise<void> | undefined) | undefined;
  readonly onBlock: (block: ReceivedBlock) => void;
  /** A whole range has arrived. */
  readonly onRange: (range: ByteRange) => void;
}

/**
 * Takes ranges of one object from one source over one connection, several requests in flight. The
 * bytes are read straight into the blocks that are verified and written: nothing is copied but what
 * arrives together with the head of a reply.
 */
export class ObjectConnection {
  private readonly ranges: ByteRange[] = [];
  private readonly resources = new DisposableStore();
  private readonly headBuffer = Buffer.allocUnsafe(HEAD_BUFFER_BYTES);
  private socket: Socket | undefined;
  /** For the first request; the connection needs it no more then. */
  private authorization: string | undefined;
  private head: Buffer | undefined = Buffer.alloc(0);
  /** Next byte of the object that arrives, while inside a body. */
  private position = 0;
  private memory: ArrayBuffer | undefined;
  private filled = 0;
  /** Bytes of a body that have arrived while there was no memory for them: a few, as nothing is read. */
  private early: Buffer = NOTHING;
  private received = 0;
  /** Nothing is read now: there is no memory, or the bytes come faster than they may. */
  private paused = false;
  /** Waits for the rate limit. Inside TLS there may be several: what is decrypted already still comes. */
  private waits = 0;
  private looks = 0;
  private failure: PeershelfError | undefined;

  /** Rejects with the reason for which nothing more arrives. Never resolves. */
  readonly ended: Promise<never>;
  private rejectEnded: (error: unknown) => void = () => undefined;

  constructor(private readonly options: ObjectConnectionOptions) {
    this.ended = new Promise((_resolve, reject) => {
      this.rejectEnded = reject;
    });
    this.ended.catch(() => undefined); // Whoever waits for it sees it.
  }

  /** Bytes of replies so far. */
  get receivedBytes(): number {
    return this.received;
  }

  /** Ranges asked for and not yet whole. */
  get pendingRanges(): readonly ByteRange[] {
    return this.ranges;
  }

  /** The next byte of the first pending range. */
  get nextPosition(): number {
    return this.position;
  }

  /** @throws what `SourceDialer` throws. */
  async open(): Promise<void> {
    const { dialer, source, clock, signal, stallMs } = this.options;
    const { socket, authorization } = await dialer.dial({
      source,
      onread: {
        buffer: () => this.target(),
        callback: (count, bytes) => this.receive(bytes.subarray(0, count)),
      },
      deadlineMs: CONNECT_DEADLINE_MS,
      signal,
    });
    this.socket = socket;
    this.authorization = authorization;
    socket.on('error', (cause) => this.fail(lost(cause)));
    socket.on('end', () => this.fail(lost())).on('close', () => this.fail(lost()));
    this.resources.add(onAbort(signal, () => this.fail(cancelled())));
    this.resources.add(
      watchForStall({
        clock,
        stallMs,
        progress: () => this.signOfLife(),
        onStall: () => this.fail(new PeershelfError('STALLED', `no byte for ${stallMs} ms`)),
      }),
    );
  }

  /** Asks for a range that begins and ends at blocks, or at the end of the object. */
  request(range: ByteRange): void {
    if (this.failure !== undefined) return;
    if (this.ranges.length === 0) this.position = range.start;
    this.ranges.push(range);
    const { source, contentId } = this.options;
    this.socket?.write(encodeRangeRequest(source, contentId, range, this.authorization));
    this.authorization = undefined;
  }

  close(reason: PeershelfError = cancelled()): void {
    this.fail(reason);
  }

  /** What has to change for the source not to be stalled: it is not while we make it wait. */
  private signOfLife(): number {
    this.looks += 1;
    return this.paused || this.ranges.length === 0 ? -this.looks : this.received;
  }

  private fail(error: PeershelfError): void {
    if (this.failure !== undefined) return;
    this.failure = error;
    this.socket?.destroy();
    this.resources.dispose();
    if (this.memory !== undefined) this.options.blocks.give(this.memory);
    this.memory = undefined;
    this.rejectEnded(error);
  }

  /** Where the next bytes go: into the block that they belong to, if there is one already. */
  private target(): Uint8Array {
    if (this.memory === undefined) return this.headBuffer;
    return new Uint8Array(this.memory, this.filled, this.blockLength() - this.filled);
  }

  /** False stops reading until the socket is resumed. */
  private receive(bytes: Uint8Array): boolean {
    // A block that is whole takes its memory along: these bytes have no length any more then.
    const count = bytes.length;
    this.received += count;
    try {
      if (bytes.buffer === this.memory) this.advance(count);
      else this.take(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
    } catch (error) {
      this.fail(PeershelfError.from(error));
    }
    if (this.failure !== undefined) return false;
    this.paused = !this.mayReadOn(count);
    return !this.paused;
  }

  private mayReadOn(count: number): boolean {
    const wait = this.options.throttle?.(count);
    if (wait !== undefined) {
      this.waits += 1;
      wait.then(
        () => {
          this.waits -= 1;
          this.resume();
        },
        (error: unknown) => this.fail(PeershelfError.from(error)),
      );
      return false;
    }
    if (this.paused) return false; // Whoever waits already must not wait twice.
    if (!this.needsMemory()) return true;
    this.options.blocks.whenFree(() => this.resume());
    return false;
  }

  private resume(): void {
    const { blocks } = this.options;
    if (this.failure === undefined && this.waits === 0) this.takeEarly();
    if (this.failure !== undefined || this.waits > 0) blocks.pass();
    else if (this.needsMemory()) blocks.whenFree(() => this.resume());
    else {
      this.paused = false;
      this.socket?.resume();
      blocks.pass(); // The memory may have been another's turn.
    }
  }

  /** What had to wait for memory; the part for which there is none again goes on waiting. */
  private takeEarly(): void {
    const bytes = this.early;
    this.early = NOTHING;
    try {
      this.take(bytes);
    } catch (error) {
      this.fail(PeershelfError.from(error));
    }
  }

  /** Whether a block has to be filled and there is no memory for it. */
  private needsMemory(): boolean {
    if (this.head !== undefined || this.memory !== undefined) return false;
    this.memory = this.options.blocks.take();
    return this.memory === undefined;
  }

  /** Bytes that arrived in the head buffer: heads, and the first bytes behind them. */
  private take(bytes: Buffer): void {
    let rest = this.early.length === 0 ? bytes : Buffer.concat([this.early, bytes]);
    this.early = NOTHING;
    while (rest.length > 0 && this.failure === undefined && !this.needsMemory())
      rest = this.head === undefined ? this.takeBody(rest) : this.takeHead(rest);
    // A copy: where they are now, the next bytes arrive.
    if (rest.length > 0) this.early = Buffer.from(rest);
  }

  private takeHead(bytes: Buffer): Buffer {
    const head = Buffer.concat([this.head ?? Buffer.alloc(0), bytes]);
    const end = endOfHead(head);
    if ((end ?? head.length) > MAX_REPLY_HEAD_BYTES)
      throw new PeershelfError('INVALID_MESSAGE', 'the publisher sent an endless head');
    const [range] = this.ranges;
    if (range === undefined)
      throw new PeershelfError('INVALID_MESSAGE', 'the publisher answered nothing');
    this.head = end === undefined ? head : undefined;
    if (end === undefined) return Buffer.alloc(0);
    this.checkHead(head.subarray(0, end), range);
    this.position = range.start;
    return head.subarray(end);
  }

  private checkHead(bytes: Buffer, range: ByteRange): void {
    const head = parseReplyHead(bytes);
    if (head.status === 206) {
      checkRangeReply(head, this.options.contentId, range);
      return;
    }
    // Nothing behind an error is of use: the connection ends with it.
    throw errorForStatus(head.status);
  }

  private takeBody(bytes: Buffer): Buffer {
    const count = Math.min(bytes.length, this.blockLength() - this.filled);
    if (this.memory !== undefined)
      new Uint8Array(this.memory, this.filled, count).set(bytes.subarray(0, count));
    this.advance(count);
    return bytes.subarray(count);
  }

  /** `count` bytes more are in the block. */
  private advance(count: number): void {
    const [range] = this.ranges;
    const length = this.blockLength();
    this.filled += count;
    if (this.filled < length || this.memory === undefined || range === undefined) return;
    const block = { position: this.position, length, memory: this.memory };
    this.memory = undefined;
    this.filled = 0;
    this.position += length;
    const isRangeWhole = this.position === range.end;
    if (isRangeWhole) {
      this.ranges.shift();
      this.head = Buffer.alloc(0);
    }
    this.options.onBlock(block);
    if (isRangeWhole) this.options.onRange(range);
  }

  private blockLength(): number {
    const end = this.ranges[0]?.end ?? this.position;
    return Math.min(BLOCK_BYTES, end - this.position);
  }
}

function lost(cause?: unknown): PeershelfError {
  return new PeershelfError('CONNECTION_LOST', 'the publisher closed before the end', { cause });
}

function cancelled(): PeershelfError {
  return new PeershelfError('CANCELLED', 'cancelled');
}
