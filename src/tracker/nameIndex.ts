import {
  foundReply,
  type HostFacts,
  NOT_FOUND,
  type PublishedMetadata,
  sourceJson,
} from './replies';
import { awayMember, sourceStartJson, toAge, withRecords } from './repliesV2';

/** What the index needs to know of a host. */
export interface IndexedHost extends HostFacts {
  readonly order: number;
  readonly lastSeenMs: number;
  readonly awaySinceMs?: number | undefined;
  /** What it says of itself, in a team session. */
  readonly recordJson?: string | undefined;
}

interface NameEntry<H> {
  readonly offers: Map<H, PublishedMetadata>;
  /** Cache of the reply to REQUEST of version 1; undefined after a change. */
  reply: string | undefined;
  /** Cache of the reply of version 2: all of each host but its age, which no change tells. */
  starts: readonly (readonly [host: H, start: string])[] | undefined;
}

/** Which hosts offer a name, so that REQUEST looks at these hosts only. */
export class NameIndex<H extends IndexedHost> {
  private readonly entries = new Map<string, NameEntry<H>>();

  set(name: string, host: H, file: PublishedMetadata): void {
    const entry = this.entries.get(name);
    if (entry === undefined) {
      const offers = new Map([[host, file]]);
      this.entries.set(name, { offers, reply: undefined, starts: undefined });
      return;
    }
    entry.offers.set(host, file);
    entry.reply = entry.starts = undefined;
  }

  delete(name: string, host: H): void {
    const entry = this.entries.get(name);
    if (entry?.offers.delete(host) !== true) return;
    entry.reply = entry.starts = undefined;
    if (entry.offers.size === 0) this.entries.delete(name);
  }

  /** The reply to REQUEST. Hosts stand in the order of their first registration. */
  reply(name: string): string {
    const entry = this.entries.get(name);
    if (entry === undefined) return NOT_FOUND;
    entry.reply ??= foundReply(inOrder(entry.offers).map(([host, file]) => sourceJson(host, file)));
    return entry.reply;
  }

  /** The reply to REQUEST of version 2. @param nowMs by the clock that only grows. */
  replyV2(name: string, nowMs: number): string {
    const entry = this.entries.get(name);
    if (entry === undefined) return NOT_FOUND;
    entry.starts ??= inOrder(entry.offers).map(([host, file]) => [
      host,
      sourceStartJson(host, file),
    ]);
    const reply = foundReply(
      entry.starts.map(([host, start]) => {
        const { lastSeenMs, awaySinceMs } = host;
        const awayMs = awaySinceMs === undefined ? undefined : nowMs - awaySinceMs;
        return `${start}${toAge(nowMs - lastSeenMs)}${awayMember(awayMs)}}`;
      }),
    );
    return withRecords(
      reply,
      entry.starts.map(([host]) => host),
    );
  }
}

function inOrder<H extends IndexedHost>(
  offers: ReadonlyMap<H, PublishedMetadata>,
): [H, PublishedMetadata][] {
  return [...offers].sort(([a], [b]) => a.order - b.order);
}
