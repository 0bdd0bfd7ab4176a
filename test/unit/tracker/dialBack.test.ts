import { strict as assert } from 'node:assert';
import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { DialBack } from '../../../src/tracker/dialBack';
import {
  DIAL_BACK_DEADLINE_MS,
  MAX_DIALS_BACK,
  MAX_WAITING_DIALS_BACK,
} from '../../../src/tracker/limits';
import { FakeClock } from '../../support/fakeClock';

/** What a dial needs of a socket; it connects and fails when the test says so. */
class FakeSocket extends EventEmitter {
  destroyed = false;
  unref(): void {
    // Nothing keeps a test alive.
  }
  destroy(): void {
    this.destroyed = true;
  }
}

describe('dialing back', () => {
  const start = () => {
    const clock = new FakeClock();
    const sockets: FakeSocket[] = [];
    const dialBack = new DialBack(clock, () => {
      const socket = new FakeSocket();
      sockets.push(socket);
      return socket as unknown as Socket;
    });
    const results: boolean[] = [];
    const dial = () =>
      dialBack.dial({ host: '127.0.0.1', port: 1 }, (isReachable) => results.push(isReachable));
    return { clock, sockets, dialBack, results, dial };
  };

  it('says whether a connection came about, in time', () => {
    const { clock, sockets, results, dial } = start();
    for (let count = 0; count < 3; count += 1) dial();
    sockets[0]?.emit('connect');
    sockets[1]?.emit('error', new Error('refused'));
    clock.advance(DIAL_BACK_DEADLINE_MS);
    assert.deepEqual(results, [true, false, false]);
    assert.ok(sockets.every(({ destroyed }) => destroyed));
    sockets[2]?.emit('error', new Error('late'));
    assert.equal(results.length, 3);
    assert.equal(clock.pending, 0);
  });

  it('has only so many under way, and only so many that wait', () => {
    const { clock, sockets, results, dial } = start();
    const all = MAX_DIALS_BACK + MAX_WAITING_DIALS_BACK;
    for (let count = 0; count < all + 5; count += 1) dial();
    assert.equal(sockets.length, MAX_DIALS_BACK);
    sockets[0]?.emit('connect');
    assert.equal(sockets.length, MAX_DIALS_BACK + 1);
    for (let round = 0; round < all; round += 1) clock.advance(DIAL_BACK_DEADLINE_MS);
    assert.equal(sockets.length, all);
    assert.equal(results.length, all);
  });

  it('forgets what nobody wants to know any more', () => {
    const { sockets, results, dial, dialBack, clock } = start();
    for (let count = 1; count < MAX_DIALS_BACK; count += 1) dial();
    const running = dial();
    const waiting = dial();
    waiting.dispose();
    running.dispose();
    for (const socket of [...sockets]) socket.emit('connect');
    assert.equal(sockets.length, MAX_DIALS_BACK);
    assert.equal(results.length, MAX_DIALS_BACK - 1);
    dial();
    dialBack.dispose();
    assert.ok(sockets.every(({ destroyed }) => destroyed));
    assert.equal(clock.pending, 0);
  });
});
