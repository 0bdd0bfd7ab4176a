import type { ServerResponse } from 'node:http';
import { abortable } from '../../../common/abort';
import { delay } from '../../../common/clock';
import { type ContentId, formatContentId } from '../../../protocol/contentId';
import type { CatalogueEntry } from '../../catalogue/catalogue';
import { PacedWriter } from '../pacedWriter';
import { whenAdmitted } from './admission';
import { BYTES_HEADERS, type Exchange } from './exchange';
import { troubleWith } from './openContent';
import type { Problem } from './problems';
import type { ServingContext } from './servingContext';

/** Time for the layer to be read, or made anew when it was lost. */
const LAYER_DEADLINE_MS = 30_000;

/** `GET` of the hashes of the pieces of a content id. */
export async function respondWithLayer(
  exchange: Exchange,
  id: ContentId,
  context: ServingContext,
): Promise<Problem | undefined> {
  return whenAdmitted(exchange, context, async () => {
    const entry = context.offer.findContent(id);
    if (entry === undefined) return { code: 'not_published' };
    if (context.uploads.isDeclined(exchange.recipient, entry.name)) return { code: 'declined' };
    const layer = await layerOf(entry, exchange, context);
    if (!Buffer.isBuffer(layer)) return layer;
    // Unpublished while it was looked for.
    if (context.offer.findContent(id) === undefined) return { code: 'not_published' };
    if (layer.length === 0) return { code: 'no_layer' };
    const headers = {
      ...BYTES_HEADERS,
      ETag: `"${formatContentId(id)}"`,
      'Content-Length': layer.length,
    };
    exchange.response.writeHead(200, headers);
    await context.uploads.whileOffered(entry.name, (ended) =>
      send(exchange.response, layer, { ...context, signal: ended }),
    );
    return undefined;
  });
}

async function layerOf(
  entry: CatalogueEntry,
  { signal }: Exchange,
  context: ServingContext,
): Promise<Buffer | Problem> {
  const timer = new AbortController();
  const late = delay(context.clock, LAYER_DEADLINE_MS, timer.signal).then((): Problem => ({
    code: 'busy',
    headers: { 'Retry-After': 1 },
  }));
  late.catch(() => undefined); // Ends by the signal in the end, which nobody waits for.
  try {
    // Called within the promise: what it throws at once is a failure like a later one.
    const found = Promise.resolve().then(() => context.offer.layerOf(entry));
    return (await abortable(Promise.race([found, late]), signal)) ?? { code: 'no_layer' };
  } catch (error) {
    if (signal.aborted) throw error;
    return { code: troubleWith(entry, error, context) };
  } finally {
    timer.abort();
  }
}

/** Not shown as an upload: no byte of the object itself is in it, and it has a connection of its own. */
async function send(
  response: ServerResponse,
  layer: Buffer,
  options: ServingContext & { readonly signal: AbortSignal },
): Promise<void> {
  const { clock, limiter, signal, slowReaderMs: stallMs } = options;
  const writer = new PacedWriter(response, { clock, limiter, signal, stallMs });
  try {
    await writer.run(writer.writeAll(layer));
  } finally {
    writer.dispose();
  }
  response.end();
}
