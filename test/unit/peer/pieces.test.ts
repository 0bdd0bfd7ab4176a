import { strict as assert } from 'node:assert';
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { mapConcurrently } from '../../../src/common/concurrency';
import { deferred } from '../../../src/common/deferred';
import { PeershelfError } from '../../../src/common/errors';
import { BatchReply } from '../../../src/peer/transfer/folder/batchReply';
import { BlockPool } from '../../../src/peer/transfer/pieces/blockPool';
import { PiecePlan } from '../../../src/peer/transfer/pieces/piecePlan';
import { type ContentId, formatContentId } from '../../../src/protocol/contentId';

describe('the plan of pieces', () => {
  const none = (): boolean => false;

  it('gives out runs of what is missing, each piece once', () => {
    const plan = new PiecePlan(6, (piece) => piece === 2);
    assert.deepEqual(plan.take(4), { first: 0, end: 2 });
    assert.deepEqual(plan.take(2), { first: 3, end: 5 });
    assert.deepEqual(plan.take(4), { first: 5, end: 6 });
    assert.equal(plan.take(4), undefined);
    assert.equal(plan.missingCount, 0);
    assert.ok(!plan.isComplete);
  });

  it('gives a released piece out again, and never a complete one', () => {
    const plan = new PiecePlan(3, none);
    plan.take(3);
    plan.complete(0);
    plan.release(0);
    plan.release(1);
    assert.deepEqual(plan.take(3), { first: 1, end: 2 });
    plan.complete(1);
    plan.complete(1);
    plan.complete(2);
    assert.ok(plan.isComplete);
  });

  it('is complete at once when there is nothing to do', () => {
    assert.ok(new PiecePlan(0, none).isComplete);
    assert.ok(new PiecePlan(2, () => true).isComplete);
  });

  it('comes to an end whatever is taken, released and completed', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.array(fc.tuple(fc.integer({ min: 1, max: 5 }), fc.boolean())),
        (count, steps) => {
          const plan = new PiecePlan(count, none);
          const done = new Set<number>();
          const play = (size: number, works: boolean): void => {
            const run = plan.take(size);
            for (let piece = run?.first ?? 0; piece < (run?.end ?? 0); piece += 1) {
              assert.ok(!done.has(piece));
              if (works) {
                plan.complete(piece);
                done.add(piece);
              } else plan.release(piece);
            }
          };
          for (const [size, works] of steps) play(size, works);
          while (!plan.isComplete) play(7, true);
          assert.equal(done.size, count);
        },
      ),
    );
  });
});

describe('the pool of blocks', () => {
  it('hands out what it may, and wakes who waits in order', () => {
    const pool = new BlockPool(2);
    const [first, second] = [pool.take(), pool.take()];
    assert.ok(first && second);
    assert.equal(pool.take(), undefined);
    const woken: string[] = [];
    pool.whenFree(() => woken.push('a'));
    pool.whenFree(() => woken.push('b'));
    pool.give(first);
    assert.deepEqual(woken, ['a']);
    assert.equal(pool.take(), first);
    pool.give(second);
    assert.deepEqual(woken, ['a', 'b']);
  });

  it('passes on a turn that is not used, replaces lost memory, and gives all back at the end', () => {
    const pool = new BlockPool(1);
    const memory = pool.take();
    assert.ok(memory);
    const woken: string[] = [];
    pool.whenFree(() => pool.pass());
    pool.whenFree(() => woken.push('b'));
    pool.give(memory);
    assert.deepEqual(woken, ['b']);
    pool.take();
    pool.trim();
    assert.equal(pool.madeBlocks, 1, 'not while something is used');
    pool.forget();
    assert.ok(pool.take());
  });
});

describe('the answer to a batch', () => {
  const idOf = (text: string): ContentId => ({
    root: createHash('sha256').update(text).digest('hex'),
    sizeBytes: text.length,
  });
  const texts = ['one', '', 'three'];
  const ids = texts.map(idOf);
  const line = (status: number, id: ContentId | undefined): string =>
    `${status} ${id === undefined ? '' : formatContentId(id)}\n`;
  const whole = `${line(200, ids[0])}one${line(404, ids[1])}${line(200, ids[2])}three`;

  it('is read however it is cut', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: whole.length })), (cuts) => {
        const reply = new BatchReply(ids);
        const at = [0, ...cuts.sort((a, b) => a - b), whole.length];
        at.slice(1).forEach((end, index) => reply.push(Buffer.from(whole.slice(at[index], end))));
        assert.deepEqual(reply.end(), [
          { status: 200, start: 0, length: 3 },
          { status: 404 },
          { status: 200, start: 3, length: 5 },
        ]);
        assert.equal(Buffer.from(reply.memory).toString(), 'onethree');
      }),
    );
  });

  for (const [what, text] of Object.entries({
    'another object': line(200, idOf('other')),
    'objects in another order': line(200, ids[2]),
    'more than was asked for': `${whole}${line(200, ids[0])}`,
    'an endless line': 'x'.repeat(1_000),
    'no line at all': 'HTTP/1.1 200 OK\n',
  }))
    it(`cannot be ${what}`, () => {
      const reply = new BatchReply(ids);
      assert.throws(
        () => reply.push(Buffer.from(text)),
        (error) => PeershelfError.is(error, 'INVALID_MESSAGE'),
      );
    });

  it('must not end too soon', () => {
    const reply = new BatchReply(ids);
    reply.push(Buffer.from(whole.slice(0, -1)));
    assert.throws(
      () => reply.end(),
      (error) => PeershelfError.is(error, 'CONNECTION_LOST'),
    );
  });
});

describe('mapConcurrently', () => {
  it('keeps the order, and never more under way than allowed', async () => {
    let running = 0;
    let most = 0;
    const results = await mapConcurrently([3, 1, 2, 5, 4], 2, async (item) => {
      running += 1;
      most = Math.max(most, running);
      await Promise.resolve();
      running -= 1;
      return item * 10;
    });
    assert.deepEqual(results, [30, 10, 20, 50, 40]);
    assert.equal(most, 2);
  });

  it('begins nothing after a failure, and waits for what is under way', async () => {
    const begun: number[] = [];
    const slow = deferred<undefined>();
    const mapped = mapConcurrently([0, 1, 2, 3], 2, async (item) => {
      begun.push(item);
      if (item === 0) await slow.promise;
      if (item === 1) throw new Error('one');
    });
    slow.resolve(undefined);
    await assert.rejects(mapped, /one/u);
    assert.deepEqual(
      begun.filter((item) => item > 2),
      [],
    );
  });
});
