import { strict as assert } from 'node:assert';
import { deferred } from '../../../src/common/deferred';
import { Refresher } from '../../../src/views/refresher';
import { FakeClock, flushPromises } from '../../support/fakeClock';

describe('Refresher', () => {
  it('runs at once, and then once for what was asked for meanwhile, after a rest', async () => {
    const clock = new FakeClock();
    let runs = 0;
    const refresher = new Refresher(clock, () => {
      runs += 1;
      return Promise.resolve();
    });
    refresher.schedule();
    assert.equal(runs, 1);
    for (let count = 0; count < 10; count += 1) refresher.schedule();
    await flushPromises();
    for (let count = 0; count < 10; count += 1) refresher.schedule();
    assert.equal(runs, 1);
    clock.advance(200);
    assert.equal(runs, 2);
    await flushPromises();
    clock.advance(10_000);
    assert.equal(runs, 2);
    assert.equal(clock.pending, 0);
  });

  it('never runs twice at the same time, and rests longer after a long run', async () => {
    const clock = new FakeClock();
    const running = [deferred<undefined>(), deferred<undefined>()];
    let runs = 0;
    const refresher = new Refresher(clock, () => Promise.resolve(running[runs++]?.promise));
    refresher.schedule();
    clock.advance(1_000);
    refresher.schedule();
    assert.equal(runs, 1);
    running[0]?.resolve(undefined);
    await flushPromises();
    clock.advance(2_900);
    assert.equal(runs, 1);
    clock.advance(100);
    assert.equal(runs, 2);
  });

  it('runs no more once it is disposed', async () => {
    const clock = new FakeClock();
    let runs = 0;
    const refresher = new Refresher(clock, () => {
      runs += 1;
      return Promise.resolve();
    });
    refresher.schedule();
    refresher.schedule();
    await flushPromises();
    refresher.dispose();
    clock.advance(1_000);
    assert.equal(runs, 1);
  });
});
