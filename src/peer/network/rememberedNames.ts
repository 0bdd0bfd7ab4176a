/** Keys of names that are remembered: a large company's, with several hostnames for each person. */
const MAX_KEYS = 20_000;
/** Two are enough: whoever asks is one of them at most. */
const MAX_FIRST = 2;

interface First {
  readonly identity: string;
  /** When it had the name first, as a number that grows. */
  readonly order: number;
}

/** The identities that had a name first, by its keys, whether they are here or not. */
export class RememberedNames {
  /** The one that was told of longest ago first. */
  private readonly firsts = new Map<string, readonly First[]>();

  note(key: string, identity: string, order: number): void {
    const before = this.firsts.get(key) ?? [];
    const own = before.find((first) => first.identity === identity);
    const others = before.filter((first) => first !== own);
    const first = { identity, order: Math.min(order, own?.order ?? order) };
    const sorted = [...others, first].sort((one, other) => one.order - other.order);
    this.firsts.delete(key);
    this.firsts.set(key, sorted.slice(0, MAX_FIRST));
    for (const oldest of this.firsts.keys()) {
      if (this.firsts.size <= MAX_KEYS) return;
      this.firsts.delete(oldest);
    }
  }

  /** Whether another identity had the name before this one, which has had it since then, or at the same time. */
  isOfAnother(key: string, identity: string, order: number): boolean {
    const firsts = this.firsts.get(key) ?? [];
    const own = firsts.find((first) => first.identity === identity);
    const since = Math.min(order, own?.order ?? order);
    return firsts.some((first) => first.identity !== identity && first.order <= since);
  }

  clear(): void {
    this.firsts.clear();
  }
}
