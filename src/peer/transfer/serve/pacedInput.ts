import type { Socket } from 'node:net';

/**
 * Bytes given to the parser at once. It makes objects of all requests in them, some kilobytes for each, and
 * does not stop in between: 20 of the shortest requests.
 */
const SLICE_BYTES = 512;

/** Held until they may be parsed: one read, and another one that came before the pause held. */
const MAX_HELD_BYTES = 256 * 1024;

const NOTHING = Buffer.alloc(0);

export interface PacedInputOptions {
  readonly parse: (bytes: Buffer) => void;
  /** Whether another request may be parsed. */
  readonly mayParse: () => boolean;
  /** Told how many bytes are held. */
  readonly onHeld: (bytes: number) => void;
}

/**
 * Parses what a connection sends only as far as its requests are answered. The rest stays as it came, and
 * then at the other end: a few bytes of requests take a hundred times their size once they are parsed.
 */
export class PacedInput {
  private held: Buffer = NOTHING;
  private isParsing = false;

  constructor(
    private readonly socket: Socket,
    private readonly options: PacedInputOptions,
  ) {}

  push(chunk: Buffer): void {
    this.held = this.held.length === 0 ? chunk : Buffer.concat([this.held, chunk]);
    if (this.held.length > MAX_HELD_BYTES) this.socket.destroy();
    else this.proceed();
  }

  /** Another request may be parsed. */
  proceed(): void {
    // Called while a request is parsed: that goes on by itself.
    if (this.isParsing || this.held.length === 0) return;
    const { parse, mayParse, onHeld } = this.options;
    this.isParsing = true;
    try {
      while (this.held.length > 0 && !this.socket.destroyed && mayParse()) {
        const slice = this.held.subarray(0, SLICE_BYTES);
        this.held = this.held.subarray(SLICE_BYTES);
        parse(slice);
      }
    } finally {
      this.isParsing = false;
    }
    if (this.socket.destroyed) this.held = NOTHING;
    onHeld(this.held.length);
    if (this.held.length > 0) this.socket.pause();
    else this.socket.resume();
  }

  clear(): void {
    this.held = NOTHING;
  }
}
