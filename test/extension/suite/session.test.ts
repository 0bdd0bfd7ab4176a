import * as assert from 'node:assert/strict';
import type * as vscode from 'vscode';
import { deferred, type Deferred } from '../../../src/common/deferred';
import { type ErrorCode, PeershelfError, toPlainError } from '../../../src/common/errors';
import { Emitter } from '../../../src/common/events';
import type { Engine } from '../../../src/editor/engine';
import { Keyring } from '../../../src/editor/keyring';
import { Membership } from '../../../src/editor/membership';
import { Session } from '../../../src/editor/session';
import type { ConnectionState, ConnectRequest } from '../../../src/peer/peerApi';
import { rejectsWith } from '../../support/rejectsWith';

const FIRST = { tracker: { host: '127.0.0.1', port: 1 } };
const TEAM = { team: '1'.repeat(32), name: 'Team', invite: 'an invite' };
const IDENTITY = { certificate: 'c', privateKey: 'k' };
const SECOND = { tracker: { host: '127.0.0.1', port: 2 } };

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
  readonly invites: string[] = [];
  /** Why the next joins fail. */
  readonly refusals: ErrorCode[] = [];

  readonly calls = {
    connect: async (request: ConnectRequest): Promise<void> => {
      const isOpen = 'tracker' in request;
      const tracker = isOpen ? request.tracker : { host: '127.0.0.1', port: 3 };
      const team = isOpen ? {} : { team: 'Team' };
      this.told.push(isOpen ? `connect ${tracker.port}` : 'connect team');
      if (!isOpen) this.invites.push(request.invite);
      const refusal = this.refusals.shift();
      if (refusal !== undefined) throw new PeershelfError(refusal, 'no');
      this.state = { connection: { kind: 'connecting', tracker, ...team } };
      await this.answer.promise;
      this.state = { connection: { kind: 'connected', tracker, hostname: 'me', ...team } };
    },
    disconnect: (): Promise<void> => {
      this.told.push('disconnect');
      this.state = { connection: { kind: 'disconnected' } };
      return Promise.resolve();
    },
  };

  /** What the tracker may do at any time. */
  end(code: ErrorCode): void {
    const error = toPlainError(new PeershelfError(code, 'ended'));
    this.state = { connection: { kind: 'disconnected', error } };
    this.changed.fire('connection');
  }

  /** The answer to the next call of connect; the one before keeps its own. */
  next(): Deferred<undefined> {
    this.answer = deferred();
    return this.answer;
  }
}

