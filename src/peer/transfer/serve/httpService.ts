import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { systemCode } from '../../../common/errors';
import { parseContentId } from '../../../protocol/contentId';
import { STATEMENT_PATH } from '../../../protocol/httpReply';
import { MAX_HTTP_HEAD_BYTES } from '../../../protocol/limits';
import { respondWithBatch } from './batchResponse';
import { respondWithEntries, respondWithEntry } from './entryResponse';
import { type Exchange, sendProblem } from './exchange';
import { HttpConnection, type HttpConnectionOptions } from './httpConnection';
import { respondWithLayer } from './layerResponse';
import { respondWithObject } from './objectResponse';
import type { Problem } from './problems';
import { refusalOf } from './requestGuard';
import type { ServingContext } from './servingContext';

type Respond = (exchange: Exchange) => Promise<Problem | undefined>;

interface Route {
  readonly methods: readonly string[];
  readonly respond: Respond;
}

export interface AdoptOptions extends Pick<HttpConnectionOptions, 'firstHeadMs' | 'setQuiet'> {
  /** What has been read already. */
  readonly bytes?: Buffer;
  /** Why a request of this connection is not answered, whatever it asks for. */
  readonly refusalOf?: (request: IncomingMessage) => Problem | undefined;
  /** Answers the exchange of statements, which is for others than members, too. */
  readonly exchangeStatements?: Respond | undefined;
}

/**
 * Version 2 of transfers: HTTP/1.1 on sockets that somebody else has accepted. The HTTP server of
 * Node never listens here and enforces no time and no number by itself: `HttpConnection` and
 * `Connections` do.
 */
export class HttpService {
  private readonly server: Server;
  private readonly adopted = new WeakMap<object, HttpConnection>();

  constructor(private readonly context: ServingContext) {
    this.server = createServer({
      maxHeaderSize: MAX_HTTP_HEAD_BYTES,
      insecureHTTPParser: false,
      // A missing host is refused as a wrong one is.
      requireHostHeader: false,
      keepAliveTimeout: 0,
      headersTimeout: 0,
      requestTimeout: 0,
    });
    this.server.maxHeadersCount = 0; // The size counts; what came after the last would be ignored.
    this.listen();
  }

  /** Goes on with a connection that somebody else has begun. */
  adopt(socket: Socket, options: AdoptOptions): void {
    if (socket.destroyed) return;
    const { bytes, exchangeStatements, refusalOf: ownRefusalOf = () => undefined } = options;
    let parse = (_: Buffer): void => undefined;
    const connection = new HttpConnection(socket, this.context, {
      ...options,
      parse: (chunk) => parse(chunk),
      answer: (exchange) =>
        exchange.request.url === STATEMENT_PATH && exchangeStatements !== undefined
          ? this.answer(exchange, () => undefined, exchangeStatements)
          : this.answer(exchange, ownRefusalOf),
    });
    this.adopted.set(socket, connection);
    if (bytes !== undefined) socket.unshift(bytes);
    this.server.emit('connection', socket);
    // In front of the server's own listener, which would parse whatever comes.
    const listeners = socket.listeners('data') as ((chunk: Buffer) => void)[];
    socket.removeAllListeners('data');
    parse = (chunk) => {
      for (const listener of listeners) listener.call(socket, chunk);
    };
    socket.on('data', (chunk) => connection.onData(chunk));
    socket.resume();
  }

  private listen(): void {
    const onRequest = (request: IncomingMessage, response: ServerResponse): void =>
      this.adopted.get(request.socket)?.onRequest(request, response);
    this.server.on('request', onRequest);
    // Refused like other requests that are not for us, instead of what the server would answer.
    this.server.on('checkContinue', onRequest);
    this.server.on('checkExpectation', onRequest);
    this.server.on('clientError', (error, socket) => {
      const isTooLarge = systemCode(error) === 'HPE_HEADER_OVERFLOW';
      this.adopted.get(socket)?.refuse(isTooLarge ? 'head_too_large' : 'bad_request');
    });
  }

  private async answer(
    exchange: Exchange,
    ownRefusalOf: (request: IncomingMessage) => Problem | undefined,
    respond: Respond = (one) => this.respond(one),
  ): Promise<void> {
    const { request, response } = exchange;
    const problem = refusalOf(request) ?? ownRefusalOf(request) ?? (await respond(exchange));
    if (problem === undefined) return;
    // An unread body would be taken for the next request.
    const closes = problem.closes === true || (request.method === 'POST' && !request.complete);
    sendProblem(response, { ...problem, closes });
  }

  private respond(exchange: Exchange): Promise<Problem | undefined> {
    const { method = '', url = '' } = exchange.request;
    const route = this.routeOf(url);
    if (route === undefined) return Promise.resolve({ code: 'not_found' });
    if (!route.methods.includes(method))
      return Promise.resolve({
        code: 'method_not_allowed',
        headers: { Allow: route.methods.join(', ') },
      });
    return route.respond(exchange);
  }

  private routeOf(target: string): Route | undefined {
    const { context } = this;
    const [, kind, rest = ''] = /^\/v2\/(objects|layers|entries)\/([^?#]+)$/u.exec(target) ?? [];
    if (target === '/v2/batch')
      return { methods: ['POST'], respond: (exchange) => respondWithBatch(exchange, context) };
    if (target === '/v2/entries')
      return { methods: ['POST'], respond: (exchange) => respondWithEntries(exchange, context) };
    if (kind === 'entries')
      return {
        methods: ['GET'],
        respond: (exchange) => respondWithEntry(exchange, rest, context),
      };
    const id = kind === undefined ? undefined : parseContentId(rest);
    if (id === undefined) return undefined;
    return kind === 'objects'
      ? {
          methods: ['GET', 'HEAD'],
          respond: (exchange) => respondWithObject(exchange, id, context),
        }
      : { methods: ['GET'], respond: (exchange) => respondWithLayer(exchange, id, context) };
  }
}
