import { strict as assert } from 'node:assert';
import { ADDRESS_SHARE, IDENTITY_SHARE, TEAM_ADDRESS_SHARE } from '../../../src/tracker/limits';
import { type Account, RegistryBudget } from '../../../src/tracker/registryBudget';

const LIMIT = 1_000_000;
const STEP = 100;

describe('RegistryBudget', () => {
  const identity = (key: string): Account => ({ key, share: IDENTITY_SHARE });

  /** Takes as much as there is for these accounts. */
  const fill = (budget: RegistryBudget, ...accounts: Account[]): number => {
    let taken = 0;
    for (; budget.hasRoom(accounts, STEP); taken += STEP) budget.add(accounts, STEP);
    return taken;
  };

  it('lets one have half of what is not reserved, and the next ones half of what is left', () => {
    const budget = new RegistryBudget(LIMIT);
    const taken = ['a', 'b', 'c'].map((key) => fill(budget, identity(key)));
    for (const [index, part] of [3 / 8, 3 / 16, 3 / 32].entries())
      assert.ok(Math.abs((taken[index] ?? 0) - LIMIT * part) <= 2 * STEP, taken.join(' '));
  });

  it('has a fixed part for many, behind any number that take as much as they can', () => {
    const budget = new RegistryBudget(LIMIT);
    for (let index = 0; index < 10; index += 1) fill(budget, identity(`flood ${index}`));
    for (let index = 0; index < 50; index += 1) {
      const taken = fill(budget, identity(`honest ${index}`));
      assert.ok(taken > LIMIT * IDENTITY_SHARE.fixed - STEP, `${index}: ${taken}`);
    }
    assert.ok(budget.total <= LIMIT);
  });

  it('is never exceeded, however many there are', () => {
    const budget = new RegistryBudget(LIMIT);
    for (let index = 0; index < 1_000; index += 1) fill(budget, identity(`${index}`));
    assert.ok(budget.total <= LIMIT && budget.total > LIMIT - STEP);
  });

  it('bounds each of the accounts of a host', () => {
    const budget = new RegistryBudget(LIMIT);
    const network: Account = { key: '10.0.0.1', share: TEAM_ADDRESS_SHARE };
    let taken = 0;
    for (let index = 0; index < 50; index += 1)
      taken += fill(budget, identity(`made up ${index}`), network);
    assert.ok(taken <= LIMIT * (9 / 16) && taken > LIMIT * 0.55, `${taken}`);
    const other: Account = { key: '10.0.0.2', share: TEAM_ADDRESS_SHARE };
    assert.ok(budget.hasRoom([identity('honest'), other], LIMIT / 16));
  });

  it('lets a host that is replaced take its own memory again', () => {
    const budget = new RegistryBudget(LIMIT);
    const accounts = [{ key: '10.0.0.1', share: ADDRESS_SHARE }];
    const bytes = fill(budget, ...accounts);
    assert.ok(!budget.hasRoom(accounts, bytes));
    assert.ok(budget.hasRoom(accounts, bytes, [{ accounts, bytes }]));
    budget.add(accounts, -bytes);
    assert.equal(budget.total, 0);
  });

  it('frees room in all for a host that takes over from another account', () => {
    const budget = new RegistryBudget(LIMIT);
    const before = [identity('a')];
    const bytes = fill(budget, ...before);
    const after = [identity('b')];
    assert.ok(!budget.hasRoom(after, bytes));
    assert.ok(budget.hasRoom(after, bytes, [{ accounts: before, bytes }]));
  });
});
