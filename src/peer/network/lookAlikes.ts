import { lookAlikeKeys } from '../../common/nameSkeleton';

/** One who has names: a host, or whatever else people know by a name. */
export interface NameHolder {
  /** The same for all that is of one owner, whatever its names. */
  readonly identity: string;
  readonly names: readonly string[];
}

interface Entry extends NameHolder {
  readonly keys: readonly string[];
}

/**
 * Holders whose name equals or looks like one of another identity. A lookup costs a few
 * reads of a map: names are compared by their keys when they come, and only those of hosts.
 */
export class LookAlikes {
  /** By an id of the caller's. */
  private readonly holders = new Map<string, Entry>();
  /** Number of holders of each identity that have a key. */
  private readonly identities = new Map<string, Map<string, number>>();

  set(id: string, { identity, names }: NameHolder): void {
    const before = this.holders.get(id);
    if (before?.identity === identity && isSameList(before.names, names)) return;
    this.delete(id);
    const keys = [...new Set(names.flatMap(lookAlikeKeys))];
    this.holders.set(id, { identity, names, keys });
    for (const key of keys) {
      const counts = this.identities.get(key) ?? new Map<string, number>();
      counts.set(identity, (counts.get(identity) ?? 0) + 1);
      this.identities.set(key, counts);
    }
  }

  delete(id: string): void {
    const entry = this.holders.get(id);
    if (entry === undefined) return;
    this.holders.delete(id);
    for (const key of entry.keys) this.release(key, entry.identity);
  }

  /** Whether another identity has a name that looks like one of this holder's. */
  has(id: string): boolean {
    const keys = this.holders.get(id)?.keys ?? [];
    return keys.some((key) => (this.identities.get(key)?.size ?? 0) > 1);
  }

  private release(key: string, identity: string): void {
    const counts = this.identities.get(key);
    const left = (counts?.get(identity) ?? 0) - 1;
    if (left > 0) counts?.set(identity, left);
    else counts?.delete(identity);
    if (counts?.size === 0) this.identities.delete(key);
  }
}

function isSameList(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((text, index) => text === other[index]);
}
