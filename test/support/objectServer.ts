import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Cleanup } from '../../scripts/host/cleanup';
import type { ContentSource } from '../../src/peer/transfer/pieces/contentDownload';
import { formatContentId } from '../../src/protocol/contentId';
import { hashBytes } from './hashFiles';

/** Answers a request in its own way: true when it has. */
export type Behaviour = (request: IncomingMessage, response: ServerResponse) => boolean;

export interface ObjectServerOptions {
  /** First asked what to do with every request. */
  readonly behave?: Behaviour;
  /** Changes what is sent of the object. */
  readonly tamper?: (bytes: Buffer, start: number) => Buffer;
  readonly hostname?: string;
  /** Changes the piece hashes that are sent. */
  readonly tamperLayer?: (layer: Buffer) => Buffer;
}

/** A source that is not ours: it serves bytes from memory, as well or as badly as a test wants. */
export interface ObjectServer {
  readonly source: ContentSource;
  /** Ranges that were asked for, in order. */
  readonly ranges: readonly (readonly [number, number])[];
  /** Bytes of the object that were given to the system. */
  readonly sentBytes: () => number;
  stop(): Promise<void>;
}

export async function startObjectServer(
  cleanup: Cleanup,
  bytes: Buffer,
  options: ObjectServerOptions = {},
): Promise<ObjectServer> {
  const { behave, tamper = same, tamperLayer = same, hostname = 'source' } = options;
  const { contentId, layer } = hashBytes(bytes);
  const id = formatContentId(contentId);
  const ranges: [number, number][] = [];
  const sockets = new Set<Socket>();
  let sentBytes = 0;
  const server = createServer((request, response) => {
    if (behave?.(request, response) === true) return;
    if (request.url === `/v2/layers/${id}`) {
      response.end(tamperLayer(layer));
      return;
    }
    const range = /^bytes=(\d+)-(\d+)$/u.exec(request.headers.range ?? '');
    if (request.url !== `/v2/objects/${id}` || range === null) {
      response.writeHead(404).end();
      return;
    }
    const [start, end] = [Number(range[1]), Number(range[2]) + 1];
    ranges.push([start, end]);
    sentBytes += end - start;
    response.writeHead(206, {
      'content-range': `bytes ${start}-${end - 1}/${bytes.length}`,
      'content-length': end - start,
      etag: `"${id}"`,
    });
    response.end(tamper(bytes.subarray(start, end), start));
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => undefined);
  });
  const stop = async (): Promise<void> => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    sockets.forEach((socket) => socket.destroy());
    await closed;
  };
  cleanup.add(stop);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const source = { hostname, displayName: hostname, host: '127.0.0.1', port };
  return { source, ranges, sentBytes: () => sentBytes, stop };
}

function same(bytes: Buffer): Buffer {
  return bytes;
}
