import { PeershelfError } from '../../common/errors';
import { readSignedEntry } from '../../protocol/credentials';
import { ENTRIES_PATH, entryPath } from '../../protocol/httpReply';
import { MAX_ENTRIES_REPLY_BYTES } from '../../protocol/limits';
import { isPlainObject } from '../../protocol/requestFields';
import type { SignedText } from '../../protocol/signedText';
import { askPeer, type PeerRequest } from './pieces/peerHttp';

type Asking = Omit<PeerRequest, 'path' | 'method' | 'body' | 'onData'>;

/**
 * What a publisher says of a name now. Nothing of it is verified.
 * @throws as `askPeer`; NOT_PUBLISHED when it does not know the name.
 */
export async function askForEntry(ask: Asking, name: string): Promise<SignedText | undefined> {
  return readSignedEntry((await askForJson({ ...ask, path: entryPath(name) }))['signed']);
}

/** What a publisher says of several names now, in their order. @throws as `askPeer`. */
export async function askForEntries(
  ask: Asking,
  names: readonly string[],
): Promise<(SignedText | undefined)[]> {
  const body = names.map((name) => `${name}\n`).join('');
  const { entries } = await askForJson({ ...ask, path: ENTRIES_PATH, method: 'POST', body });
  if (!Array.isArray(entries) || entries.length !== names.length)
    throw new PeershelfError('INVALID_MESSAGE', 'the publisher sent no list of entries');
  return entries.map(readSignedEntry);
}

async function askForJson(ask: Omit<PeerRequest, 'onData'>): Promise<Record<string, unknown>> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  await askPeer({
    ...ask,
    onData: (chunk) => {
      bytes += chunk.length;
      if (bytes > MAX_ENTRIES_REPLY_BYTES)
        throw new PeershelfError('INVALID_MESSAGE', 'the publisher sent too much');
      chunks.push(chunk);
    },
  });
  const value = parseJson(Buffer.concat(chunks).toString());
  if (!isPlainObject(value))
    throw new PeershelfError('INVALID_MESSAGE', 'the publisher sent no JSON object');
  return value;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // Told by who finds no object.
  }
}
