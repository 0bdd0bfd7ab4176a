import { imitatesLabel, lookAlikeKeys } from '../../common/nameSkeleton';
import { RememberedNames } from './rememberedNames';

/** One who has names: a host, or whatever else people know by a name. */
export interface NameHolder {
  /** The same for all that is of one owner, whatever its names. */
  readonly identity: string;
  readonly names: readonly string[];
  /** Nobody else can have this identity: its names are remembered when it has left. */
  readonly isProven?: boolean;
}

interface Entry extends NameHolder {
  /** With what `order` was when the holder got the name. */
  readonly keys: ReadonlyMap<string, number>;
  /** A name could be the label of somebody else, whether that one is known here or not. */
  readonly isImitation: boolean;
}

/**
 * Holders whose name equals or looks like one of another identity: of one that is here, or of one that
 * was here before. A lookup costs a few reads of a map: names are compared by their keys when they come,
 * and only those of hosts.
 */
export class LookAlikes {
  /** By an id of the caller's. */
  private readonly holders = new Map<string, Entry>();
  /** Number of holders of each identity that have a key. */
  private readonly identities = new Map<string, Map<string, number>>();
  private readonly remembered = new RememberedNames();
  private order = 0;

  /** Later holders count as newer than those before; holders without a call between them are equally old. */
  advance(): void {
    this.order += 1;
  }

  set(id: string, holder: NameHolder): void {
    const { identity, names } = holder;
    const before = this.holders.get(id);
    if (before?.identity === identity && isSameList(before.names, names)) return;
    this.delete(id);
    const since = before?.identity === identity ? before.keys : undefined;
    const keys = new Map(
      names.flatMap(lookAlikeKeys).map((key) => [key, since?.get(key) ?? this.order]),
    );
    this.holders.set(id, { ...holder, keys, isImitation: names.some(imitatesLabel) });
    for (const key of keys.keys()) {
      const counts = this.identities.get(key) ?? new Map<string, number>();
      counts.set(identity, (counts.get(identity) ?? 0) + 1);
      this.identities.set(key, counts);
    }
  }

  delete(id: string): void {
    const entry = this.holders.get(id);
    if (entry === undefined) return;
    this.holders.delete(id);
    for (const [key, order] of entry.keys) {
      this.release(key, entry.identity);
      if (entry.isProven === true) this.remembered.note(key, entry.identity, order);
    }
  }

  /** Takes those that were here before anything else that is known. */
  remember(holders: readonly NameHolder[]): void {
    for (const { identity, names } of holders)
      for (const key of names.flatMap(lookAlikeKeys)) this.remembered.note(key, identity, 0);
  }

  /** Forgets who has left. */
  forget(): void {
    this.remembered.clear();
  }

  /** Whether another identity has, or had before, a name that looks like one of this holder's. */
  has(id: string): boolean {
    const entry = this.holders.get(id);
    if (entry === undefined) return false;
    if (entry.isImitation) return true;
    for (const [key, order] of entry.keys) {
      if ((this.identities.get(key)?.size ?? 0) > 1) return true;
      if (this.remembered.isOfAnother(key, entry.identity, order)) return true;
    }
    return false;
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
