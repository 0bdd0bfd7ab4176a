import { strict as assert } from 'node:assert';
import { LookAlikes, type NameHolder } from '../../../src/peer/network/lookAlikes';
import { RememberedNames } from '../../../src/peer/network/rememberedNames';

const person = (identity: string, ...names: string[]): NameHolder => ({
  ...{ identity, names },
  isProven: true,
});

describe('LookAlikes', () => {
  let names: LookAlikes;
  const set = (id: string, holder: NameHolder): void => {
    names.advance();
    names.set(id, holder);
  };

  beforeEach(() => {
    names = new LookAlikes();
  });

  it('marks whoever comes under a name of one who has left, and not the one who had it first', () => {
    set('1', person('alice', 'pc-1', 'Alice'));
    names.delete('1');
    set('2', person('mallory', 'pc-2', 'Al\u0456ce'));
    assert.equal(names.has('2'), true);
    set('1', person('alice', 'pc-1', 'Alice'));
    assert.equal(names.has('1'), true, 'while both are here');
    names.delete('2');
    assert.equal(names.has('1'), false);
  });

  it('marks whoever takes the name that another one has given up', () => {
    set('1', person('alice', 'pc-1', 'Alice'));
    set('1', person('alice', 'pc-1', 'Al'));
    set('2', person('mallory', 'pc-2', 'Alice'));
    assert.equal(names.has('2'), true);
    assert.equal(names.has('1'), false);
  });

  it('counts from when a holder got the name, not from when it came', () => {
    set('2', person('mallory', 'pc-2', 'M'));
    set('1', person('alice', 'pc-1', 'Alice'));
    names.delete('1');
    set('2', person('mallory', 'pc-2', 'Alice'));
    assert.equal(names.has('2'), true);
  });

  it('marks both that were told of at once when one of them has left', () => {
    names.advance();
    names.set('1', person('alice', 'pc-1', 'Alice'));
    names.set('2', person('mallory', 'pc-2', 'Alice'));
    names.delete('1');
    assert.equal(names.has('2'), true);
  });

  it('knows those of earlier runs, until it is to forget them', () => {
    names.remember([person('alice', 'pc-1', 'Alice'), person('bob', 'pc-3', 'Bob')]);
    set('2', person('mallory', 'pc-2', 'Alice'));
    set('3', person('bob', 'pc-3', 'Bob'));
    assert.deepEqual([names.has('2'), names.has('3')], [true, false]);
    names.forget();
    assert.equal(names.has('2'), false);
  });

  it('remembers nobody whose identity is not proven', () => {
    names.set('1', { identity: 'host a', names: ['a', 'Alice'] });
    names.delete('1');
    set('2', { identity: 'host b', names: ['b', 'Alice'] });
    assert.equal(names.has('2'), false);
  });

  it('marks the label of somebody else, known or not', () => {
    set('1', person('mallory', 'pc-2', 'Alice \u2768alice, 7ku6-bpt3-v7f7-q2uk-ofbu\u2769'));
    assert.equal(names.has('1'), true);
  });
});

describe('RememberedNames', () => {
  it('forgets the name that was told of longest ago when there are too many', () => {
    const remembered = new RememberedNames();
    for (let number = 0; number < 20_000; number += 1)
      remembered.note(`name ${number}`, 'alice', 1);
    assert.equal(remembered.isOfAnother('name 0', 'mallory', 2), true);
    remembered.note('name 0', 'alice', 3);
    remembered.note('one more', 'alice', 3);
    assert.equal(remembered.isOfAnother('name 0', 'mallory', 2), true);
    assert.equal(remembered.isOfAnother('name 1', 'mallory', 2), false);
  });
});
