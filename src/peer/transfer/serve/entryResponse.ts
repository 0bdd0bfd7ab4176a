import { opaqueNameProblem } from '../../../protocol/names';
import { type Exchange, sendJson } from './exchange';
import type { Problem } from './problems';
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
    }),
  );
  return Promise.resolve(undefined);
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
