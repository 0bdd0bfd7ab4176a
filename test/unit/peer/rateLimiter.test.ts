import { strict as assert } from 'node:assert';
import { RateLimiter } from '../../../src/peer/transfer/rateLimiter';
import { FakeClock, flushPromises } from '../../support/fakeClock';
import { rejectsWith } from '../../support/rejectsWith';

describe('RateLimiter', () => {
  const never = new AbortController().signal;
  const create = (bytesPerSecond: number) => {
    const clock = new FakeClock();
    const settings = { bytesPerSecond };
    const limiter = new RateLimiter(clock, () => settings.bytesPerSecond);
    const taken: string[] = [];
    const take = (name: string, bytes: number, signal = never): Promise<void> =>
      limiter.take(bytes, signal).then(() => void taken.push(name));
    return { clock, settings, limiter, taken, take };
  };

  it('lets everything through without a limit', async () => {
    const { clock, limiter, take } = create(0);
    assert.equal(limiter.isLimited, false);
    assert.equal(limiter.blockBytes, Number.POSITIVE_INFINITY);
    await take('a', 1e12);
    await take('b', 1e12);
    assert.equal(clock.pending, 0);
  });

  it('keeps to its rate, up to a tenth of a second and one block', async () => {
    const { clock, limiter } = create(100_000);
    let bytes = 0;
    const run = async (): Promise<void> => {
      for (;;) {
        await limiter.take(limiter.blockBytes, never);
        bytes += limiter.blockBytes;
      }
    };
    void run();
    await clock.advanceSlowly(10_000, 10);
    assert.ok(bytes >= 990_000 && bytes <= 1_010_000 + limiter.blockBytes, `${bytes}`);
  });

  it('cuts small blocks for low rates, and none over 64 KiB', () => {
    assert.equal(create(1_000_000_000).limiter.blockBytes, 64 * 1024);
    assert.equal(create(80_000).limiter.blockBytes, 10_000);
    assert.equal(create(1).limiter.blockBytes, 1024);
  });

  it('serves in order, also a large block before small ones', async () => {
    const { clock, taken, take } = create(1_000);
    void take('first', 1_000);
    void take('large', 5_000);
    void take('small', 1);
    await flushPromises();
    assert.deepEqual(taken, ['first']);
    await clock.advanceSlowly(950, 50);
    assert.deepEqual(taken, ['first', 'large']);
    await clock.advanceSlowly(4_900, 50);
    assert.deepEqual(taken, ['first', 'large']);
    await clock.advanceSlowly(200, 50);
    assert.deepEqual(taken, ['first', 'large', 'small']);
    assert.equal(clock.pending, 0);
  });

  it('is changed and taken away while others wait', async () => {
    const { clock, settings, taken, take } = create(1);
    void take('first', 1_000_000);
    void take('second', 1_000);
    void take('third', 1_000);
    await clock.advanceSlowly(10_000);
    assert.deepEqual(taken, ['first']);
    settings.bytesPerSecond = 0;
    await clock.advanceSlowly(300, 50);
    assert.deepEqual(taken, ['first', 'second', 'third']);
    settings.bytesPerSecond = 1_000;
    void take('fourth', 500);
    await flushPromises();
    await clock.advanceSlowly(10, 1);
    assert.deepEqual(taken, ['first', 'second', 'third', 'fourth']);
  });

  it('saves nothing up while nobody sends', async () => {
    const { clock, taken, take } = create(1_000);
    clock.advance(1_000_000);
    for (let turn = 0; turn < 5; turn += 1) void take(`${turn}`, 50);
    await flushPromises();
    assert.deepEqual(taken, ['0', '1']);
  });

  it('forgets who gives up', async () => {
    const { clock, taken, take } = create(1_000);
    await take('first', 1_000);
    const controller = new AbortController();
    const second = take('second', 1_000_000, controller.signal);
    controller.abort();
    await rejectsWith('CANCELLED', second);
    assert.equal(clock.pending, 0);
    await rejectsWith('CANCELLED', take('dead', 1, controller.signal));
    void take('third', 1);
    await clock.advanceSlowly(1_000, 50);
    assert.deepEqual(taken, ['first', 'third']);
  });
});
