import type { Socket } from 'node:net';
import { onAbort } from '../../common/abort';
import type { Clock } from '../../common/clock';
import { deferred } from '../../common/deferred';
import { PeershelfError } from '../../common/errors';
import { LineDecoder } from '../../protocol/lineDecoder';
import { MAX_TRANSFER_LINE_BYTES } from '../../protocol/limits';
import { encodeGet, parseTransferReply } from '../../protocol/transferV1';
import type { SourceAddress, SourceDialer } from './sourceDialer';
import { watchForStall } from './stallWatch';

/** Read at once: few large reads cost less than many small ones. */
const READ_BUFFER_BYTES = 256 * 1024;
const CONNECT_DEADLINE_MS = 10_000;
/** No byte for this long ends a download. A slow one that moves goes on for ever. */
export const STALL_MS = 10_000;

/** Where the bytes go. Calls are synchronous: the buffer is filled again when `write` returns. */
export interface DownloadSink {
  begin(lengthBytes: number): void;
  write(bytes: Uint8Array): void;
  readonly writtenBytes: number;
}

export interface DownloadOptions {
  readonly clock: Clock;
  readonly dialer: SourceDialer;
  readonly signal?: AbortSignal | undefined;
  readonly stallMs?: number | undefined;
  /** More is not taken. */
  readonly maxBytes?: number | undefined;
  readonly onBytes: (bytes: number, totalBytes: number) => void;
}

/**
 * Fetches one published name from one peer, version 1, into `sink`. Resolves to the length in bytes
 * when exactly that many have been written.
 * @throws PEER_UNREACHABLE, PEER_IDENTITY_MISMATCH in a team session, STALLED, CONNECTION_LOST,
 * LENGTH_MISMATCH, FILE_TOO_LARGE, CANCELLED, the publisher's answer as a code, and what the sink throws.
 */
export async function download(
  source: SourceAddress,
  name: string,
  sink: DownloadSink,
  options: DownloadOptions,
): Promise<number> {
  const { clock, dialer, signal, stallMs = STALL_MS } = options;
  const receiver = new Receiver(sink, options);
  const socket = await dialer.dialOpen({
    source,
    onread: {
      buffer: Buffer.allocUnsafe(READ_BUFFER_BYTES),
      callback: (count, bytes) =>
        receiver.receive(Buffer.from(bytes.buffer, bytes.byteOffset, count)),
    },
    deadlineMs: CONNECT_DEADLINE_MS,
    signal,
  });
  const abort = onAbort(signal, () => receiver.fail(new PeershelfError('CANCELLED', 'cancelled')));
  const watch = watchForStall({
    clock,
    stallMs,
    progress: () => receiver.receivedBytes,
    onStall: () => receiver.fail(new PeershelfError('STALLED', `no byte for ${stallMs} ms`)),
  });
  try {
    socket.on('error', (cause) => receiver.fail(lost(cause)));
    socket.on('end', () => receiver.end()).on('close', () => receiver.end());
    request(socket, name);
    return await receiver.done;
  } finally {
    watch.dispose();
    abort.dispose();
    socket.destroy();
  }
}

function request(socket: Socket, name: string): void {
  socket.write(encodeGet(name));
}

/** The reply of a publisher as it arrives: one line, then as many bytes as the line says. */
class Receiver {
  private readonly decoder = new LineDecoder({
    maxLineBytes: MAX_TRANSFER_LINE_BYTES,
    maxBufferBytes: MAX_TRANSFER_LINE_BYTES + READ_BUFFER_BYTES,
  });
  private readonly result = deferred<number>();
  private phase: 'line' | 'body' | 'ended' = 'line';
  private totalBytes = 0;
  private received = 0;

  constructor(
    private readonly sink: DownloadSink,
    private readonly options: Pick<DownloadOptions, 'maxBytes' | 'onBytes'>,
  ) {}

  /** Resolves to the length when it is complete. */
  get done(): Promise<number> {
    return this.result.promise;
  }

  /** Bytes of the reply so far, its line included. */
  get receivedBytes(): number {
    return this.received;
  }

  /** Takes the next bytes; false when no more are wanted. */
  receive(bytes: Buffer): boolean {
    this.received += bytes.length;
    try {
      if (this.phase === 'line') this.receiveLine(bytes);
      else if (this.phase === 'body') this.receiveBody(bytes);
    } catch (error) {
      this.fail(error);
    }
    return this.phase !== 'ended';
  }

  fail(error: unknown): void {
    this.phase = 'ended';
    this.result.reject(error);
  }

  /** The other side sends nothing more. */
  end(): void {
    this.fail(lost());
  }

  private receiveLine(bytes: Buffer): void {
    // A copy: the next read fills the same buffer, and the line may need it.
    this.decoder.push(Buffer.from(bytes));
    const line = this.decoder.next();
    if (line === undefined) return;
    this.totalBytes = parseTransferReply(line);
    if (this.totalBytes > (this.options.maxBytes ?? Infinity))
      throw new PeershelfError('FILE_TOO_LARGE', `the file has ${this.totalBytes} bytes`);
    this.sink.begin(this.totalBytes);
    this.phase = 'body';
    this.receiveBody(this.decoder.rest());
  }

  private receiveBody(bytes: Buffer): void {
    if (this.sink.writtenBytes + bytes.length > this.totalBytes)
      throw new PeershelfError('LENGTH_MISMATCH', 'the publisher sent more than it announced');
    this.sink.write(bytes);
    this.options.onBytes(this.sink.writtenBytes, this.totalBytes);
    if (this.sink.writtenBytes < this.totalBytes) return;
    this.phase = 'ended';
    this.result.resolve(this.totalBytes);
  }
}

function lost(cause?: unknown): PeershelfError {
  return new PeershelfError('CONNECTION_LOST', 'the publisher closed before the end', { cause });
}
