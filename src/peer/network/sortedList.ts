/** A list in order, which is put in order only when it is read: many changes cost one look at it. */
export class SortedList<T> {
  private sorted: T[] = [];
  private readonly added = new Set<T>();
  private readonly removed = new Set<T>();

  constructor(private readonly compare: (left: T, right: T) => number) {}

  get size(): number {
    return this.sorted.length + this.added.size - this.removed.size;
  }

  /** @param item must not be in the list. */
  add(item: T): void {
    if (!this.removed.delete(item)) this.added.add(item);
  }

  /** @param item must be in the list. */
  remove(item: T): void {
    if (!this.added.delete(item)) this.removed.add(item);
  }

  /** All items; the caller does not change them. */
  items(): readonly T[] {
    if (this.removed.size > 0) this.sorted = this.sorted.filter((item) => !this.removed.has(item));
    if (this.added.size > 0) this.sorted = this.merge([...this.added].sort(this.compare));
    this.added.clear();
    this.removed.clear();
    return this.sorted;
  }

  private merge(added: readonly T[]): T[] {
    const merged: T[] = [];
    let next = 0;
    for (const item of this.sorted) {
      for (let other = added[next]; other !== undefined; other = added[next]) {
        if (this.compare(other, item) > 0) break;
        merged.push(other);
        next += 1;
      }
      merged.push(item);
    }
    for (; next < added.length; next += 1) merged.push(added[next] as T);
    return merged;
  }
}
