import { strict as assert } from 'node:assert';
import { Writable } from 'node:stream';
import { PacedWriter } from '../../../src/peer/transfer/pacedWriter';
import { RateLimiter } from '../../../src/peer/transfer/rateLimiter';
import { FakeClock, flushPromises } from '../../support/fakeClock';

describe('a paced writer', () => {
  it('keeps the order of its blocks when the limit is lifted while some wait for it', async () => {
    const clock = new FakeClock();
    let rate = 1_000;
    const written: number[] = [];
    const target = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        written.push(...chunk);
        done();
      },
    });
    const limiter = new RateLimiter(clock, () => rate);
    const { signal } = new AbortController();
    const writer = new PacedWriter(target, { clock, limiter, signal, stallMs: 10_000 });
    // The first block leaves a debt, so that the second one waits.
    const writes = [1, 2].map((value) => writer.write(Buffer.alloc(500, value)));
    await writes[0];
    rate = 0;
    writes.push(writer.write(Buffer.alloc(500, 3)));
    await flushPromises();
    clock.advance(1_000);
    await Promise.all(writes);
    writer.dispose();
    assert.deepEqual([written[0], written[500], written[1_000]], [1, 2, 3]);
  });
});
