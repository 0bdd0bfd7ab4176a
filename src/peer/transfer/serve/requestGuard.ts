import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { PeershelfError } from '../../../common/errors';
import { isAddressLiteral, parseHostPort } from '../../../protocol/address';
import { STATEMENT_PATH } from '../../../protocol/httpReply';
import { MAX_BATCH_BODY_BYTES, MAX_STATEMENT_BODY_BYTES } from '../../../protocol/limits';
import type { Problem } from './problems';

const HTTP_PORT = 80;

/**
 * Why a request is refused whatever it asks for, or undefined. A web page can make a browser send
 * requests to any address and, by a name of its own that it points here, read the answers: browsers
 * say so in headers that no peer sends, and no peer asks for a host by name.
 */
export function refusalOf(request: IncomingMessage): Problem | undefined {
  const { headers, headersDistinct } = request;
  const hosts = headersDistinct['host'] ?? [];
  if (isFromBrowser(headers) || hosts.length !== 1 || !isOwnHost(hosts[0] ?? ''))
    return { code: 'forbidden', closes: true };
  if (headers['upgrade'] !== undefined || hasRepeatedHeader(request))
    return { code: 'bad_request', closes: true };
  // Nobody of ours waits for leave to send so little.
  if (headers.expect !== undefined) return { code: 'expectation_failed', closes: true };
  return bodyProblem(request);
}

/**
 * Browsers say where a request comes from, but not always: for an image, and to an address that is not
 * this machine's, they do not. Who they are and which languages they speak they say always.
 */
function isFromBrowser(headers: IncomingHttpHeaders): boolean {
  return (
    Object.keys(headers).some((name) => name === 'origin' || name.startsWith('sec-fetch-')) ||
    headers['accept-language'] !== undefined ||
    headers['user-agent']?.startsWith('Mozilla/') === true
  );
}

/** Only requests of many things, and a statement, have a body, and no large one. */
function bodyProblem({ method, url, headers }: IncomingMessage): Problem | undefined {
  const length = headers['content-length'];
  const isChunked = headers['transfer-encoding'] !== undefined;
  const hasBody = isChunked || (length !== undefined && length !== '0');
  if (method !== 'POST') return hasBody ? { code: 'bad_request', closes: true } : undefined;
  const maxBytes = url === STATEMENT_PATH ? MAX_STATEMENT_BODY_BYTES : MAX_BATCH_BODY_BYTES;
  if (Number(length ?? 0) > maxBytes) return { code: 'too_large', closes: true };
  return undefined;
}

/** Two of these would let two programs on the way understand two different requests. */
function hasRepeatedHeader({ headersDistinct }: IncomingMessage): boolean {
  const single = ['range', 'if-range', 'content-length', 'transfer-encoding'];
  return single.some((name) => (headersDistinct[name]?.length ?? 0) > 1);
}

function isOwnHost(header: string): boolean {
  try {
    const { host } = parseHostPort(header, HTTP_PORT);
    return host.toLowerCase() === 'localhost' || isAddressLiteral(host);
  } catch (error) {
    if (PeershelfError.is(error, 'INVALID_ADDRESS')) return false;
    throw error;
  }
}
