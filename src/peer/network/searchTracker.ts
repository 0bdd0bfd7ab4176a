import type { TrackerClient } from '../control/trackerClient';
import type { NetworkFile, NetworkQuery } from '../peerApi';
import { LookAlikes } from './lookAlikes';
import { toNetworkFile } from './networkFiles';
import type { NetworkIndex } from './networkIndex';
import { compare } from './networkModel';
import type { Shown } from './networkQueries';

export interface SearchDependencies {
  readonly client: Pick<TrackerClient, 'version' | 'network'>;
  /** Searched instead where the tracker cannot search. */
  readonly index: Pick<NetworkIndex, 'refresh' | 'files' | 'whose'>;
  /** Hostname of this peer, which is left out. */
  readonly own: string | undefined;
  readonly shown: Shown;
}

/** Files of others that match, by name: found by the tracker, or here where it speaks version 1. */
export async function searchTracker(
  { client, index, own, shown }: SearchDependencies,
  { text = '', limit }: Pick<NetworkQuery, 'text' | 'limit'>,
): Promise<NetworkFile[]> {
  if (client.version === 1) {
    await index.refresh();
    return [...index.files({ text, limit }).files];
  }
  const hosts = await client.network.search(text, limit);
  // Names that are shown together can be told apart, at least, where there is no index.
  const lookAlikes = new LookAlikes();
  for (const [hostname, { displayName, fingerprint }] of hosts)
    lookAlikes.set(hostname, {
      identity: fingerprint ?? `host ${hostname}`,
      names: [hostname, displayName],
    });
  const files = [...hosts].flatMap(([hostname, { displayName, fingerprint, files: offered }]) => {
    if (hostname === own) return [];
    const owner = {
      ...{ hostname, displayName },
      ...(fingerprint !== undefined && { identity: fingerprint }),
      ...(lookAlikes.has(hostname) && { looksAlike: true }),
      ...index.whose(hostname),
    };
    return [...offered].flatMap(([name, file]) => shown(toNetworkFile(name, file, owner)) ?? []);
  });
  return files
    .sort((one, other) => compare(one.name, other.name) || compare(one.hostname, other.hostname))
    .slice(0, limit);
}
