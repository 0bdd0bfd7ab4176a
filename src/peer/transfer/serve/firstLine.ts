import type { Socket } from 'node:net';
import type { Clock } from '../../../common/clock';
import { deferred } from '../../../common/deferred';
import { PeershelfError } from '../../../common/errors';
import type { SharedBudget } from '../../../common/sharedBudget';
import { MAX_HTTP_LINE_BYTES, MAX_TRANSFER_LINE_BYTES } from '../../../protocol/limits';
import { CountedBytes } from './countedBytes';

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** One chunk of a socket, which may hold the line and what follows it. */
const MAX_CHUNK_BYTES = 64 * 1024;

const REQUEST_LINE = /^([A-Z]{1,32}) (\S+) HTTP\/(\d(?:\.\d)?)$/u;

export interface FirstLine {
  /** Without its end. */
  readonly line: Buffer;
  /** Everything that has been read, the line included. */
  readonly bytes: Buffer;
}

export interface FirstLineOptions {
  readonly clock: Clock;
  readonly deadlineMs: number;
  /** Unfinished requests of all connections. */
  readonly input: SharedBudget;
}

/** What the other side speaks. */
export type Conversation = 'version 1' | 'http' | 'refused';

/**
 * What a first line belongs to. A name of version 1 may end in ` HTTP/1.1`, but no published name
 * starts with `/`: a GET of anything else is version 1.
 */
export function conversationOf(line: Buffer): Conversation {
  const [, method, target, version] = REQUEST_LINE.exec(line.toString('latin1')) ?? [];
  const isRequest = target !== undefined && (method !== 'GET' || target.startsWith('/'));
  if (isRequest) return version === '1.1' ? 'http' : 'refused';
  return line.length <= MAX_TRANSFER_LINE_BYTES ? 'version 1' : 'refused';
}

/**
 * Reads up to the first line feed and leaves the socket paused.
 * @throws TIMED_OUT, CONNECTION_LOST, LINE_TOO_LONG, LIMIT_EXCEEDED.
 */
export function readFirstLine(
  socket: Socket,
  { clock, deadlineMs, input }: FirstLineOptions,
): Promise<FirstLine> {
  const first = deferred<FirstLine>();
  const held = new CountedBytes(input, MAX_HTTP_LINE_BYTES + MAX_CHUNK_BYTES, (error) =>
    first.reject(error),
  );
  const deadline = clock.after(deadlineMs, () =>
    first.reject(new PeershelfError('TIMED_OUT', 'no request line in time')),
  );
  const onEnd = (): void =>
    first.reject(new PeershelfError('CONNECTION_LOST', 'closed without a request'));
  const onData = (chunk: Buffer): void => {
    try {
      const end = chunk.indexOf(LINE_FEED);
      const length = held.length + (end === -1 ? chunk.length : end);
      // One `\r` may not belong to the line.
      if (length > MAX_HTTP_LINE_BYTES + 1) throw tooLong();
      const isWhole = held.length === 0 && end !== -1; // As nearly always.
      if (!isWhole) held.append(chunk);
      if (end === -1) return;
      const bytes = isWhole ? chunk : held.copy();
      const line = withoutReturn(bytes.subarray(0, length));
      if (line.length > MAX_HTTP_LINE_BYTES) throw tooLong();
      stop();
      first.resolve({ line, bytes });
    } catch (error) {
      first.reject(error);
    }
  };
  const stop = (): void => {
    deadline.dispose();
    held.dispose();
    socket.off('data', onData).off('end', onEnd).off('close', onEnd);
    socket.pause(); // What comes next belongs to whoever goes on with the conversation.
  };
  socket.on('data', onData).once('end', onEnd).once('close', onEnd);
  return first.promise.finally(stop);
}

function withoutReturn(line: Buffer): Buffer {
  return line[line.length - 1] === CARRIAGE_RETURN ? line.subarray(0, -1) : line;
}

function tooLong(): PeershelfError {
  return new PeershelfError(
    'LINE_TOO_LONG',
    `a request line is longer than ${MAX_HTTP_LINE_BYTES} bytes`,
    { details: { limit: MAX_HTTP_LINE_BYTES } },
  );
}
