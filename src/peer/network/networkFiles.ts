import { formatContentId } from '../../protocol/contentId';
import type { ListedFile } from '../../protocol/controlReplies';
import type { NetworkFile } from '../peerApi';

/** One file of a host, as views and the command line see it. */
export function toNetworkFile(
  name: string,
  file: ListedFile,
  owner: { readonly hostname: string; readonly displayName: string },
): NetworkFile {
  return {
    name,
    hostname: owner.hostname,
    displayName: owner.displayName,
    sizeBytes: file.size,
    modifiedMs: file.modified * 1_000,
    publishedAtMs: file.publishedAt * 1_000,
    ...(file.contentId === undefined ? {} : { contentId: formatContentId(file.contentId) }),
  };
}

/** Files of one host as a reply has them; its display name is not known. */
export function toNetworkFiles(
  hostname: string,
  files: ReadonlyMap<string, ListedFile>,
): NetworkFile[] {
  return [...files].map(([name, file]) =>
    toNetworkFile(name, file, { hostname, displayName: hostname }),
  );
}
