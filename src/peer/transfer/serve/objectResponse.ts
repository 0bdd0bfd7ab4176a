import type { OutgoingHttpHeaders } from 'node:http';
import { PeershelfError } from '../../../common/errors';
import { type ContentId, formatContentId } from '../../../protocol/contentId';
import type { CatalogueEntry } from '../../catalogue/catalogue';
import { PublishedSource } from '../publishedSource';
import { upload } from '../upload';
import { whenAdmitted } from './admission';
import { type ByteRange, contentRange, namesTag, parseByteRange } from './byteRange';
import { BYTES_HEADERS, type Exchange } from './exchange';
import { noteTrouble, openContent } from './openContent';
import type { Problem } from './problems';
import type { ServingContext } from './servingContext';

/** `GET` and `HEAD` of the bytes of a content id, whole or one range of them. */
export async function respondWithObject(
  exchange: Exchange,
  id: ContentId,
  context: ServingContext,
): Promise<Problem | undefined> {
  const { request, response } = exchange;
  const entry = context.offer.findContent(id);
  if (entry === undefined) return { code: 'not_published' };
  const tag = tagOf(id);
  if (namesTag(request.headers['if-none-match'] ?? '', tag)) {
    response.writeHead(304, { ETag: tag, 'Cache-Control': 'no-store' }).end();
    return undefined;
  }
  if (request.method === 'HEAD') return respondWithHead(exchange, entry, { id, context });
  const range = requestedRange(exchange, id);
  if (range === 'none')
    return { code: 'bad_range', headers: { 'Content-Range': `bytes */${id.sizeBytes}` } };
  return whenAdmitted(exchange, context, () => sendRange(exchange, id, { range, context }));
}

function respondWithHead(
  { response }: Exchange,
  entry: CatalogueEntry,
  { id, context }: { readonly id: ContentId; readonly context: ServingContext },
): Problem | undefined {
  const source = openContent(entry, context);
  if (!(source instanceof PublishedSource)) return { code: source };
  source.close();
  response.writeHead(200, headersOf(id, 'whole')).end();
  return undefined;
}

/** Opens the file only now: waiting requests hold no files open, and it may have changed meanwhile. */
async function sendRange(
  exchange: Exchange,
  id: ContentId,
  { range, context }: { readonly range: ByteRange | 'whole'; readonly context: ServingContext },
): Promise<Problem | undefined> {
  const { response, transfer, recipient } = exchange;
  const entry = context.offer.findContent(id);
  if (entry === undefined) return { code: 'not_published' };
  if (context.uploads.isDeclined(recipient, entry.name)) return { code: 'declined' };
  const source = openContent(entry, context);
  if (!(source instanceof PublishedSource)) return { code: source };
  const about = { name: entry.name, recipient, totalBytes: id.sizeBytes };
  const running = transfer.begin(formatContentId(id), about);
  try {
    response.writeHead(range === 'whole' ? 200 : 206, headersOf(id, range));
    await upload(response, source, {
      clock: context.clock,
      limiter: context.limiter,
      blocks: context.blocks,
      signal: running.signal,
      stallMs: context.slowReaderMs,
      ...(range === 'whole' ? {} : { range }),
      onBytes: (bytes) => transfer.setBytes(bytes),
      isIntact: () => source.isInPlace(entry) && context.offer.findContent(id) !== undefined,
    });
    transfer.rest();
  } catch (error) {
    if (PeershelfError.is(error, 'FILE_CHANGED')) noteTrouble(entry, 'changed', context);
    transfer.end(error);
    throw error;
  } finally {
    source.close();
  }
  response.end();
  return undefined;
}

/** `none` when the range cannot be had. A range of another content (`If-Range`) is not looked at. */
function requestedRange({ request }: Exchange, id: ContentId): ByteRange | 'whole' | 'none' {
  const { range, 'if-range': condition } = request.headers;
  if (range === undefined || (condition !== undefined && condition !== tagOf(id))) return 'whole';
  return parseByteRange(range, id.sizeBytes) ?? 'none';
}

function headersOf(id: ContentId, range: ByteRange | 'whole'): OutgoingHttpHeaders {
  const { start, end } = range === 'whole' ? { start: 0, end: id.sizeBytes } : range;
  return {
    ...BYTES_HEADERS,
    'Accept-Ranges': 'bytes',
    ETag: tagOf(id),
    'Content-Length': end - start,
    ...(range === 'whole' ? {} : { 'Content-Range': contentRange(range, id.sizeBytes) }),
  };
}

function tagOf(id: ContentId): string {
  return `"${formatContentId(id)}"`;
}
