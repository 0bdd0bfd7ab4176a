import { MessageChannel } from 'node:worker_threads';

/** First step of growth; from there on it doubles. The system gives memory for pages that are written. */
const FIRST_BYTES = 64 * 1024;

/** Chunks of this size or more are given back at once when they have been copied. */
const LARGE_CHUNK_BYTES = 4 * 1024;

/** `ArrayBuffer` that grows in place: part of Node 20, but not of the library's types for ES2023. */
interface ResizableBuffer extends ArrayBuffer {
  resize(byteLength: number): void;
}

const ResizableBuffer = ArrayBuffer as unknown as new (
  byteLength: number,
  options: { readonly maxByteLength: number },
) => ResizableBuffer;

/**
 * Bytes that arrive in pieces, in one place. Memory goes back to the system with `clear`, and not when
 * the garbage of a process is collected, which is never while it has nothing to do; and not into pools
 * of the allocator, which keep most of it.
 */
export class GrowingBytes {
  private buffer: ResizableBuffer | undefined;
  private used = 0;

  /** @param maxBytes address space that is set aside; it takes no memory. */
  constructor(private readonly maxBytes: number) {}

  get length(): number {
    return this.used;
  }

  /** @throws RangeError for more than `maxBytes`. */
  append(chunk: Uint8Array): void {
    const needed = this.used + chunk.length;
    this.buffer ??= new ResizableBuffer(0, { maxByteLength: this.maxBytes });
    if (needed > this.buffer.byteLength) {
      const doubled = Math.max(FIRST_BYTES, this.buffer.byteLength * 2, needed);
      this.buffer.resize(Math.max(needed, Math.min(doubled, this.maxBytes)));
    }
    new Uint8Array(this.buffer, this.used, chunk.length).set(chunk);
    this.used = needed;
  }

  /** The bytes themselves, until the next call of another method. */
  view(): Buffer {
    return this.buffer === undefined ? Buffer.alloc(0) : Buffer.from(this.buffer, 0, this.used);
  }

  /** Drops the first `count` bytes. */
  discard(count: number): void {
    this.view().copyWithin(0, count);
    this.used -= count;
  }

  clear(): void {
    this.buffer?.resize(0);
    this.used = 0;
  }
}

/** A port without another end: what is transferred to it is freed at once. */
const nowhere = closedPort();

function closedPort(): MessageChannel['port1'] {
  const { port1, port2 } = new MessageChannel();
  port2.close();
  port1.close();
  return port1;
}

/** Frees the memory of a large chunk that nobody reads any more, without waiting for a collection. */
export function freeChunk(chunk: Buffer): void {
  const { buffer } = chunk;
  const isWhole = buffer instanceof ArrayBuffer && buffer.byteLength === chunk.length;
  if (isWhole && chunk.length >= LARGE_CHUNK_BYTES) nowhere.postMessage(undefined, [buffer]);
}
