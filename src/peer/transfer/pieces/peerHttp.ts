import { type IncomingMessage, request } from 'node:http';
import type { Socket } from 'node:net';
import { onAbort, throwIfAborted } from '../../../common/abort';
import type { Clock } from '../../../common/clock';
import { type ErrorCode, PeershelfError } from '../../../common/errors';
import { formatHostPort, type HostPort } from '../../../protocol/address';
import type { ContentId } from '../../../protocol/contentId';
import { HASH_BYTES, isLayerOf, pieceCount } from '../../../protocol/hashTree';
import { layerPath } from '../../../protocol/httpReply';
import type { SourceAddress, SourceConnection, SourceDialer } from '../sourceDialer';
import { watchForStall } from '../stallWatch';

/** What a status other than 200 or 206 means to a fetcher. */
const STATUS_CODES: Readonly<Record<number, ErrorCode>> = {
  401: 'NOT_A_MEMBER',
  404: 'NOT_PUBLISHED',
  409: 'CONTENT_CHANGED',
  410: 'FILE_GONE',
  429: 'DECLINED',
  500: 'FILE_UNREADABLE',
  503: 'PEER_BUSY',
};

/** The error for a reply that does not carry what was asked for. */
export function errorForStatus(status: number): PeershelfError {
  const code = STATUS_CODES[status] ?? 'INVALID_MESSAGE';
  return new PeershelfError(code, `the publisher answered ${status}`);
}

/** Less than this in the time in which something must move is as good as nothing. */
const LEAST_BYTES = 16 * 1024;

export interface PeerRequest {
  readonly dialer: SourceDialer;
  readonly source: SourceAddress;
  readonly path: string;
  readonly method?: 'GET' | 'POST';
  readonly body?: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** So little in this time ends it, although something still moves: others have the same to give. */
  readonly stallMs: number;
  /** Called with what arrives; what it throws ends the request. */
  readonly onData: (bytes: Buffer) => void;
}

/**
 * One small request to a peer over a connection of its own, for what is not a range of an object.
 * Redirects are not followed and bodies not decompressed: both are errors.
 * @throws PEER_UNREACHABLE, PEER_IDENTITY_MISMATCH, CONNECTION_LOST, STALLED, CANCELLED,
 * INVALID_MESSAGE, what the status means, and what `onData` throws.
 */
export async function askPeer(ask: PeerRequest): Promise<void> {
  const { dialer, source, signal, stallMs } = ask;
  throwIfAborted(signal);
  const connection = await dialer.dial({ source, deadlineMs: stallMs, signal });
  try {
    await exchange(ask, connection);
  } finally {
    connection.socket.destroy();
  }
}

function exchange(ask: PeerRequest, connection: SourceConnection): Promise<void> {
  const { source, path, method = 'GET', body = '', clock, signal, stallMs, onData } = ask;
  const { socket, authorization } = connection;
  return new Promise((resolve, reject) => {
    let moved = 0;
    const outgoing = request({
      createConnection: (): Socket => socket,
      method,
      path,
      headers: {
        host: formatHostPort(source),
        ...(authorization === undefined ? {} : { authorization }),
        ...(method === 'POST' ? { 'content-length': Buffer.byteLength(body) } : {}),
      },
    });
    const settle = (error?: unknown): void => {
      abort.dispose();
      watch.dispose();
      outgoing.destroy();
      if (error === undefined) resolve();
      else reject(PeershelfError.from(error));
    };
    const abort = onAbort(signal, () => settle(new PeershelfError('CANCELLED', 'cancelled')));
    const watch = watchForStall({
      clock,
      stallMs,
      progress: () => Math.floor(moved / LEAST_BYTES),
      onStall: () =>
        settle(new PeershelfError('STALLED', `under ${LEAST_BYTES} bytes in ${stallMs} ms`)),
    });
    outgoing.on('error', (cause) => settle(unreachable(source, cause)));
    outgoing.on('response', (reply) => {
      reply.on('error', (cause) => settle(lost(cause)));
      reply.on('aborted', () => settle(lost()));
      const problem = problemOf(reply);
      if (problem !== undefined) settle(problem);
      reply.on('data', (bytes: Buffer) => {
        moved += bytes.length;
        try {
          onData(bytes);
        } catch (error) {
          settle(error);
        }
      });
      reply.on('end', () => settle());
    });
    outgoing.end(body);
  });
}

/**
 * The piece layer of a content from one source, checked.
 * @throws as `askPeer`, and CONTENT_MISMATCH when it is not the layer of the content.
 */
export async function askForLayer(
  ask: Omit<PeerRequest, 'path' | 'onData'>,
  contentId: ContentId,
): Promise<Buffer> {
  const layer = Buffer.alloc(pieceCount(contentId.sizeBytes) * HASH_BYTES);
  let length = 0;
  await askPeer({
    ...ask,
    path: layerPath(contentId),
    onData: (bytes) => {
      if (length + bytes.length > layer.length)
        throw new PeershelfError('CONTENT_MISMATCH', 'the publisher sent too many piece hashes');
      bytes.copy(layer, length);
      length += bytes.length;
    },
  });
  if (length < layer.length || !isLayerOf(layer, contentId))
    throw new PeershelfError('CONTENT_MISMATCH', 'the publisher sent wrong piece hashes');
  return layer;
}

function problemOf(reply: IncomingMessage): PeershelfError | undefined {
  if (reply.statusCode !== 200) return errorForStatus(reply.statusCode ?? 0);
  if ((reply.headers['content-encoding'] ?? 'identity') === 'identity') return undefined;
  return new PeershelfError('INVALID_MESSAGE', 'the publisher sent a compressed body');
}

function unreachable(source: HostPort, cause: Error): PeershelfError {
  const address = formatHostPort(source);
  // The parser of HTTP has codes of its own.
  const isNonsense = 'code' in cause && String(cause.code).startsWith('HPE_');
  const code = isNonsense ? 'INVALID_MESSAGE' : 'PEER_UNREACHABLE';
  return new PeershelfError(code, `no answer from ${address}`, { cause, details: { address } });
}

function lost(cause?: unknown): PeershelfError {
  return new PeershelfError('CONNECTION_LOST', 'the publisher closed before the end', { cause });
}
