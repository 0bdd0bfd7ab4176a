import {
  foundReply,
  type HostFacts,
  NOT_FOUND,
  type PublishedMetadata,
  sourceJson,
} from './replies';

interface NameEntry<H> {
  readonly offers: Map<H, PublishedMetadata>;
  /** Cache of the reply to REQUEST; undefined after a change. */
  reply: string | undefined;
}

/** Which hosts offer a name, so that REQUEST looks at these hosts only. */
export class NameIndex<H extends HostFacts & { readonly order: number }> {
  private readonly entries = new Map<string, NameEntry<H>>();

  set(name: string, host: H, file: PublishedMetadata): void {
    const entry = this.entries.get(name);
    if (entry === undefined) {
      this.entries.set(name, { offers: new Map([[host, file]]), reply: undefined });
      return;
    }
    entry.offers.set(host, file);
    entry.reply = undefined;
  }

  delete(name: string, host: H): void {
    const entry = this.entries.get(name);
    if (entry?.offers.delete(host) !== true) return;
    entry.reply = undefined;
    if (entry.offers.size === 0) this.entries.delete(name);
  }

  /** The reply to REQUEST. Hosts stand in the order of their first registration. */
  reply(name: string): string {
    const entry = this.entries.get(name);
    if (entry === undefined) return NOT_FOUND;
    entry.reply ??= serialize(entry.offers);
    return entry.reply;
  }
}

function serialize<H extends HostFacts & { readonly order: number }>(
  offers: ReadonlyMap<H, PublishedMetadata>,
): string {
  const inOrder = [...offers].sort(([a], [b]) => a.order - b.order);
  return foundReply(inOrder.map(([host, file]) => sourceJson(host, file)));
}
