/** A part of a budget's user: one connection. */
export interface BudgetHolder {
  /** Called when all together hold too much and this one holds most: it gives back what it holds. */
  readonly giveUp: () => void;
}

/**
 * One limit for what many hold together. Over it, whoever holds most gives up first, so that a few that
 * hold much never crowd out the many that hold little.
 */
export class SharedBudget {
  private readonly held = new Map<BudgetHolder, number>();
  private sum = 0;

  constructor(private readonly limit: number) {}

  get total(): number {
    return this.sum;
  }

  /** `holder` holds this much from now on. May call `giveUp`, of `holder` too. */
  set(holder: BudgetHolder, amount: number): void {
    this.sum += amount - (this.held.get(holder) ?? 0);
    if (amount === 0) this.held.delete(holder);
    else this.held.set(holder, amount);
    while (this.sum > this.limit) {
      const largest = this.largest();
      if (largest === undefined) return;
      this.set(largest, 0);
      largest.giveUp();
    }
  }

  private largest(): BudgetHolder | undefined {
    let found: BudgetHolder | undefined;
    let most = 0;
    for (const [holder, amount] of this.held) if (amount > most) [found, most] = [holder, amount];
    return found;
  }
}
