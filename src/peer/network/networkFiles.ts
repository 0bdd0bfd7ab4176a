import { formatContentId } from '../../protocol/contentId';
import type { ListedFile } from '../../protocol/controlReplies';
import type { NamedHost } from '../../protocol/hostLabel';
import type { ListedNetworkFile } from '../team/shownFile';

/** One file of a host, with what the host has signed of it; `shownFile` makes of it what may be shown. */
export function toNetworkFile(name: string, file: ListedFile, owner: NamedHost): ListedNetworkFile {
  return {
    ...owner,
    name,
    sizeBytes: file.size,
    modifiedMs: file.modified * 1_000,
    publishedAtMs: file.publishedAt * 1_000,
    ...(file.contentId === undefined ? {} : { contentId: formatContentId(file.contentId) }),
    ...(file.signed === undefined ? {} : { signed: file.signed }),
  };
}

/** Files of one host as a reply has them. */
export function toNetworkFiles(
  owner: NamedHost,
  files: ReadonlyMap<string, ListedFile>,
): ListedNetworkFile[] {
  return [...files].map(([name, file]) => toNetworkFile(name, file, owner));
}
