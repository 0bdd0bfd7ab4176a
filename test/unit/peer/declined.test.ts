import { strict as assert } from 'node:assert';
import { Declined } from '../../../src/peer/transfer/serve/declined';
import { FakeClock } from '../../support/fakeClock';

describe('Declined', () => {
  it('holds for one address, for what was named, and for half a minute', () => {
    const clock = new FakeClock();
    const declined = new Declined(clock);
    declined.add('1.2.3.4', ['a', 'b']);
    assert.ok(declined.has('1.2.3.4', 'a') && declined.has('1.2.3.4', 'b'));
    assert.ok(!declined.has('1.2.3.4', 'c') && !declined.has('1.2.3.5', 'a'));
    clock.advance(29_999);
    assert.ok(declined.has('1.2.3.4', 'a'));
    clock.advance(1);
    assert.ok(!declined.has('1.2.3.4', 'a'));
  });

  it('can be of everything', () => {
    const clock = new FakeClock();
    const declined = new Declined(clock);
    declined.add('1.2.3.4', 'everything');
    assert.ok(declined.has('1.2.3.4', 'whatever') && !declined.has('1.2.3.5', 'whatever'));
    clock.advance(30_000);
    assert.ok(!declined.has('1.2.3.4', 'whatever'));
  });

  it('forgets the oldest when there are too many', () => {
    const declined = new Declined(new FakeClock());
    const names = Array.from({ length: 1_001 }, (_, index) => `${index}`);
    declined.add('a', names);
    assert.ok(!declined.has('a', '0') && declined.has('a', '1') && declined.has('a', '1000'));
  });
});
