import { EventEmitter } from 'node:events';
import { Duplex } from 'node:stream';

/** As much of a socket as a control session uses, all of it at once: no system is asked. */
export class LineSocket extends EventEmitter {
  readonly remoteAddress = '127.0.0.1';
  readonly writableLength = 0;
  written = '';
  ended = false;
  destroyed = false;

  write(text: string): boolean {
    this.written += text;
    return true;
  }

  end(text = ''): void {
    if (this.ended) return;
    this.written += text;
    this.ended = true;
  }

  destroy(): void {
    if (this.destroyed) return;
    this.destroyed = true;
    this.emit('close');
  }

  exportKeyingMaterial(length: number): Buffer {
    return Buffer.alloc(length, 1);
  }

  pause(): this {
    return this;
  }

  resume(): this {
    return this;
  }

  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  setTimeout(): this {
    return this;
  }
}

/** A stream that takes for a socket: what a test says arrives, and what is answered is kept. */
export class StreamSocket extends Duplex {
  readonly remoteAddress = '127.0.0.1';
  readonly remotePort = 1;
  private readonly answers: Buffer[] = [];

  constructor() {
    super({ allowHalfOpen: true, autoDestroy: true });
    this.on('error', () => undefined); // A broken request ends the stream; the answer counts.
  }

  get answered(): Buffer {
    return Buffer.concat(this.answers);
  }

  override _read(): void {
    // Bytes are pushed when they are said.
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.answers.push(chunk);
    done();
  }

  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  setTimeout(): this {
    return this;
  }
}
