import { formatContentId } from '../../protocol/contentId';
import type { SignedText } from '../../protocol/signedText';
import type { NetworkFile } from '../peerApi';
import type { EntryTrust } from './entryTrust';

/** A file as a tracker tells of it, with what its host has signed. */
export type ListedNetworkFile = NetworkFile & { readonly signed?: SignedText | undefined };

/**
 * A file as it may be shown: in a team session what its host has signed of it, or undefined when that
 * is nothing, or something else.
 */
export function shownFile(
  { signed, ...file }: ListedNetworkFile,
  trust: Pick<EntryTrust, 'verify'> | undefined,
): NetworkFile | undefined {
  if (trust === undefined) return file;
  const entry = trust.verify(file.hostname, file.name, signed);
  if (entry?.state !== 'published') return undefined;
  const { contentId } = entry;
  return { ...file, sizeBytes: contentId.sizeBytes, contentId: formatContentId(contentId) };
}
