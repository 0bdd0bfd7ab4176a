import { strict as assert } from 'node:assert';
import { Declined } from '../../../src/peer/transfer/serve/declined';
import { FakeClock } from '../../support/fakeClock';

describe('Declined', () => {
  const create = (): { clock: FakeClock; declined: Declined } => {
    const clock = new FakeClock();
    return { clock, declined: new Declined(clock) };
  };
  const files = (...names: string[]): { names: Set<string> } => ({ names: new Set(names) });

  it('holds for one recipient, for what was named, and for half a minute', () => {
    const { clock, declined } = create();
    declined.add('bob', files('a', 'b'));
    assert.ok(declined.has('bob', 'a') && declined.has('bob', 'b'));
    assert.ok(!declined.has('bob', 'c') && !declined.has('carol', 'a'));
    clock.advance(29_999);
    assert.ok(declined.has('bob', 'a'));
    clock.advance(1);
    assert.ok(!declined.has('bob', 'a'));
  });

  it('can be of a folder', () => {
    const { declined } = create();
    declined.add('bob', { folder: 'docs/' });
    assert.ok(declined.has('bob', 'docs/a') && declined.has('bob', 'docs/deep/b'));
    assert.ok(!declined.has('bob', 'docs.txt') && !declined.has('carol', 'docs/a'));
  });

  it('ends when what was declined is taken back', () => {
    const { declined } = create();
    declined.add('bob', files('a'));
    declined.add('bob', files('b'));
    declined.add('bob', { folder: 'docs/' });
    declined.forget(new Set(['a', 'docs/x']));
    assert.ok(!declined.has('bob', 'a') && !declined.has('bob', 'docs/y'));
    assert.ok(declined.has('bob', 'b'));
  });

  it('forgets the oldest when there is too much', () => {
    const { declined } = create();
    for (let index = 0; index <= 1_000; index += 1) declined.add('bob', files(`${index}`));
    assert.ok(!declined.has('bob', '0'));
    assert.ok(declined.has('bob', '1') && declined.has('bob', '1000'));
  });
});
