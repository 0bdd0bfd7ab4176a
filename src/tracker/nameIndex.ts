import { MAX_SOURCES } from '../protocol/limits';
import { MAX_KEPT_REPLY_CHARACTERS, MAX_REPLY_CHARACTERS } from './limits';
import {
  foundReply,
  type HostFacts,
  NOT_FOUND,
  type PublishedMetadata,
  sourceJson,
} from './replies';
import { awayMember, recordLength, sourceStartJson, toAge, withRecords } from './repliesV2';

/** Longest text of what changes with time, and what stands between two hosts. */
const MAX_LIFE_CHARACTERS = 64;

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
    if (entry.reply !== undefined) return entry.reply;
    const reply = foundReply(inOrder(entry.offers).map(([host, file]) => sourceJson(host, file)));
    if (isKept(reply.length, entry)) entry.reply = reply;
    return reply;
  }

  /**
   * The reply to REQUEST of version 2: as many hosts as a peer takes from it.
   * @param nowMs by the clock that only grows.
   */
  replyV2(name: string, nowMs: number): string {
    const entry = this.entries.get(name);
    if (entry === undefined) return NOT_FOUND;
    const starts = entry.starts ?? startsOf(entry.offers);
    if (entry.starts === undefined) {
      const length = starts.reduce((sum, [, start]) => sum + start.length, 0);
      if (isKept(length, entry)) entry.starts = starts;
    }
    const sources: string[] = [];
    const named: H[] = [];
    let left = MAX_REPLY_CHARACTERS;
    for (const [host, start] of starts) {
      left -= start.length + recordLength(host) + MAX_LIFE_CHARACTERS;
      // Who came first is heard; nobody needs as many sources as a reply has room for.
      if (left < 0) break;
      const { lastSeenMs, awaySinceMs } = host;
      const awayMs = awaySinceMs === undefined ? undefined : nowMs - awaySinceMs;
      sources.push(`${start}${toAge(nowMs - lastSeenMs)}${awayMember(awayMs)}}`);
      named.push(host);
    }
    return withRecords(foundReply(sources), named);
  }
}

function startsOf<H extends IndexedHost>(
  offers: ReadonlyMap<H, PublishedMetadata>,
): readonly (readonly [host: H, start: string])[] {
  return inOrder(offers)
    .slice(0, MAX_SOURCES)
    .map(([host, file]) => [host, sourceStartJson(host, file)]);
}

/** Long texts are written each time: what is kept is counted with the files, by a fixed amount. */
function isKept(
  length: number,
  { offers }: { readonly offers: ReadonlyMap<unknown, unknown> },
): boolean {
  return length <= offers.size * MAX_KEPT_REPLY_CHARACTERS;
}

function inOrder<H extends IndexedHost>(
  offers: ReadonlyMap<H, PublishedMetadata>,
): [H, PublishedMetadata][] {
  return [...offers].sort(([a], [b]) => a.order - b.order);
}
