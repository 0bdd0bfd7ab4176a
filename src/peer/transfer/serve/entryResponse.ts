import { opaqueNameProblem } from '../../../protocol/names';
import { MAX_BATCH_OBJECTS } from '../../../protocol/limits';
import { type Exchange, sendJson } from './exchange';
import type { Problem } from './problems';
import { readBody } from './requestBody';
import type { ServingContext } from './servingContext';

/** `GET` of what is offered under a name now. */
export function respondWithEntry(
  { response }: Exchange,
  encodedName: string,
  { offer }: ServingContext,
): Promise<Problem | undefined> {
  const name = decodeName(encodedName);
  if (name === undefined) return Promise.resolve({ code: 'bad_request' });
  const entry = offer.find(name);
  const signed = offer.signatures?.()?.(name);
  if (entry === undefined && signed !== undefined) {
    sendJson(response, JSON.stringify({ name, state: 'withdrawn', signed }));
    return Promise.resolve(undefined);
  }
  // What has not been hashed yet cannot be had by version 2.
  if (entry?.contentId === undefined) return Promise.resolve({ code: 'not_published' });
  const { contentId, modifiedMs, version = 1, sequence = 0 } = entry;
  sendJson(
    response,
    JSON.stringify({
      name,
      root: contentId.root,
      size: contentId.sizeBytes,
      modified: Math.floor(modifiedMs),
      version,
      seq: sequence,
      state: 'published',
      signed,
    }),
  );
  return Promise.resolve(undefined);
}

/** `POST` of names, answered by what this peer has signed of each; only in team sessions. */
export async function respondWithEntries(
  exchange: Exchange,
  { clock, input, offer }: ServingContext,
): Promise<Problem | undefined> {
  const body = await readBody(exchange, { clock, input });
  if (body === 'too_large') return { code: 'too_large', closes: true };
  const signed = offer.signatures?.();
  if (signed === undefined) return { code: 'not_found' };
  const names = body.toString().split('\n');
  if (names.at(-1) === '') names.pop();
  if (names.length > MAX_BATCH_OBJECTS) return { code: 'too_large' };
  if (names.length === 0) return { code: 'bad_request' };
  const entries = names.map((name) => signed(name) ?? null);
  sendJson(exchange.response, JSON.stringify({ entries }));
  return undefined;
}

function decodeName(encoded: string): string | undefined {
  try {
    const name = decodeURIComponent(encoded);
    return opaqueNameProblem(name) === undefined ? name : undefined;
  } catch (error) {
    if (error instanceof URIError) return undefined;
    throw error;
  }
}
