import { strict as assert } from 'node:assert';
import { PinFailures } from '../../../src/peer/transfer/pinFailures';
import { FakeClock } from '../../support/fakeClock';

describe('PinFailures', () => {
  it('allows two failures a minute for each address', () => {
    const clock = new FakeClock();
    const failures = new PinFailures(clock, 2);
    failures.add('a');
    clock.advance(30_000);
    assert.equal(failures.isSpent('a'), false);
    failures.add('a');
    assert.equal(failures.isSpent('a'), true);
    assert.equal(failures.isSpent('b'), false);
    clock.advance(29_999);
    assert.equal(failures.isSpent('a'), true);
    clock.advance(1);
    assert.equal(failures.isSpent('a'), false);
    failures.add('a');
    assert.equal(failures.isSpent('a'), true);
  });

  it('forgets the addresses that failed longest ago, however many there are', () => {
    const failures = new PinFailures(new FakeClock(), 2);
    const failTwice = (address: string): void => {
      failures.add(address);
      failures.add(address);
    };
    failTwice('first');
    failTwice('second');
    failures.add('first');
    for (let index = 0; index < 1_023; index += 1) failTwice(`other ${index}`);
    assert.equal(failures.isSpent('first'), true);
    assert.equal(failures.isSpent('second'), false);
    failTwice('last');
    assert.equal(failures.isSpent('first'), false);
  });
});
