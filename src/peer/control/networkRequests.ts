import { type ListedHost, readRegistry } from '../../protocol/controlReplies';
import type { SealedHostRecord } from '../../protocol/hostRecord';
import { MAX_PAGE_ENTRIES, MAX_REPLY_ENTRIES } from '../../protocol/limits';
import { readCursor, readSequence } from '../../protocol/networkChanges';
import { recordOf } from '../../protocol/recordReplies';
import type { HostTrust, TrustedHost } from '../team/hostTrust';
import type { TrackerConnection } from './trackerConnection';

/** A tracker that never comes to an end is cut short; smaller pages than asked for are fine. */
export const MAX_PAGES = 10_000;

/** A part of what a tracker knows. */
export interface NetworkPart {
  /** By hostname, with some of their files. None of them is verified. */
  readonly hosts: ReadonlyMap<string, ListedHost>;
  readonly recordOf: (hostname: string) => SealedHostRecord | undefined;
  /** Where the next page begins; undefined behind the last. */
  readonly cursor: string | undefined;
}

/** What keeps an index of a network up to date, in version 2. */
export interface SubscribableNetwork {
  /** The first page; from then on the tracker tells what changes. */
  subscribe(): Promise<NetworkPart & { readonly sequence: number }>;
  page(cursor: string): Promise<NetworkPart>;
  /** Resolves when the tracker has sent what had changed before, to the number of the last event. */
  sync(): Promise<number>;
  /** Whom a record shows; `anybody` in an open session, undefined when it shows nobody. */
  identify(
    hostname: string,
    record: SealedHostRecord | undefined,
  ): TrustedHost | 'anybody' | undefined;
}

/** The requests of version 2 that are about everything. Each throws what `request` throws. */
export class NetworkRequests implements SubscribableNetwork {
  constructor(
    private readonly connection: Pick<TrackerConnection, 'request'>,
    private readonly trust: Pick<HostTrust, 'verify'> | undefined,
    private readonly maxHosts = MAX_REPLY_ENTRIES,
  ) {}

  async subscribe(): Promise<NetworkPart & { readonly sequence: number }> {
    const reply = await this.connection.request('SUBSCRIBE', { limit: MAX_PAGE_ENTRIES });
    return { ...toPart(reply), sequence: readSequence(reply) };
  }

  async page(cursor: string | undefined, prefix = ''): Promise<NetworkPart> {
    const data = { limit: MAX_PAGE_ENTRIES, cursor, ...(prefix !== '' && { prefix }) };
    return toPart(await this.connection.request('LIST', data));
  }

  async sync(): Promise<number> {
    return readSequence(await this.connection.request('SYNC'));
  }

  identify(
    hostname: string,
    record: SealedHostRecord | undefined,
  ): TrustedHost | 'anybody' | undefined {
    return this.trust === undefined ? 'anybody' : this.trust.verify(hostname, record);
  }

  /** Every host that is known for what it says, with its files below `prefix`: page by page. */
  list(prefix = ''): Promise<Map<string, ListedHost>> {
    return this.collect((cursor) => this.page(cursor, prefix));
  }

  /** Files whose names or owners have every word of `query`, at most `limit`. */
  search(query: string, limit: number): Promise<Map<string, ListedHost>> {
    return this.collect(async (cursor) => {
      const data = { query, limit: Math.min(limit, MAX_PAGE_ENTRIES), cursor };
      return toPart(await this.connection.request('SEARCH', data));
    }, limit);
  }

  private async collect(
    ask: (cursor: string | undefined) => Promise<NetworkPart>,
    limit = MAX_REPLY_ENTRIES,
  ): Promise<Map<string, ListedHost>> {
    const all = new Map<string, ListedHost>();
    let cursor: string | undefined;
    let taken = 0;
    let pages = 0;
    do {
      const part = await ask(cursor);
      pages += 1;
      for (const [hostname, host] of part.hosts) {
        taken += host.files.size;
        const known = this.identify(hostname, part.recordOf(hostname));
        if (known === undefined) continue;
        const files = new Map([...(all.get(hostname)?.files ?? []), ...host.files]);
        all.set(hostname, { ...host, ...(known !== 'anybody' && known), files });
      }
      // A tracker that gives the same place again, or hosts without files, would never come to an end.
      cursor = part.hosts.size === 0 || part.cursor === cursor ? undefined : part.cursor;
    } while (
      cursor !== undefined &&
      taken < limit &&
      pages < MAX_PAGES &&
      all.size < this.maxHosts
    );
    return all;
  }
}

function toPart(reply: Record<string, unknown>): NetworkPart {
  return {
    hosts: readRegistry(reply, 2),
    recordOf: (hostname) => recordOf(reply, hostname),
    cursor: readCursor(reply),
  };
}
