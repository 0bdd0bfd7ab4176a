import * as assert from 'node:assert/strict';
import type * as vscode from 'vscode';
import { deferred, type Deferred } from '../../../src/common/deferred';
import { PeershelfError } from '../../../src/common/errors';
import { Emitter } from '../../../src/common/events';
import type { Engine } from '../../../src/editor/engine';
import { Session } from '../../../src/editor/session';
import type { ConnectionState } from '../../../src/peer/peerApi';
import type { HostPort } from '../../../src/protocol/address';
import { rejectsWith } from '../../support/rejectsWith';

const FIRST: HostPort = { host: '127.0.0.1', port: 1 };
const SECOND: HostPort = { host: '127.0.0.1', port: 2 };

/** An engine that connects when a test says so, as the real one would. */
class FakeEngine {
  readonly changed = new Emitter<'connection'>();
  readonly crashed = new Emitter<unknown>();
  readonly onDidChange = this.changed.event;
  readonly onDidCrash = this.crashed.event;
  readonly isRunning = true;
  readonly told: string[] = [];
  state: { connection: ConnectionState } = { connection: { kind: 'disconnected' } };
  answer: Deferred<undefined> = deferred();

  readonly calls = {
    connect: async ({ tracker }: { tracker: HostPort }): Promise<void> => {
      this.told.push(`connect ${tracker.port}`);
      this.state = { connection: { kind: 'connecting', tracker } };
      await this.answer.promise;
      this.state = { connection: { kind: 'connected', tracker, hostname: 'me' } };
    },
    disconnect: (): Promise<void> => {
      this.told.push('disconnect');
      this.state = { connection: { kind: 'disconnected' } };
      return Promise.resolve();
    },
  };

  /** The answer to the next call of connect; the one before keeps its own. */
  next(): Deferred<undefined> {
    this.answer = deferred();
    return this.answer;
  }
}

describe('a session', () => {
  const create = (): { engine: FakeEngine; session: Session; kept: Map<string, unknown> } => {
    const engine = new FakeEngine();
    const kept = new Map<string, unknown>();
    const memento = {
      get: (key: string) => kept.get(key),
      update: (key: string, value: unknown) => Promise.resolve(void kept.set(key, value)),
    };
    const session = new Session(engine as unknown as Engine, memento as unknown as vscode.Memento);
    return { engine, session, kept };
  };
  const unreachable = (): PeershelfError => new PeershelfError('TRACKER_UNREACHABLE', 'no');

  it('is none again when the first one cannot be joined', async () => {
    const { engine, session, kept } = create();
    engine.next().reject(unreachable());
    await rejectsWith('TRACKER_UNREACHABLE', session.join(FIRST));
    assert.deepEqual(engine.told, ['connect 1', 'disconnect']);
    assert.equal(kept.size, 0);
  });

  it('is the one before when the next one cannot be joined', async () => {
    const { engine, session } = create();
    engine.next().resolve(undefined);
    await session.join(FIRST);
    engine.next().reject(unreachable());
    const joining = session.join(SECOND);
    await rejectsWith('TRACKER_UNREACHABLE', joining);
    assert.deepEqual(engine.told, ['connect 1', 'connect 2', 'connect 1']);
    assert.deepEqual(session.joinedBefore, FIRST);
  });

  it('is not disturbed by a join that came before', async () => {
    const { engine, session } = create();
    const slow = engine.next();
    const superseded = rejectsWith('CANCELLED', session.join(FIRST));
    engine.next().resolve(undefined);
    const joining = session.join(SECOND);
    slow.reject(new PeershelfError('CANCELLED', 'another wish came later'));
    await Promise.all([superseded, joining]);
    assert.deepEqual(engine.told, ['connect 1', 'connect 2']);
    assert.deepEqual(session.joinedBefore, SECOND);
  });

  it('stays left when a join that came before succeeds', async () => {
    const { engine, session } = create();
    const slow = engine.next();
    const superseded = rejectsWith('CANCELLED', session.join(FIRST));
    await session.leave();
    slow.resolve(undefined);
    await superseded;
    assert.equal(session.joinedBefore, undefined);
  });

  it('does not go back to what a crash has ended', async () => {
    const { engine, session } = create();
    engine.next().resolve(undefined);
    await session.join(FIRST);
    engine.crashed.fire('crash');
    engine.next().reject(unreachable());
    await rejectsWith('TRACKER_UNREACHABLE', session.join(SECOND));
    assert.deepEqual(engine.told, ['connect 1', 'connect 2', 'disconnect']);
  });
});
