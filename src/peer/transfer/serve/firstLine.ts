import type { Socket } from 'node:net';
import type { Clock } from '../../../common/clock';
import { deferred } from '../../../common/deferred';
import { PeershelfError } from '../../../common/errors';
import { LineDecoder } from '../../../protocol/lineDecoder';
import { MAX_HTTP_LINE_BYTES, MAX_TRANSFER_LINE_BYTES } from '../../../protocol/limits';

/** One chunk of a socket, which may hold the line and what follows it. */
const MAX_CHUNK_BYTES = 64 * 1024;

const REQUEST_LINE = /^([A-Z]{1,32}) (\S+) HTTP\/(\d(?:\.\d)?)$/u;

export interface FirstLine {
  /** Without its end. */
  readonly line: Buffer;
  /** Everything that has been read, the line included. */
  readonly bytes: Buffer;
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
  { clock, deadlineMs }: { readonly clock: Clock; readonly deadlineMs: number },
): Promise<FirstLine> {
  const decoder = new LineDecoder({
    maxLineBytes: MAX_HTTP_LINE_BYTES,
    maxBufferBytes: MAX_HTTP_LINE_BYTES + MAX_CHUNK_BYTES,
  });
  const chunks: Buffer[] = [];
  const first = deferred<FirstLine>();
  const deadline = clock.after(deadlineMs, () =>
    first.reject(new PeershelfError('TIMED_OUT', 'no request line in time')),
  );
  const onEnd = (): void =>
    first.reject(new PeershelfError('CONNECTION_LOST', 'closed without a request'));
  const onData = (chunk: Buffer): void => {
    try {
      chunks.push(chunk);
      decoder.push(chunk);
      const line = decoder.next();
      if (line === undefined) return;
      stop();
      first.resolve({ line, bytes: Buffer.concat(chunks) });
    } catch (error) {
      first.reject(error);
    }
  };
  const stop = (): void => {
    deadline.dispose();
    socket.off('data', onData).off('end', onEnd).off('close', onEnd);
    socket.pause(); // What comes next belongs to whoever goes on with the conversation.
  };
  socket.on('data', onData).once('end', onEnd).once('close', onEnd);
  return first.promise.finally(stop);
}
