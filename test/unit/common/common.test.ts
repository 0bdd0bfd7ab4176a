import { strict as assert } from 'node:assert';
import { delay, every } from '../../../src/common/clock';
import { DisposableSlot, DisposableStore, toDisposable } from '../../../src/common/disposable';
import {
  describeError,
  fromPlainError,
  fromWriteError,
  PeershelfError,
  toPlainError,
} from '../../../src/common/errors';
import { Emitter } from '../../../src/common/events';
import { createLogger, streamSink } from '../../../src/common/logger';
import { FakeClock } from '../../support/fakeClock';
import { rejectsWith } from '../../support/rejectsWith';

describe('disposables', () => {
  it('run once, the last one added first, and late additions at once', () => {
    const order: string[] = [];
    const store = new DisposableStore();
    for (const name of ['a', 'b']) store.add(toDisposable(() => order.push(name)));
    store.dispose();
    store.dispose();
    store.add(toDisposable(() => order.push('late')));
    assert.deepEqual(order, ['b', 'a', 'late']);
  });

  it('a cleared store stays usable', () => {
    const order: string[] = [];
    const store = new DisposableStore();
    store.add(toDisposable(() => order.push('first')));
    store.clear();
    store.add(toDisposable(() => order.push('second')));
    assert.deepEqual(order, ['first']);
    store.dispose();
    assert.deepEqual(order, ['first', 'second']);
  });

  it('a slot disposes what it replaces, and everything once it is disposed', () => {
    const order: string[] = [];
    const slot = new DisposableSlot();
    slot.set(toDisposable(() => order.push('one')));
    slot.set(toDisposable(() => order.push('two')));
    slot.dispose();
    slot.set(toDisposable(() => order.push('late')));
    assert.deepEqual(order, ['one', 'two', 'late']);
  });
});

describe('Emitter', () => {
  it('calls listeners in order, also one that was added twice, until they are disposed', () => {
    const emitter = new Emitter<number>();
    const seen: number[] = [];
    const listener = (value: number): void => void seen.push(value);
    const first = emitter.event(listener);
    emitter.event(listener);
    emitter.fire(1);
    first.dispose();
    emitter.fire(2);
    assert.deepEqual(seen, [1, 1, 2]);
    emitter.dispose();
    assert.equal(emitter.listenerCount, 0);
  });

  it('calls the others when one throws, and then reports', () => {
    const failures: unknown[] = [];
    const emitter = new Emitter<undefined>((error) => failures.push(error));
    const seen: string[] = [];
    emitter.event(() => assert.fail('first'));
    emitter.event(() => seen.push('second'));
    emitter.fire(undefined);
    assert.deepEqual([seen, failures.length], [['second'], 1]);
    const strict = new Emitter<undefined>();
    strict.event(() => assert.fail('thrown'));
    assert.throws(() => strict.fire(undefined), /thrown/u);
  });
});

describe('clock helpers', () => {
  it('repeat until disposed', () => {
    const clock = new FakeClock();
    let count = 0;
    const timer = every(clock, 10, () => (count += 1));
    clock.advance(35);
    timer.dispose();
    clock.advance(100);
    assert.deepEqual([count, clock.pending], [3, 0]);
  });

  it('a repeated callback may end its own repetition', () => {
    const clock = new FakeClock();
    const timer = every(clock, 10, () => timer.dispose());
    clock.advance(100);
    assert.equal(clock.pending, 0);
  });

  it('a delay ends in time, or when it is cancelled, and leaves no timer', async () => {
    const clock = new FakeClock();
    const inTime = delay(clock, 10);
    clock.advance(10);
    await inTime;
    const controller = new AbortController();
    const cancelled = delay(clock, 10, controller.signal);
    controller.abort();
    await rejectsWith('CANCELLED', cancelled);
    await rejectsWith('CANCELLED', delay(clock, 10, controller.signal));
    assert.equal(clock.pending, 0);
  });
});

describe('PeershelfError', () => {
  it('crosses a port with its code, details and the stack of the other side', () => {
    const error = new PeershelfError('DISK_FULL', 'full', { details: { path: '/x' } });
    const copy = fromPlainError(structuredClone(toPlainError(error)));
    assert.deepEqual(
      [copy.code, copy.message, copy.details],
      ['DISK_FULL', 'full', { path: '/x' }],
    );
    assert.match(describeError(copy), /caused by PeershelfError: full/u);
  });

  it('is made from whatever was thrown', () => {
    assert.equal(PeershelfError.from('text').code, 'INTERNAL');
    const failure = PeershelfError.from(new TypeError('x'));
    assert.deepEqual([failure.code, failure.message], ['INTERNAL', 'x']);
    assert.match(describeError(failure), /caused by TypeError: x\n +at /u, 'the log has the stack');
    assert.equal(PeershelfError.from(AbortSignal.abort().reason).code, 'CANCELLED');
  });

  it('knows what a failed write means', () => {
    const system = (code: string): Error => Object.assign(new Error(code), { code });
    const codes = ['ENOSPC', 'EROFS', 'EACCES', 'EISDIR', 'EIO'].map(
      (code) => fromWriteError(system(code), '/x').code,
    );
    assert.deepEqual(codes, [
      ...['DISK_FULL', 'FOLDER_NOT_WRITABLE', 'FOLDER_NOT_WRITABLE'],
      ...['DESTINATION_IS_FOLDER', 'INTERNAL'],
    ]);
  });
});

describe('logger', () => {
  it('passes lines of the minimum level and above, tagged by component', () => {
    let text = '';
    const sink = streamSink({ write: (line) => (text += line) }, 'info');
    const logger = createLogger(sink).child('part');
    logger.trace('no');
    logger.debug('no');
    logger.info('yes');
    logger.warn('yes');
    logger.error('yes');
    assert.match(text, /^\S+ info peershelf\.part: yes\n\S+ warn .*\n\S+ error .*\n$/u);
  });
});
