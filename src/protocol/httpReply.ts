import { PeershelfError } from '../common/errors';
import { type ContentId, formatContentId } from './contentId';
import { formatHostPort, type HostPort } from './address';

/**
 * The part of HTTP/1.1 (RFC 9112) that a fetcher needs to take byte ranges from a peer: strict,
 * because every legal reply of a peer is one of a few shapes, and everything else is refused.
 */

/** Longest head of a reply. Ours have some 300 bytes. */
export const MAX_REPLY_HEAD_BYTES = 8 * 1024;

const HEAD_END = Buffer.from('\r\n\r\n');
const STATUS_LINE = /^HTTP\/1\.1 ([1-5]\d\d)(?: [^\r\n]*)?$/u;
const FIELD = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\0\r\n]*?)[ \t]*$/u;

/** First byte and the one behind the last. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

export interface ReplyHead {
  readonly status: number;
  /** By lower-case name. A name that stands twice is refused. */
  readonly fields: ReadonlyMap<string, string>;
}

/** Request for a range of an object, with the header `Authorization` if one is given. */
export function encodeRangeRequest(
  source: HostPort,
  id: ContentId,
  range: ByteRange,
  authorization?: string,
): string {
  return [
    `GET ${objectPath(id)} HTTP/1.1`,
    `Host: ${formatHostPort(source)}`,
    `Range: bytes=${range.start}-${range.end - 1}`,
    ...(authorization === undefined ? [] : [`Authorization: ${authorization}`]),
    '\r\n',
  ].join('\r\n');
}

export function objectPath(id: ContentId): string {
  return `/v2/objects/${formatContentId(id)}`;
}

export function layerPath(id: ContentId): string {
  return `/v2/layers/${formatContentId(id)}`;
}

export const BATCH_PATH = '/v2/batch';

/** Several entries at once. */
export const ENTRIES_PATH = '/v2/entries';

/** Target of the exchange of statements, in team sessions. */
export const STATEMENT_PATH = '/v2/statement';

export function entryPath(name: string): string {
  return `${ENTRIES_PATH}/${encodeURIComponent(name)}`;
}

/** Where in `bytes` the body begins, or undefined when the head has not ended yet. */
export function endOfHead(bytes: Buffer): number | undefined {
  const index = bytes.indexOf(HEAD_END);
  return index === -1 ? undefined : index + HEAD_END.length;
}

/** @throws INVALID_MESSAGE */
export function parseReplyHead(head: Buffer): ReplyHead {
  const [statusLine = '', ...lines] = head.toString('latin1').trimEnd().split('\r\n');
  const status = STATUS_LINE.exec(statusLine)?.[1];
  if (status === undefined) throw invalid('no status line');
  const fields = new Map<string, string>();
  for (const line of lines) {
    const [, name, value] = FIELD.exec(line) ?? [];
    if (name === undefined || value === undefined) throw invalid('a field that cannot be read');
    const key = name.toLowerCase();
    if (fields.has(key)) throw invalid(`${key} twice`);
    fields.set(key, value);
  }
  return { status: Number(status), fields };
}

/**
 * Checks that a 206 announces exactly the bytes that were asked for.
 * @throws INVALID_MESSAGE for everything else, compressed or chunked bodies included.
 */
export function checkRangeReply({ fields }: ReplyHead, id: ContentId, range: ByteRange): void {
  const contentRange = `bytes ${range.start}-${range.end - 1}/${id.sizeBytes}`;
  if (fields.get('content-range') !== contentRange) throw invalid('another range');
  if (fields.get('content-length') !== String(range.end - range.start))
    throw invalid('another length');
  if (fields.get('etag') !== `"${formatContentId(id)}"`) throw invalid('another object');
  const encoding = fields.get('content-encoding') ?? 'identity';
  if (fields.has('transfer-encoding') || encoding !== 'identity') throw invalid('an encoded body');
}

function invalid(what: string): PeershelfError {
  return new PeershelfError('INVALID_MESSAGE', `the publisher sent ${what}`);
}
