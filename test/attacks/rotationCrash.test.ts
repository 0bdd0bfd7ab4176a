import { strict as assert } from 'node:assert';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatHostPort, type HostPort, parseHostPort } from '../../src/protocol/address';
import { parseInvite } from '../../src/protocol/invite';
import { useCleanup } from '../support/cleanup';
import { type CommandLineUser, startCommand, startPrepared } from '../support/commandLine';
import { startPeer, type TestPeer } from '../support/startPeer';
import type { TestProcess } from '../support/startProcess';
import { prepareStops, type StopCall, type Stops } from '../support/stops';
import { temporaryFolder } from '../support/temporaryFolder';
import { makeIdentity } from '../../src/peer/identity/makeIdentity';
import { openIdentity, type StoredIdentity } from '../../src/peer/identity/identity';
import { rejectsWith } from '../support/rejectsWith';
import { eventually } from '../support/waitFor';

/** Real programs start often in each of these. */
const TIMEOUT_MS = 180_000;

const RECORD = String.raw`session-[0-9a-f]{32}\.json`;
const STATEMENT = String.raw`[\\/]statement-[0-9a-f]{64}\.json`;
/** Temporary file of either. */
const NEW = String.raw`\.[0-9a-f-]{36}\.new$`;

/** Steps of the owner: key, statement and envelopes are one file. */
const OWNER_STEPS = {
  'before anything is kept': { call: 'openSync', path: RECORD + NEW, moment: 'before' },
  'with half a record': { call: 'renameSync', path: RECORD + NEW, moment: 'before' },
  'with the record, before it is sent': { call: 'renameSync', path: RECORD + NEW, moment: 'after' },
} as const satisfies Record<string, StopCall>;

/** Steps of the tracker, which blocks within: connections are dropped and the reply is sent after them. */
const TRACKER_STEPS = {
  'verified, nothing kept': { call: 'openSync', path: STATEMENT + NEW, moment: 'before' },
  'half kept': { call: 'renameSync', path: STATEMENT + NEW, moment: 'before' },
  'kept, nobody dropped and nothing answered': {
    ...{ call: 'renameSync', path: STATEMENT + NEW, moment: 'after' },
  },
} as const satisfies Record<string, StopCall>;