/** Lets everything that is due run. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
}

class FakeMemento implements vscode.Memento {
  readonly kept = new Map<string, unknown>();
  keys(): readonly string[] {
    return [...this.kept.keys()];
  }
  get(key: string): undefined {
    return this.kept.get(key) as undefined;
  }
  update(key: string, value: unknown): Promise<void> {
    this.kept.set(key, value);
    return Promise.resolve();
  }
}

function createKeyring(secrets: Map<string, string>): {
  keyring: Keyring;
  secrets: Map<string, string>;
  made: () => number;
} {
  let made = 0;
  const storage = {
    get: (key: string) => Promise.resolve(secrets.get(key)),
    store: (key: string, value: string) => Promise.resolve(void secrets.set(key, value)),
    delete: (key: string) => Promise.resolve(void secrets.delete(key)),
  };
  const keyring = new Keyring(storage as unknown as vscode.SecretStorage, () => {
    made += 1;
    return Promise.resolve(IDENTITY);
  });
  return { keyring, secrets, made: () => made };
}

describe('a session', () => {
  const create = () => {
    const engine = new FakeEngine();
    const workspaceState = new FakeMemento();
    const globalState = new FakeMemento();
    const { keyring, secrets } = createKeyring(new Map());
    const membership = new Membership({ workspaceState, globalState, keyring });
    const session = new Session({ engine: engine as unknown as Engine, membership, keyring });
    return { engine, session, membership, keyring, workspaceState, globalState, secrets };
  };
  const unreachable = (): PeershelfError => new PeershelfError('TRACKER_UNREACHABLE', 'no');

  it('is none again when the first one cannot be joined', async () => {
    const { engine, session, workspaceState } = create();
    engine.next().reject(unreachable());
    await rejectsWith('TRACKER_UNREACHABLE', session.join(FIRST));
    assert.deepEqual(engine.told, ['connect 1', 'disconnect']);
    assert.equal(workspaceState.kept.size, 0);
  });

  it('is the one before when the next one cannot be joined', async () => {
    const { engine, session, membership } = create();
    engine.next().resolve(undefined);
    await session.join(FIRST);
    engine.next().reject(unreachable());
    const joining = session.join(SECOND);
    await rejectsWith('TRACKER_UNREACHABLE', joining);
    assert.deepEqual(engine.told, ['connect 1', 'connect 2', 'connect 1']);
    assert.deepEqual(membership.joinedBefore, FIRST);
  });

  it('is not disturbed by a join that came before', async () => {
    const { engine, session, membership } = create();
    const slow = engine.next();
    const superseded = rejectsWith('CANCELLED', session.join(FIRST));
    engine.next().resolve(undefined);
    const joining = session.join(SECOND);
    slow.reject(new PeershelfError('CANCELLED', 'another wish came later'));
    await Promise.all([superseded, joining]);
    assert.deepEqual(engine.told, ['connect 1', 'connect 2']);
    assert.deepEqual(membership.joinedBefore, SECOND);
  });

  it('stays left when a join that came before succeeds', async () => {
    const { engine, session, membership } = create();
    const slow = engine.next();
    const superseded = rejectsWith('CANCELLED', session.join(FIRST));
    await session.leave();
    slow.resolve(undefined);
    await superseded;
    assert.equal(membership.joinedBefore, undefined);
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

  it('of a team is remembered without its keys, which go into the secret storage alone', async () => {
    const { engine, session, membership, workspaceState, globalState, secrets } = create();
    engine.next().resolve(undefined);
    await session.join(TEAM);
    assert.deepEqual(membership.joinedBefore, { team: TEAM.team, name: TEAM.name });
    assert.deepEqual(membership.known, [{ team: TEAM.team, name: TEAM.name }]);
    const states = JSON.stringify([...workspaceState.kept, ...globalState.kept]);
    assert.equal(states.includes(TEAM.invite), false);
    assert.deepEqual([...secrets.values()].filter((value) => value === TEAM.invite).length, 1);
    assert.deepEqual(await membership.recall({ team: TEAM.team, name: TEAM.name }), TEAM);
    assert.equal(session.team?.team, TEAM.team);
  });

  it('of a team forgets its keys when it is left, and only then', async () => {
    const { engine, session, membership, secrets } = create();
    engine.next().resolve(undefined);
    await session.join(TEAM);
    await session.detach();
    assert.deepEqual(await membership.recall({ team: TEAM.team, name: TEAM.name }), TEAM);
    assert.equal(membership.remembered, undefined);
    engine.next().resolve(undefined);
    await session.join(TEAM);
    await session.leave();
    assert.deepEqual([...secrets.keys()], ['identity']);
    assert.deepEqual(membership.known, []);
    await rejectsWith('SESSION_KEYS_MISSING', membership.recall({ team: TEAM.team, name: 'x' }));
  });

  it('started here can be started again after it was left', async () => {
    const { engine, session, keyring, secrets } = create();
    engine.next().resolve(undefined);
    await keyring.keepRecord(TEAM.team, 'a record');
    await session.join(TEAM);
    await session.leave();
    assert.equal(await keyring.record(TEAM.team), 'a record');
    assert.equal([...secrets.values()].includes(TEAM.invite), false);
  });

  it('can be left also when it cannot be joined', async () => {
    const { engine, session } = create();
    engine.next().resolve(undefined);
    await session.join(TEAM);
    engine.end('NOT_A_MEMBER');
    assert.deepEqual([session.isJoined, session.belongs], [false, true]);
    await session.leave();
    assert.equal(session.belongs, false);
  });

  it('that the window comes back to is waited for, until it is joined or cannot be', async () => {
    const { engine, session } = create();
    const recalled = deferred<typeof FIRST | undefined>();
    const connecting = engine.next();
    const coming = session.comeBack(() => recalled.promise);
    let isSettled = false;
    const joined = session.settled('joined').then(() => (isSettled = true));
    await Promise.resolve();
    assert.equal(isSettled, false);
    recalled.resolve(FIRST);
    // The engine says that it is on its way, as it does at once.
    await until(() => engine.told.length === 1);
    engine.changed.fire('connection');
    await joined;
    assert.equal(session.isConnected, false);
    const connected = session.settled('connected');
    connecting.resolve(undefined);
    await Promise.all([coming, connected]);
    assert.equal(session.isConnected, true);

    const other = create();
    const nothing = other.session.comeBack(() => Promise.resolve(undefined));
    await Promise.all([nothing, other.session.settled('joined')]);
    assert.equal(other.session.isJoined, false);
  });

  it('that is being joined is waited for, and nothing is meant for it when that fails', async () => {
    const { engine, session } = create();
    const connecting = engine.next();
    const joining = rejectsWith('TRACKER_UNREACHABLE', session.join(FIRST));
    let isSettled = false;
    const settled = session.settled('joined').then(() => (isSettled = true));
    await until(() => session.isJoined);
    engine.changed.fire('connection');
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(isSettled, false);
    connecting.reject(unreachable());
    await Promise.all([joining, settled]);
    assert.equal(session.isJoined, false);
  });

  it('is the one that the user has joined, and not one whose keys were long in coming', async () => {
    const { engine, session } = create();
    const recalled = deferred<typeof FIRST | undefined>();
    const coming = session.comeBack(() => recalled.promise);
    engine.next().resolve(undefined);
    await session.join(SECOND);
    recalled.resolve(FIRST);
    await coming;
    assert.deepEqual(engine.told, ['connect 2']);
  });

  it('ended by others is told once, and not gone back to', async () => {
    const { engine, session } = create();
    const ends: string[] = [];
    session.onDidEnd(({ code }) => ends.push(code));
    engine.next().resolve(undefined);
    await session.join(TEAM);
    engine.end('NOT_A_MEMBER');
    assert.deepEqual(ends, ['NOT_A_MEMBER']);
    assert.equal(session.team, undefined);
    engine.next().reject(unreachable());
    await rejectsWith('TRACKER_UNREACHABLE', session.join(FIRST));
    assert.deepEqual(engine.told, ['connect team', 'connect 1', 'disconnect']);
  });

  it('with a new key is joined as soon as the tracker has heard of it', async () => {
    const { engine, session } = create();
    engine.next().resolve(undefined);
    await session.join(TEAM);
    // The last one comes when the tracker has heard of the new token, and drops everyone.
    engine.refusals.push('NOT_A_MEMBER', 'NOT_A_MEMBER', 'TRACKER_UNREACHABLE');
    await session.joinRenewed({ ...TEAM, invite: 'new' });
    assert.equal(session.team?.invite, 'new');
    // The old key is not tried in between.
    assert.equal(engine.invites.filter((invite) => invite === TEAM.invite).length, 1);
  });
});

describe('the keyring', () => {
  it('makes one identity, also for two who ask at once, and keeps it', async () => {
    const { keyring } = createKeyring(new Map());
    const [one, other] = await Promise.all([keyring.identity(), keyring.identity()]);
    assert.equal(one, other);
  });

  it('takes what another window has kept', async () => {
    const kept = { certificate: 'theirs', privateKey: 'theirs' };
    const { keyring, made } = createKeyring(new Map([['identity', JSON.stringify(kept)]]));
    assert.deepEqual(await keyring.identity(), kept);
    assert.equal(made(), 0);
  });

  it('makes another identity where what is kept is none', async () => {
    const { keyring, made } = createKeyring(new Map([['identity', '{"certificate":1}']]));
    assert.deepEqual(await keyring.identity(), IDENTITY);
    assert.equal(made(), 1);
  });
});
