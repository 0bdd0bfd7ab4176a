import { strict as assert } from 'node:assert';
import { DEFAULT_TRACKER_LIMITS } from '../../../src/tracker/limits';
import { TokenBucket } from '../../../src/common/tokenBucket';

function takeMany(bucket: TokenBucket, count: number, nowMs: number): number {
  let taken = 0;
  for (let turn = 0; turn < count; turn += 1) if (bucket.take(nowMs)) taken += 1;
  return taken;
}

describe('TokenBucket', () => {
  it('lets a burst through at once, and no more', () => {
    const bucket = new TokenBucket({ ratePerSecond: 10, burst: 5 }, 1_000);
    assert.equal(takeMany(bucket, 8, 1_000), 5);
  });

  it('refills with time', () => {
    const bucket = new TokenBucket({ ratePerSecond: 10, burst: 5 }, 0);
    takeMany(bucket, 5, 0);
    assert.equal(takeMany(bucket, 5, 99), 0);
    assert.equal(takeMany(bucket, 5, 100), 1);
    assert.equal(takeMany(bucket, 5, 300), 2);
  });

  it('never holds more than the burst', () => {
    const bucket = new TokenBucket({ ratePerSecond: 10, burst: 5 }, 0);
    assert.equal(takeMany(bucket, 100, 1_000_000), 5);
  });

  it('counts the fractions of many small steps', () => {
    const bucket = new TokenBucket({ ratePerSecond: 100, burst: 1 }, 0);
    let taken = takeMany(bucket, 1, 0);
    for (let nowMs = 1; nowMs <= 1_000; nowMs += 1) taken += takeMany(bucket, 1, nowMs);
    assert.ok(taken >= 99 && taken <= 101, `${taken}`);
  });

  it('lets 10,000 files be published at once by default', () => {
    const { requestsPerSecond: ratePerSecond, requestBurst: burst } = DEFAULT_TRACKER_LIMITS;
    assert.equal(takeMany(new TokenBucket({ ratePerSecond, burst }, 0), 10_000, 0), 10_000);
  });
});
