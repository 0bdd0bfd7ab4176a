import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Recipient } from './connections';
import type { ConnectionTransfer } from './connectionTransfer';
import { type Problem, PROBLEM_STATUS, problemBody } from './problems';

/** One request of a connection and the answer to it. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Who asks. */
  readonly recipient: Recipient;
  /** Aborted when the connection ends. */
  readonly signal: AbortSignal;
  /** What the user sees of the connection's uploads. */
  readonly transfer: ConnectionTransfer;
}

/** Content is named by what it is, but what is offered changes: nobody may answer in our place. */
const COMMON_HEADERS: OutgoingHttpHeaders = {
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
};

export const BYTES_HEADERS: OutgoingHttpHeaders = {
  ...COMMON_HEADERS,
  'Content-Type': 'application/octet-stream',
};

const JSON_HEADERS: OutgoingHttpHeaders = { ...COMMON_HEADERS, 'Content-Type': 'application/json' };

export function sendJson(response: ServerResponse, text: string): void {
  const bytes = Buffer.from(text);
  response.writeHead(200, { ...JSON_HEADERS, 'Content-Length': bytes.length });
  response.end(bytes);
}

export function sendProblem(response: ServerResponse, problem: Problem): void {
  const body = Buffer.from(problemBody(problem.code));
  response.writeHead(PROBLEM_STATUS[problem.code], {
    ...JSON_HEADERS,
    'Content-Length': body.length,
    ...problem.headers,
    ...(problem.closes === true ? { Connection: 'close' } : {}),
  });
  response.end(body);
}

/** A problem as the bytes of a whole answer, for requests that could not even be read. */
export function rawProblem(code: Problem['code']): string {
  const body = problemBody(code);
  return [
    `HTTP/1.1 ${PROBLEM_STATUS[code]} Refused`,
    'Connection: close',
    'Content-Type: application/json',
    `Content-Length: ${body.length}`,
    'Cache-Control: no-store',
    'X-Content-Type-Options: nosniff',
    '',
    body,
  ].join('\r\n');
}
