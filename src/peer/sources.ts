import { abortable } from '../common/abort';
import { PeershelfError } from '../common/errors';
import type { SourceInfo } from '../protocol/controlReplies';
import type { TrackerClient } from './control/trackerClient';

type Source = Pick<SourceInfo, 'hostname' | 'displayName'>;

/**
 * Who offers a name, and how they spell it: names are opaque to a tracker, and who types one may compose
 * its accents differently.
 */
export async function findSources(
  client: TrackerClient,
  name: string,
  signal: AbortSignal | undefined,
): Promise<{ readonly name: string; readonly sources: SourceInfo[] }> {
  const sources = await abortable(client.sources(name), signal);
  const composed = name.normalize('NFC');
  if (sources.length > 0 || composed === name) return { name, sources };
  return { name: composed, sources: await abortable(client.sources(composed), signal) };
}

/**
 * Runs a fetch. When nobody can be reached, and everyone who has the file is away, the failure says so:
 * `awayForMs` in its details, and who was there last.
 * @throws what the fetch fails with.
 */
export async function sayingWhoIsAway<T>(
  fetch: () => Promise<T>,
  sources: readonly Source[],
  awayForMs: (hostname: string) => number | undefined,
): Promise<T> {
  try {
    return await fetch();
  } catch (error) {
    if (!PeershelfError.is(error, 'PEER_UNREACHABLE')) throw error;
    const away = sources.map((source) => ({ source, forMs: awayForMs(source.hostname) }));
    let last: { readonly source: Source; readonly forMs: number } | undefined;
    for (const { source, forMs } of away) {
      if (forMs === undefined) throw error;
      if (last === undefined || forMs < last.forMs) last = { source, forMs };
    }
    if (last === undefined) throw error;
    const { displayName } = last.source;
    throw new PeershelfError('PEER_UNREACHABLE', `${error.message}; ${displayName} is away`, {
      cause: error,
      details: { ...error.details, displayName, awayForMs: last.forMs },
    });
  }
}
