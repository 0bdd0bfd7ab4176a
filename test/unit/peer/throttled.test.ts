import { strict as assert } from 'node:assert';
import { PROGRESS_INTERVAL_MS, throttled } from '../../../src/peer/transfer/throttled';
import { FakeClock } from '../../support/fakeClock';

describe('throttled', () => {
  const create = () => {
    const clock = new FakeClock();
    const told: number[] = [];
    const tell = throttled(clock, ({ bytes }) => told.push(bytes));
    return { clock, told, tell };
  };

  it('tells the first one, one each interval, and the end', () => {
    const { clock, told, tell } = create();
    for (let bytes = 1; bytes < 10; bytes += 1) {
      tell(bytes, 10);
      clock.advance(PROGRESS_INTERVAL_MS / 2);
    }
    tell(10, 10);
    assert.deepEqual(told, [1, 3, 5, 7, 9, 10]);
  });

  it('tells the end once, however many empty files follow it', () => {
    const { told, tell } = create();
    for (let file = 0; file < 100; file += 1) tell(10, 10);
    assert.deepEqual(told, [10]);
  });

  it('tells that nothing is all there is', () => {
    const { told, tell } = create();
    for (let file = 0; file < 100; file += 1) tell(0, 0);
    assert.deepEqual(told, [0]);
  });
});
