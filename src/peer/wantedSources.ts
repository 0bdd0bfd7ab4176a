import { formatContentId } from '../protocol/contentId';
import type { SourceInfo } from '../protocol/controlReplies';
import type { TrackerClient } from './control/trackerClient';
import type { FetchRequest } from './peerApi';
import { findSources } from './sources';

export interface WantedSources {
  /** The name as its publishers write it. */
  readonly name: string;
  /** Who is said to offer what is asked for. */
  readonly sources: readonly SourceInfo[];
}

/**
 * Asks the tracker who offers what a request is about.
 * @param own hostname of this peer, which is left out.
 * @throws CANCELLED, and what the tracker's connection throws.
 */
export async function wantedSources(
  request: FetchRequest,
  { client, own }: { readonly client: TrackerClient; readonly own: string | undefined },
  signal: AbortSignal | undefined,
): Promise<WantedSources> {
  const { name, sources: found } = await findSources(client, request.name, signal);
  const others = found.filter(({ hostname }) => hostname !== own);
  return { name, sources: others.filter((source) => isWanted(request, source)) };
}

/** Whether somebody offers what a request asks for, as far as he says what it is. */
export function isWanted(
  { hostname, contentId }: Pick<FetchRequest, 'hostname' | 'contentId'>,
  source: Pick<SourceInfo, 'hostname' | 'contentId'>,
): boolean {
  if (hostname !== undefined && source.hostname !== hostname) return false;
  if (contentId === undefined) return true;
  return source.contentId !== undefined && formatContentId(source.contentId) === contentId;
}
