import { strict as assert } from 'node:assert';
import { abortable } from '../../../src/common/abort';
import { deferred } from '../../../src/common/deferred';
import { PeershelfError } from '../../../src/common/errors';
import { MAX_PAUSED, TransferList } from '../../../src/peer/transfer/transferList';
import { FakeClock, flushPromises } from '../../support/fakeClock';
import { rejectsWith } from '../../support/rejectsWith';

describe('TransferList, from stage to stage', () => {
  const cancelled = (): PeershelfError => new PeershelfError('CANCELLED', 'x');
  const request = { name: 'a', destination: '/a', ifExists: 'fail' } as const;

  const create = () => {
    const clock = new FakeClock();
    const list = new TransferList(clock);
    const running: number[] = [];
    list.onDidChangeRunning((count) => running.push(count));
    const start = (state?: 'waiting' | 'running') =>
      list.start({
        direction: 'download',
        name: 'a',
        peer: 'Alice',
        totalBytes: 100,
        wish: { kind: 'file', request },
        ...(state === undefined ? {} : { state }),
      });
    const stateOf = (id: string) => list.all().find((transfer) => transfer.id === id)?.state;
    return { clock, list, running, start, stateOf };
  };

  /** Attempts that end when their signal aborts; the next one of `ends` decides otherwise. */
  const attempts = () => {
    const signals: AbortSignal[] = [];
    const ends: ReturnType<typeof deferred<string>>[] = [];
    const attempt = (signal: AbortSignal): Promise<string> => {
      const end = deferred<string>();
      signal.addEventListener('abort', () => end.reject(cancelled()));
      signals.push(signal);
      ends.push(end);
      return end.promise;
    };
    return { signals, ends, attempt };
  };

  it('waits, runs, is paused, waits again, runs and is done', () => {
    const { list, running, start, stateOf } = create();
    const handle = start('waiting');
    const states = [stateOf(handle.id)];
    const note = (act: () => void): void => {
      act();
      states.push(stateOf(handle.id));
    };
    note(() => handle.begin());
    note(() => list.pause(handle.id));
    note(() => list.resume(handle.id));
    note(() => handle.begin());
    note(() => handle.finish());
    assert.deepEqual(states, ['waiting', 'running', 'paused', 'waiting', 'running', 'done']);
    assert.deepEqual(running, [1, 0, 1, 0]);
  });

  it('shows bytes and total of a paused one, no speed, and then only that of what came since', () => {
    const { clock, list, start } = create();
    const handle = start();
    handle.setBytes(40);
    list.pause(handle.id);
    clock.advance(60_000);
    const [paused] = list.all();
    assert.deepEqual([paused?.bytes, paused?.totalBytes, paused?.bytesPerSecond], [40, 100, 0]);
    list.resume(handle.id);
    assert.equal(list.all()[0]?.bytesPerSecond, 0);
    handle.begin();
    handle.setBytes(60);
    clock.advance(1_000);
    assert.equal(list.all()[0]?.bytesPerSecond, 20);
    handle.setBytes(0);
    handle.setBytes(30);
    clock.advance(1_000);
    assert.equal(list.all()[0]?.bytesPerSecond, 30, 'it has begun anew');
  });

  it('passes over pauses of uploads, of what has ended, and of nothing, and resumes only paused ones', () => {
    const { list, start, stateOf } = create();
    const upload = list.start({ direction: 'upload', name: 'u', peer: 'Bob', totalBytes: 1 });
    const done = start();
    done.finish();
    const running = start();
    for (const { id } of [upload, done]) list.pause(id);
    list.pause('nobody');
    for (const { id } of [upload, done, running]) list.resume(id);
    list.resume('nobody');
    assert.deepEqual(
      [upload, done, running].map(({ id }) => stateOf(id)),
      ['running', 'done', 'running'],
    );
  });

  it('does not pause what is being cancelled, and shows it as it was until it has ended', () => {
    const { list, start, stateOf } = create();
    const handle = start();
    list.cancel(handle.id);
    list.pause(handle.id);
    assert.equal(stateOf(handle.id), 'running');
    assert.ok(handle.isCancelled);
    handle.finish(cancelled());
    assert.equal(stateOf(handle.id), 'cancelled');
    list.cancel(handle.id);
    assert.equal(stateOf(handle.id), 'cancelled');
  });

  it('tells a stop from the wish of the user', () => {
    const { list, start } = create();
    const handle = start();
    list.stopAll();
    assert.ok(handle.signal.aborted);
    assert.equal(handle.isCancelled, false);
  });

  it('makes another attempt after every pause, and only then', async () => {
    const { list, start } = create();
    const handle = start();
    const { signals, ends, attempt } = attempts();
    const result = handle.throughPauses(attempt);
    list.pause(handle.id);
    assert.ok(signals[0]?.aborted, 'at once');
    await flushPromises();
    assert.equal(signals.length, 1);
    list.resume(handle.id);
    list.pause(handle.id);
    await flushPromises();
    assert.equal(signals.length, 1, 'it is paused again');
    list.resume(handle.id);
    await flushPromises();
    assert.equal(signals.length, 2);
    assert.equal(signals[1]?.aborted, false);
    ends[1]?.resolve('whole');
    assert.equal(await result, 'whole');
    assert.equal(handle.signal.aborted, false);
  });

  it('makes another attempt when it is resumed before the first has ended', async () => {
    const { list, start } = create();
    const handle = start();
    const slow = deferred<string>();
    const signals: AbortSignal[] = [];
    const result = handle.throughPauses((signal) => {
      signals.push(signal);
      return signals.length === 1 ? slow.promise : Promise.resolve('whole');
    });
    list.pause(handle.id);
    list.resume(handle.id);
    await flushPromises();
    assert.equal(signals.length, 1, 'never two at once');
    slow.reject(cancelled());
    assert.equal(await result, 'whole');
  });

  it('takes what a pause came too late for', async () => {
    const { list, start, stateOf } = create();
    const handle = start();
    const slow = deferred<string>();
    const result = handle.throughPauses(() => slow.promise);
    list.pause(handle.id);
    slow.resolve('whole');
    assert.equal(await result, 'whole');
    handle.finish();
    assert.equal(stateOf(handle.id), 'done');
  });

  it('fails with what is wrong while it is not paused', async () => {
    const { start } = create();
    const failing = start().throughPauses(() =>
      Promise.reject(new PeershelfError('DISK_FULL', 'x')),
    );
    await rejectsWith('DISK_FULL', failing);
  });

  for (const end of ['cancel', 'stopAll'] as const)
    it(`ends a paused one by ${end}, and one that is on its way to be paused`, async () => {
      const { list, start } = create();
      const [rests, ends] = [start(), start()];
      const resting = rests.throughPauses(attempts().attempt);
      list.pause(rests.id);
      await flushPromises();
      const slow = deferred<string>();
      const ending = ends.throughPauses(() => slow.promise);
      list.pause(ends.id);
      for (const { id } of [rests, ends]) list[end](id);
      slow.reject(cancelled());
      await rejectsWith('CANCELLED', resting);
      await rejectsWith('CANCELLED', ending);
      assert.equal(rests.isCancelled, end === 'cancel');
    });

  it('holds a bounded number of paused ones', () => {
    const { list, start, stateOf } = create();
    const handles = Array.from({ length: MAX_PAUSED + 1 }, () => start());
    const [first, ...others] = handles;
    for (const { id } of others) list.pause(id);
    assert.throws(() => list.pause(first?.id ?? ''), { code: 'LIMIT_EXCEEDED' });
    assert.equal(stateOf(first?.id ?? ''), 'running');
    list.resume(others[0]?.id ?? '');
    list.pause(first?.id ?? '');
    assert.equal(stateOf(first?.id ?? ''), 'paused');
  });

  it('gives the wish of a failed or cancelled one, once, and again when it could not be started', () => {
    const { list, start } = create();
    const [running, done, failed] = [start(), start(), start()];
    done.finish();
    failed.finish(new PeershelfError('STALLED', 'x'));
    assert.equal(list.takeWish(running.id), undefined);
    assert.equal(list.takeWish(done.id), undefined);
    const wish = list.takeWish(failed.id);
    assert.deepEqual(wish, { kind: 'file', request });
    assert.equal(list.takeWish(failed.id), undefined);
    list.noteStarted(failed.id, false);
    assert.deepEqual(list.takeWish(failed.id), wish);
    list.noteStarted(failed.id, true);
    assert.equal(list.takeWish(failed.id), undefined);
  });

  it('ends what is under way when the session is left, for that reason, and lets nothing be tried again', async () => {
    const { list, start, stateOf } = create();
    const [failed, starting] = [start(), start()];
    for (const handle of [failed, starting]) handle.finish(new PeershelfError('STALLED', 'x'));
    list.takeWish(starting.id);
    const restored = list.restore({
      ...{ name: 'r', peer: 'Bob', bytes: 1, totalBytes: 2, startedAtMs: 0, content: undefined },
      wish: { kind: 'file', request },
    });
    // What is about to be started again has not ended.
    list.takeWish(restored);
    assert.deepEqual(
      list.unfinished().map(({ id }) => id),
      [restored],
    );
    const about = { direction: 'download', name: 'a', peer: 'Bob', totalBytes: 1 } as const;
    const running = list.run({ ...about, wish: { kind: 'file', request } }, {}, ({ signal }) =>
      abortable(deferred<undefined>().promise, signal),
    );
    const upload = list.start({ ...about, direction: 'upload' });
    list.leaveSession(new PeershelfError('SESSION_CHANGED', 'left'));
    await assert.rejects(running, { code: 'SESSION_CHANGED' });
    list.noteStarted(starting.id, false);
    for (const id of [failed.id, starting.id]) assert.equal(list.takeWish(id), undefined);
    assert.equal(list.isRestored(restored), false);
    assert.equal(stateOf(upload.id), 'running');
    assert.equal(
      list.all().some(({ canRetry }) => canRetry),
      false,
    );
  });

  it('says what can be tried again, who has sent parts, and where it is', () => {
    const { list, start } = create();
    const handle = start();
    const shown = () => list.all()[0];
    assert.deepEqual([shown()?.kind, shown()?.canRetry, shown()?.sources], ['file', false, []]);
    for (const name of ['Bob', 'Carol', 'Bob']) handle.addSource(name);
    handle.setPath('/a (2)');
    handle.finish(new PeershelfError('STALLED', 'x'));
    const { canRetry, sources, path } = shown() ?? {};
    assert.deepEqual(
      { canRetry, sources, path },
      {
        canRetry: true,
        sources: ['Bob', 'Carol'],
        path: '/a (2)',
      },
    );
    list.takeWish(handle.id);
    assert.equal(shown()?.canRetry, false);
  });

  it('forgets what has ended when it is cleared, and nothing else', () => {
    const { list, start } = create();
    const [running, paused, done, failed] = [start(), start(), start(), start()];
    list.pause(paused.id);
    done.finish();
    failed.finish(new PeershelfError('STALLED', 'x'));
    list.clear();
    assert.deepEqual(
      list.all().map(({ id }) => id),
      [running.id, paused.id],
    );
  });
});
