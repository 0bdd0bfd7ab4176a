import { strict as assert } from 'node:assert';
import { deferred } from '../../../src/common/deferred';
import { PeershelfError } from '../../../src/common/errors';
import { isInside } from '../../../src/peer/paths';
import { Semaphore } from '../../../src/peer/transfer/semaphore';
import { TransferList } from '../../../src/peer/transfer/transferList';
import type { Transfer } from '../../../src/peer/peerApi';
import { FakeClock, flushPromises } from '../../support/fakeClock';
import { rejectsWith } from '../../support/rejectsWith';

describe('isInside', () => {
  it('takes the folder and what lies below it, and no sibling with the same beginning', () => {
    assert.equal(isInside('/a/b', '/a/b'), true);
    assert.equal(isInside('/a/b', '/a/b/c/d'), true);
    assert.equal(isInside('/a/b', '/a/b/..c'), true);
    assert.equal(isInside('/a/b', '/a/bc'), false);
    assert.equal(isInside('/a/b', '/a'), false);
    assert.equal(isInside('/a/b', '/'), false);
  });
});

describe('Semaphore', () => {
  const never = new AbortController().signal;

  it('runs as many as allowed, the others in order', async () => {
    const semaphore = new Semaphore(2, 10);
    const started: number[] = [];
    const gates = [0, 1, 2, 3].map(() => deferred<undefined>());
    const runs = gates.map((gate, index) =>
      semaphore.run(() => {
        started.push(index);
        return gate.promise;
      }, never),
    );
    await flushPromises();
    assert.deepEqual(started, [0, 1]);
    gates[1]?.resolve(undefined);
    await flushPromises();
    assert.deepEqual(started, [0, 1, 2]);
    gates.forEach((gate) => gate.resolve(undefined));
    await Promise.all(runs);
    assert.deepEqual(started, [0, 1, 2, 3]);
  });

  it('frees its place when a task fails, is bounded, and can be cancelled while waiting', async () => {
    const semaphore = new Semaphore(1, 1);
    await assert.rejects(
      semaphore.run(() => Promise.reject(new TypeError('x')), never),
      TypeError,
    );
    const gate = deferred<undefined>();
    const first = semaphore.run(() => gate.promise, never);
    const controller = new AbortController();
    const waiting = semaphore.run(() => assert.fail('must not run'), controller.signal);
    await rejectsWith(
      'LIMIT_EXCEEDED',
      semaphore.run(() => Promise.resolve(), never),
    );
    controller.abort();
    await rejectsWith('CANCELLED', waiting);
    await rejectsWith(
      'CANCELLED',
      semaphore.run(() => Promise.resolve(), controller.signal),
    );
    gate.resolve(undefined);
    await first;
    assert.equal(await semaphore.run(() => Promise.resolve(7), never), 7);
  });
});

describe('TransferList', () => {
  const create = () => {
    const clock = new FakeClock();
    const list = new TransferList(clock);
    const told: (readonly Transfer[])[] = [];
    list.onDidChange((transfers) => told.push(transfers));
    const start = (name: string) =>
      list.start({ direction: 'download', name, peer: 'Alice', totalBytes: 100 });
    return { clock, list, told, start };
  };

  it('tells changes a few times a second, with speed', () => {
    const { clock, told, start } = create();
    const handle = start('a');
    for (let bytes = 1; bytes <= 50; bytes += 1) handle.setBytes(bytes);
    assert.equal(told.length, 0);
    clock.advance(500);
    assert.equal(told.length, 1);
    assert.equal(told[0]?.[0]?.bytes, 50);
    handle.setBytes(100);
    clock.advance(500);
    assert.equal(told[1]?.[0]?.bytesPerSecond, 100 / 0.75);
  });

  it('ends as done, failed or cancelled, once', () => {
    const { list, start } = create();
    start('done').finish();
    start('failed').finish(new PeershelfError('STALLED', 'x'));
    const cancelled = start('cancelled');
    list.cancel(cancelled.id);
    assert.ok(cancelled.signal.aborted);
    cancelled.finish(new PeershelfError('CANCELLED', 'x'));
    cancelled.finish();
    assert.deepEqual(
      list.all().map(({ state }) => state),
      ['done', 'failed', 'cancelled'],
    );
    assert.equal(list.running, 0);
  });

  it('remembers a bounded number of finished ones and every running one', () => {
    const { list, start } = create();
    const running = start('running');
    for (let index = 0; index < 200; index += 1) start(`${index}`).finish();
    assert.equal(list.all().length, 51);
    assert.equal(list.all()[0]?.id, running.id);
  });
});
