import { formatContentId } from '../protocol/contentId';
import type { ControlVersion } from '../protocol/controlRequestsV2';
import { ContentIndex } from './contentIndex';
import { MAX_REPLY_CHARACTERS } from './limits';
import { NameIndex } from './nameIndex';
import type { Host } from './registryHost';
import type { PublishedMetadata } from './replies';
import { locatedReply, recordLength, withinLimit, withRecords } from './repliesV2';

/** What can be found of the files of all hosts: by name, and by content. */
export class OfferIndex {
  private readonly names = new NameIndex<Host>();
  private readonly contents = new ContentIndex<Host>();

  /** Contents that somebody can be asked for. */
  get contentCount(): number {
    return this.contents.size;
  }

  /** Makes a file findable, if it may be found. */
  add(host: Host, name: string, file: PublishedMetadata): void {
    host.filesJson = host.filesJsonV2 = undefined;
    // A host that serves nothing is nobody's source, whatever it has.
    if (!file.isPublished || host.port === 0) return;
    this.names.set(name, host, file);
    const contentId = file.revision?.contentId;
    if (contentId !== undefined) this.contents.add(formatContentId(contentId), host, name);
  }

  delete(host: Host, name: string, file: PublishedMetadata): void {
    host.filesJson = host.filesJsonV2 = undefined;
    this.names.delete(name, host);
    const contentId = file.revision?.contentId;
    if (contentId !== undefined) this.contents.delete(formatContentId(contentId), host, name);
  }

  /** The reply to REQUEST. @param nowMs by the clock that only grows. */
  request(name: string, version: ControlVersion, nowMs: number): string {
    return version === 1 ? this.names.reply(name) : this.names.replyV2(name, nowMs);
  }

  /** The reply to LOCATE: who offers these contents, with their records. */
  locate(ids: readonly string[]): string {
    const found = new Map<string, string>();
    const named = new Set<Host>();
    let length = 0;
    for (const id of ids) {
      const hosts = this.contents.hosts(id);
      if (hosts === undefined) continue;
      found.set(id, hosts.json);
      length += hosts.json.length;
      for (const host of hosts.named) {
        if (!named.has(host)) length += recordLength(host);
        named.add(host);
      }
      if (length > MAX_REPLY_CHARACTERS) return withinLimit(undefined);
    }
    return withinLimit(withRecords(locatedReply([...found]), named));
  }
}
