import { strict as assert } from 'node:assert';
import type { Disposable } from '../../../src/common/disposable';
import { FairQueue, type FairQueueOptions } from '../../../src/peer/transfer/serve/fairQueue';
import { flushPromises } from '../../support/fakeClock';
import { rejectsWith } from '../../support/rejectsWith';

describe('FairQueue', () => {
  const never = new AbortController().signal;
  const create = (options: Partial<FairQueueOptions> = {}) => {
    const queue = new FairQueue({ limit: () => 0, limitPerKey: 4, maxWaiting: 1_000, ...options });
    const started: string[] = [];
    const places = new Map<string, Disposable>();
    const enter = (key: string, name: string, signal = never): Promise<void> =>
      queue.enter(key, signal).then((place) => {
        started.push(name);
        places.set(name, place);
      });
    const leave = async (name: string): Promise<void> => {
      places.get(name)?.dispose();
      await flushPromises();
    };
    return { queue, started, enter, leave };
  };

  it('lets everybody in without a limit, but not too many of one key', async () => {
    const { queue, started, enter, leave } = create({ limitPerKey: 2 });
    for (const name of ['a1', 'a2', 'a3', 'b1']) void enter(name.slice(0, 1), name);
    await flushPromises();
    assert.deepEqual(started, ['a1', 'a2', 'b1']);
    await leave('b1');
    assert.deepEqual(started, ['a1', 'a2', 'b1']);
    await leave('a2');
    assert.deepEqual(started, ['a1', 'a2', 'b1', 'a3']);
    assert.equal(queue.running, 2);
    assert.equal(queue.waitingCount, 0);
  });

  it('takes turns between keys, and keeps the order within one', async () => {
    const { started, enter, leave } = create({ limit: () => 1 });
    void enter('x', 'first');
    for (const name of ['a1', 'a2', 'a3', 'b1', 'b2', 'c1']) void enter(name.slice(0, 1), name);
    await flushPromises();
    for (const name of ['first', 'a1', 'b1', 'c1', 'a2', 'b2']) await leave(name);
    assert.deepEqual(started, ['first', 'a1', 'b1', 'c1', 'a2', 'b2', 'a3']);
  });

  it('gives a place back once only', async () => {
    const { queue, enter, leave } = create({ limit: () => 1 });
    await enter('a', 'one');
    await leave('one');
    await leave('one');
    assert.equal(queue.running, 0);
  });

  it('has places for those who never wait', async () => {
    const { queue, started, enter } = create({ limit: () => 2, limitPerKey: 1 });
    const one = queue.tryEnter();
    const two = queue.tryEnter();
    assert.ok(one && two);
    assert.equal(queue.tryEnter(), undefined);
    void enter('a', 'a1');
    one.dispose();
    one.dispose();
    await flushPromises();
    assert.deepEqual(started, ['a1']);
    assert.equal(queue.tryEnter(), undefined);
  });

  it('follows a limit that changes', async () => {
    const settings = { limit: 1 };
    const { started, enter, leave } = create({ limit: () => settings.limit });
    for (const name of ['a1', 'b1', 'c1', 'd1']) void enter(name.slice(0, 1), name);
    await flushPromises();
    settings.limit = 2;
    await leave('a1');
    assert.deepEqual(started, ['a1', 'b1', 'c1']);
    settings.limit = 1;
    await leave('b1');
    assert.deepEqual(started, ['a1', 'b1', 'c1']);
  });

  it('lets nobody overtake those who wait when the limit is raised', async () => {
    const settings = { limit: 1 };
    const { started, enter } = create({ limit: () => settings.limit });
    for (const name of ['a1', 'b1', 'c1']) void enter(name.slice(0, 1), name);
    await flushPromises();
    settings.limit = 2;
    void enter('d', 'd1');
    await flushPromises();
    assert.deepEqual(started, ['a1', 'b1']);
  });

  it('bounds who waits, and forgets who gives up', async () => {
    const { queue, started, enter, leave } = create({ limit: () => 1, maxWaiting: 2 });
    await enter('a', 'a1');
    const controller = new AbortController();
    const second = enter('a', 'a2', controller.signal);
    void enter('b', 'b1');
    await rejectsWith('LIMIT_EXCEEDED', enter('c', 'c1'));
    controller.abort();
    await rejectsWith('CANCELLED', second);
    await rejectsWith('CANCELLED', enter('a', 'dead', controller.signal));
    assert.equal(queue.waitingCount, 1);
    await leave('a1');
    assert.deepEqual(started, ['a1', 'b1']);
  });
});
