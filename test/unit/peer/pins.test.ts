import { strict as assert } from 'node:assert';
import { forgetPins, MAX_PINS, MAX_PINS_PER_IDENTITY, type Pin } from '../../../src/peer/team/pins';

describe('forgetPins', () => {
  let pins: Map<string, Pin>;

  const add = (identity: string, count: number, part: Partial<Pin> = {}): string[] => {
    const names = Array.from({ length: count }, (_, index) => `${identity}-${pins.size + index}`);
    for (const name of names) pins.set(name, { fingerprint: identity, seenMs: pins.size, ...part });
    return names;
  };
  const kept = (names: readonly string[]): string[] => names.filter((name) => pins.has(name));

  beforeEach(() => {
    pins = new Map();
  });

  it('forgets nothing of what may be there', () => {
    const all = [...add('a', MAX_PINS_PER_IDENTITY), ...add('b', 1)];
    forgetPins(pins);
    forgetPins(pins, 'a');
    assert.deepEqual(kept(all), all);
  });

  for (const changed of [undefined, 'a'])
    it(`forgets the oldest of one identity, ${changed === undefined ? 'whosever' : 'where it is named'}`, () => {
      const others = add('b', 5);
      const names = add('a', MAX_PINS_PER_IDENTITY + 3);
      forgetPins(pins, changed);
      assert.deepEqual(kept(names), names.slice(3));
      assert.deepEqual(kept(others), others);
    });

  it('forgets those seen on one day before those seen on several', () => {
    const established = add('a', 2, { isEstablished: true });
    const names = add('a', MAX_PINS_PER_IDENTITY);
    forgetPins(pins, 'a');
    assert.deepEqual(kept(established), established);
    assert.deepEqual(kept(names), names.slice(2));
  });

  it('keeps more than an identity may have, if all were fetched from', () => {
    const names = add('a', MAX_PINS_PER_IDENTITY + 1, { isFetched: true });
    forgetPins(pins, 'a');
    assert.deepEqual(kept(names), names);
  });

  it('takes from the identities that have most, when there are too many in all', () => {
    const single = add('single', 1);
    const few = add('few', 2);
    for (let identity = 0; pins.size <= MAX_PINS; identity += 1)
      add(`many${identity}`, MAX_PINS_PER_IDENTITY);
    forgetPins(pins);
    assert.ok(pins.size < MAX_PINS);
    assert.deepEqual(kept([...single, ...few]), [...single, ...few]);
  });

  it('takes the oldest, seen on one day, where everybody has one', () => {
    const fetched = add('fetched', 1, { isFetched: true });
    const established = add('established', 1, { isEstablished: true });
    const oldest = add('oldest', 1);
    for (let identity = 0; pins.size <= MAX_PINS; identity += 1) add(`one${identity}`, 1);
    const newest = add('newest', 1);
    forgetPins(pins);
    assert.ok(pins.size < MAX_PINS);
    assert.deepEqual(kept(oldest), []);
    const others = [...fetched, ...established, ...newest];
    assert.deepEqual(kept(others), others);
  });

  it('never keeps more than its number, whatever they are', () => {
    const names = Array.from({ length: MAX_PINS + 5 }, (_, index) => `n${index}`);
    for (const [index, name] of names.entries())
      pins.set(name, { fingerprint: name, seenMs: index, isFetched: true, isEstablished: true });
    forgetPins(pins);
    assert.deepEqual(kept(names), names.slice(5));
  });
});
