import { MAX_LOCATED_HOSTS } from '../protocol/limits';
import { MAX_KEPT_LOCATION_CHARACTERS } from './limits';
import type { HostFacts } from './replies';
import { locatedJson } from './repliesV2';

interface ContentEntry<H> {
  /** The names under which each host has the content; never empty. */
  readonly names: Map<H, Set<string>>;
  /** Cache of the list of hosts; undefined after a change, and while it is long. */
  hosts: ContentHosts<H> | undefined;
}

/** Who has a content. */
export interface ContentHosts<H> {
  /** A list; each host once, in the order of their first registration. */
  readonly json: string;
  /** Those that the list names. */
  readonly named: readonly H[];
}

/** Which hosts have a content, whatever they call it, so that LOCATE looks at these hosts only. */
export class ContentIndex<H extends HostFacts & { readonly order: number }> {
  private readonly entries = new Map<string, ContentEntry<H>>();

  get size(): number {
    return this.entries.size;
  }

  add(id: string, host: H, name: string): void {
    const entry = this.entries.get(id) ?? { names: new Map<H, Set<string>>(), hosts: undefined };
    this.entries.set(id, entry);
    const names = entry.names.get(host);
    if (names === undefined) entry.names.set(host, new Set([name]));
    else names.add(name);
    entry.hosts = undefined;
  }

  delete(id: string, host: H, name: string): void {
    const entry = this.entries.get(id);
    const names = entry?.names.get(host);
    if (entry === undefined || names?.delete(name) !== true) return;
    entry.hosts = undefined;
    if (names.size === 0) entry.names.delete(host);
    if (entry.names.size === 0) this.entries.delete(id);
  }

  /** Undefined when nobody has it. */
  hosts(id: string): ContentHosts<H> | undefined {
    const entry = this.entries.get(id);
    if (entry === undefined) return undefined;
    if (entry.hosts !== undefined) return entry.hosts;
    const hosts = serialize(entry.names);
    // A list that is kept is counted with the files, by a fixed amount.
    const isKept = hosts.json.length <= hosts.named.length * MAX_KEPT_LOCATION_CHARACTERS;
    if (isKept) entry.hosts = hosts;
    return hosts;
  }
}

function serialize<H extends HostFacts & { readonly order: number }>(
  names: ReadonlyMap<H, ReadonlySet<string>>,
): ContentHosts<H> {
  const inOrder = [...names].sort(([a], [b]) => a.order - b.order).slice(0, MAX_LOCATED_HOSTS);
  return {
    json: `[${inOrder.map(([host, [name = '']]) => locatedJson(host, name)).join(',')}]`,
    named: inOrder.map(([host]) => host),
  };
}