describe('a rotation that is killed', () => {
  const cleanup = useCleanup();
  let owner: CommandLineUser;
  let elsewhere: CommandLineUser;
  let verifier: string;
  let invite: string;
  let address: HostPort;
  let tracker: TestProcess;
  let identities: { bob: StoredIdentity; mallory: StoredIdentity };
  let bob: TestPeer;
  let mallory: TestPeer;

  const newUser = (): CommandLineUser => ({
    folder: temporaryFolder(cleanup),
    data: temporaryFolder(cleanup),
  });
  const run = async (...args: string[]): Promise<{ code: unknown; out: string; err: string }> => {
    const running = startCommand(cleanup, owner, ...args);
    return { code: await running.exited, out: running.stdout(), err: running.stderr() };
  };
  /** At the port that it had, so that members find it again. */
  const startTracker = async (prepared: readonly Stops[] = []): Promise<TestProcess> => {
    const port = `${address.port}`;
    const args = ['tracker', '--port', port, '--verifier-file', verifier, '--no-announce'];
    const started = startPrepared(cleanup, elsewhere, prepared, ...args);
    const [, listening = ''] = await started.printed(/^listening on (\S+)\n/u);
    address = parseHostPort(listening);
    return started;
  };
  const kill = async (program: TestProcess): Promise<void> => {
    program.child.kill('SIGKILL');
    assert.equal(await program.exited, 'SIGKILL');
  };
  const remove = (): string[] => {
    const { fingerprint } = openIdentity(identities.mallory);
    return ['remove', fingerprint, '--yes', '--address', formatHostPort(address)];
  };
  const seenBy = async ({ peer }: TestPeer): Promise<string[]> => {
    await peer.refreshNetwork();
    return (await peer.networkFiles({ limit: 10 })).files.map(({ name }) => name);
  };

  beforeEach(async function () {
    this.timeout(TIMEOUT_MS);
    [owner, elsewhere] = [newUser(), newUser()];
    verifier = join(elsewhere.folder, 'verifier.json');
    address = { host: '127.0.0.1', port: 0 };
    const made = await run('invite', '--address', '127.0.0.1:1', '--verifier-file', verifier);
    assert.equal(made.code, 0, made.err);
    tracker = await startTracker();
  });

  const joinAll = async (): Promise<void> => {
    const told = await run('invite', '--address', formatHostPort(address));
    invite = /peershelf:\S+/u.exec(told.out)?.[0] ?? assert.fail(told.err);
    const [first, second] = await Promise.all([makeIdentity(new Date()), makeIdentity(new Date())]);
    identities = { bob: first, mallory: second };
    const join = async (hostname: 'bob' | 'mallory'): Promise<TestPeer> => {
      const settings = { hostname, displayName: hostname };
      const storageFolder = temporaryFolder(cleanup);
      const member = await startPeer(cleanup, { presence: true, storageFolder, settings });
      await member.peer.connect({ invite, identity: identities[hostname] });
      return member;
    };
    [bob, mallory] = [await join('bob'), await join('mallory')];
    await bob.publish('plan.txt', 'of the team');
    await eventually(async () => (await bob.peer.members()).length === 2 || undefined, 'both');
  };

  /** Everybody is in the same epoch, by an envelope; the removed one is nowhere. */
  const assertConverged = async (epochs: number): Promise<void> => {
    const told = await run('invite', '--address', formatHostPort(address));
    const current = parseInvite(/peershelf:\S+/u.exec(told.out)?.[0] ?? assert.fail(told.err));
    assert.equal(current.team.epoch, 1 + epochs, 'the owner has lost no key');
    const newcomer = await startPeer(cleanup);
    await newcomer.peer.connect({ invite: told.out, identity: await makeIdentity(new Date()) });
    await eventually(
      async () => (await seenBy(newcomer)).includes('plan.txt') || undefined,
      'bob goes on without doing anything',
    );
    const fresh = await startPeer(cleanup);
    await rejectsWith(
      'MEMBER_REMOVED',
      fresh.peer.connect({ invite: told.out, identity: identities.mallory }),
    );
    const other = await makeIdentity(new Date());
    await rejectsWith('INVITE_OUTDATED', fresh.peer.connect({ invite, identity: other }));
    await eventually(async () => {
      const { connection: state } = await mallory.peer.snapshot();
      return (state.kind === 'disconnected' && state.error?.code === 'MEMBER_REMOVED') || undefined;
    }, 'mallory is told');
  };

  for (const [what, stop] of Object.entries(OWNER_STEPS))
    it(`with its owner ${what} is done by the same command`, async () => {
      await joinAll();
      const stops = prepareStops(cleanup, stop);
      const removing = startPrepared(cleanup, owner, [stops], ...remove());
      await stops.reached(0, removing);
      await kill(removing);
      const again = await run(...remove());
      assert.equal(again.code, 0, again.err);
      await assertConverged(1);
    }).timeout(TIMEOUT_MS);

  it('with its owner before it is sent is done by the renewal of the lease, too', async () => {
    await joinAll();
    const stops = prepareStops(cleanup, OWNER_STEPS['with the record, before it is sent']);
    const removing = startPrepared(cleanup, owner, [stops], ...remove());
    await stops.reached(0, removing);
    await kill(removing);
    const renewed = await run('owner', 'renew', '--address', formatHostPort(address));
    assert.equal(renewed.code, 0, renewed.err);
    await assertConverged(1);
  }).timeout(TIMEOUT_MS);

  for (const [what, stop] of Object.entries(TRACKER_STEPS))
    it(`with its tracker ${what} is done by the same command`, async () => {
      await kill(tracker);
      const stops = prepareStops(cleanup, stop);
      tracker = await startTracker([stops]);
      await joinAll();
      const removing = startCommand(cleanup, owner, ...remove());
      await stops.reached(0, tracker);
      await kill(tracker);
      assert.equal(await removing.exited, 1, removing.stdout());
      // By the verifier of before the removal.
      tracker = await startTracker();
      const again = await run(...remove());
      assert.equal(again.code, 0, again.err);
      await assertConverged(1);
    }).timeout(TIMEOUT_MS);

  it('with owner and tracker after all is kept is whole when the tracker is back', async () => {
    await kill(tracker);
    const kept = TRACKER_STEPS['kept, nobody dropped and nothing answered'];
    const stops = prepareStops(cleanup, kept);
    tracker = await startTracker([stops]);
    await joinAll();
    const removing = startCommand(cleanup, owner, ...remove());
    await stops.reached(0, tracker);
    await Promise.all([kill(tracker), kill(removing)]);
    tracker = await startTracker();
    await assertConverged(1);
  }).timeout(TIMEOUT_MS);

  it('with its tracker is whole also when the tracker has lost all that it kept', async () => {
    await joinAll();
    const removed = await run(...remove());
    assert.equal(removed.code, 0, removed.err);
    await kill(tracker);
    const bare = join(temporaryFolder(cleanup), 'verifier.json');
    writeFileSync(bare, readFileSync(verifier), { mode: 0o600 });
    verifier = bare;
    tracker = await startTracker();
    const renewed = await run('owner', 'renew', '--address', formatHostPort(address));
    assert.equal(renewed.code, 0, renewed.err);
    await assertConverged(1);
  }).timeout(TIMEOUT_MS);
});
