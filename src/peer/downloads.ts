import { abortable } from '../common/abort';
import { PeershelfError } from '../common/errors';
import { sayingWhoIsAway } from './awaySources';
import type { TrackerClient } from './control/trackerClient';
import type { FetchRequest, FetchResult, FolderFetchRequest, FolderFetchResult } from './peerApi';
import type { TrackerSession } from './trackerSession';
import type { Fetcher, StartOptions } from './transfer/fetcher';
import type { FolderFetcher } from './transfer/folder/folderFetcher';
import type { Offers } from './transfer/offers';
import { wantedSources } from './wantedSources';

export interface DownloadsDependencies {
  readonly session: Pick<TrackerSession, 'registeredHostname' | 'catalogue'>;
  /** @throws NOT_CONNECTED */
  readonly client: () => TrackerClient;
  readonly offers: Offers;
  readonly fetcher: Fetcher;
  readonly folders: FolderFetcher;
  /** For how long a host is away; undefined when it is not, or not known. */
  readonly awayForMs: (hostname: string) => number | undefined;
  /** A host with its display name as people can tell it from others that look like it. */
  readonly labelled: <T extends { readonly hostname: string; readonly displayName: string }>(
    host: T,
  ) => T;
}

/** Finds out who has what is asked for, and lets it be fetched from there. */
export class Downloads {
  constructor(private readonly dependencies: DownloadsDependencies) {}

  /** As `PeerApi.fetch`. */
  async fetch(request: FetchRequest, options: StartOptions): Promise<FetchResult> {
    const { session, offers, fetcher, client, awayForMs, labelled } = this.dependencies;
    const { signal } = options;
    const { catalogue } = session;
    const asking = { client: client(), own: session.registeredHostname };
    const { name, sources: wanted } = await wantedSources(request, asking, signal);
    const sources = wanted.map(labelled);
    const run = async (): Promise<FetchResult> => {
      const offered = await abortable(offers.confirm(name, sources, signal), signal);
      this.assertStill(catalogue);
      return fetcher.fetch({ ...request, name }, offered, options);
    };
    return sayingWhoIsAway(run, sources, awayForMs);
  }

  /** As `PeerApi.fetchFolder`. */
  async fetchFolder(
    request: FolderFetchRequest,
    options: StartOptions,
  ): Promise<FolderFetchResult> {
    const { session, folders, client, labelled } = this.dependencies;
    const { catalogue } = session;
    const listed = await abortable(client().list(request.prefix), options.signal);
    const hosts = new Map(
      [...listed].map(([hostname, host]) => {
        const { displayName } = labelled({ hostname, displayName: host.displayName });
        return [hostname, { ...host, displayName }];
      }),
    );
    this.assertStill(catalogue);
    const own = session.registeredHostname;
    if (own !== undefined) hosts.delete(own);
    return folders.fetch(request, hosts, options);
  }

  /** A session has a catalogue of its own. Sources of one mean nothing in another. */
  private assertStill(catalogue: TrackerSession['catalogue']): void {
    if (catalogue !== this.dependencies.session.catalogue)
      throw new PeershelfError('SESSION_CHANGED', 'the session was left meanwhile');
  }
}
