import { PeershelfError } from '../../common/errors';
import { formatContentId } from '../../protocol/contentId';
import type { ListedFile, ListedHost } from '../../protocol/controlReplies';
import type { FolderFetchRequest } from '../peerApi';

/** Hosts of those who offer exactly the same: as many as a file has sources. */
const MAX_HOSTS = 64;
/** Owners that an error names; a question with more is answered by nobody. */
const MAX_NAMED_OWNERS = 50;

/** Files of one person in a folder. */
interface Offered {
  readonly hostnames: string[];
  readonly displayName: string;
  /** Contents by name; several of one name where the hosts of one person differ. */
  readonly files: Set<string>;
}

/**
 * The hosts that a folder is fetched from: those that were named, or those of its one owner. Several
 * people count as one owner only when all of them offer exactly the same, as whoever offers more than
 * another may have copied the rest to be taken for the owner.
 * @throws AMBIGUOUS_FOLDER with the hostnames when several people offer different files there.
 */
export function hostsOfFolder(
  { prefix, hostnames, fromAll }: Pick<FolderFetchRequest, 'prefix' | 'hostnames' | 'fromAll'>,
  hosts: ReadonlyMap<string, ListedHost>,
): readonly string[] | undefined {
  if (fromAll === true) return undefined;
  if (hostnames !== undefined && hostnames.length > 0) return hostnames;
  const owners = [...ownersOf(prefix, hosts).values()];
  const [first, ...others] = owners;
  if (first === undefined || others.every((other) => isSame(first, other)))
    return owners.flatMap((owner) => owner.hostnames).slice(0, MAX_HOSTS);
  const named = owners.slice(0, MAX_NAMED_OWNERS);
  throw new PeershelfError('AMBIGUOUS_FOLDER', `several people offer files in ${prefix}`, {
    details: {
      name: prefix,
      hostnames: named.flatMap((owner) => owner.hostnames.slice(0, 1)),
      displayNames: named.map(({ displayName }) => displayName),
      fileCounts: named.map(({ files }) => `${files.size}`),
    },
  });
}

/** By identity where hosts have one: several windows of one person are one owner. */
function ownersOf(
  prefix: string,
  hosts: ReadonlyMap<string, ListedHost>,
): ReadonlyMap<string, Offered> {
  const owners = new Map<string, Offered>();
  for (const [hostname, host] of hosts) {
    if (host.port === 0) continue;
    const files = [...host.files].filter(([name]) => name.startsWith(prefix) && name !== prefix);
    if (files.length === 0) continue;
    const key = host.fingerprint ?? `host ${hostname}`;
    const { displayName } = host;
    const owner = owners.get(key) ?? { hostnames: [], displayName, files: new Set<string>() };
    owners.set(key, owner);
    owner.hostnames.push(hostname);
    for (const [name, file] of files) owner.files.add(`${name}\n${contentOf(file)}`);
  }
  return owners;
}

function isSame({ files: one }: Offered, { files: other }: Offered): boolean {
  return one.size === other.size && [...one].every((file) => other.has(file));
}

function contentOf({ contentId, size, modified }: ListedFile): string {
  return contentId === undefined ? `${size} ${modified}` : formatContentId(contentId);
}
