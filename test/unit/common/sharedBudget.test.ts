import { strict as assert } from 'node:assert';
import { type BudgetHolder, SharedBudget } from '../../../src/common/sharedBudget';

describe('SharedBudget', () => {
  let gaveUp: string[];
  let budget: SharedBudget;

  const holder = (name: string, onGiveUp = (): void => undefined): BudgetHolder => ({
    giveUp: () => {
      gaveUp.push(name);
      onGiveUp();
    },
  });

  beforeEach(() => {
    gaveUp = [];
    budget = new SharedBudget(100);
  });

  it('takes as much as the limit, of all together', () => {
    const [a, b] = [holder('a'), holder('b')];
    budget.set(a, 40);
    budget.set(b, 60);
    assert.equal(budget.total, 100);
    assert.deepEqual(gaveUp, []);
  });

  it('counts what a holder has now, and not what it had', () => {
    const a = holder('a');
    for (const amount of [90, 10, 100, 0, 100]) budget.set(a, amount);
    assert.equal(budget.total, 100);
    budget.set(a, 0);
    assert.equal(budget.total, 0);
    assert.deepEqual(gaveUp, []);
  });

  it('makes the one give up that holds most, whoever asks for more', () => {
    const [large, small] = [holder('large'), holder('small')];
    budget.set(large, 95);
    budget.set(small, 6);
    assert.deepEqual(gaveUp, ['large']);
    assert.equal(budget.total, 6);
  });

  it('makes the one give up that asks, when it holds most', () => {
    const [large, small] = [holder('large'), holder('small')];
    budget.set(small, 6);
    budget.set(large, 95);
    assert.deepEqual(gaveUp, ['large']);
    assert.equal(budget.total, 6);
  });

  it('makes as many give up as are too many', () => {
    for (const name of ['a', 'b', 'c', 'd']) budget.set(holder(name), 25);
    budget.set(holder('e'), 24);
    budget.set(holder('f'), 100);
    // The last one alone fills the budget.
    assert.deepEqual(gaveUp, ['a', 'f']);
    assert.equal(budget.total, 99);
  });

  it('lets a holder give back what it holds while it gives up', () => {
    const a: BudgetHolder = holder('a', () => budget.set(a, 0));
    budget.set(a, 101);
    assert.deepEqual(gaveUp, ['a']);
    assert.equal(budget.total, 0);
  });
});
