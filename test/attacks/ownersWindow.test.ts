import { strict as assert } from 'node:assert';
import { systemClock } from '../../src/common/clock';
import { Emitter } from '../../src/common/events';
import { nullLogger } from '../../src/common/logger';
import { Keyring } from '../../src/editor/keyring';
import { OwnSession, type OwnSessionDependencies } from '../../src/editor/ownSession';
import { openIdentity, type StoredIdentity } from '../../src/peer/identity/identity';
import { makeIdentity } from '../../src/peer/identity/makeIdentity';
import { bringStatement } from '../../src/peer/team/bringStatement';
import {
  createSessionRecord,
  formatSessionRecord,
  parseSessionRecord,
  type SessionRecord,
  withoutMembers,
} from '../../src/peer/team/sessionRecord';
import { hear } from '../../src/peer/team/synchronise';
import { createTeamKeyCalls } from '../../src/peer/team/teamKeyCalls';
import type { VerifiedStatement } from '../../src/protocol/statement';
import { useCleanup } from '../support/cleanup';
import { rejectsWith } from '../support/rejectsWith';
import { startTeam, type TestTeam } from '../support/startTeam';

/** Longer ago than a lease is left as it is. */
const LONG_AGO_MS = 3 * 24 * 3_600_000;

/** The part of an owner's window that signs, with a real tracker and the engine's own calls. */
describe("an owner's window", () => {
  const cleanup = useCleanup();
  let owner: StoredIdentity;
  let mallory: StoredIdentity;

  before(async () => {
    [owner, mallory] = await Promise.all([makeIdentity(new Date()), makeIdentity(new Date())]);
  });

  const startTeamOf = async (issuedMs: number): Promise<TestTeam> =>
    startTeam(cleanup, { record: await createSessionRecord('Team', new Date(issuedMs)) });
  const withoutMallory = (record: SessionRecord): SessionRecord =>
    withoutMembers(record, {
      ...{ removed: [openIdentity(mallory).fingerprint], recipients: [], now: new Date() },
    });
  /** The window's part, as it stands after the start. */
  const open = async (team: TestTeam, kept: SessionRecord): Promise<[OwnSession, Keyring]> => {
    const secrets = new Map<string, string>();
    const keyring = new Keyring(
      {
        get: (key: string) => Promise.resolve(secrets.get(key)),
        store: (key: string, value: string) => Promise.resolve(void secrets.set(key, value)),
      } as unknown as ConstructorParameters<typeof Keyring>[0],
      () => Promise.resolve(owner),
    );
    const { id } = kept.team;
    await keyring.keepRecord(id, formatSessionRecord(kept));
    const running = { team: id, ...team.address };
    const changes = new Emitter<void>();
    const ownSession = new OwnSession({
      engine: { calls: createTeamKeyCalls(systemClock) },
      localTracker: { adopted: running, recorded: running, onDidChange: changes.event },
      session: {},
      ...{ keyring, logger: nullLogger },
    } as unknown as OwnSessionDependencies);
    cleanup.add(() => ownSession.dispose());
    return [ownSession, keyring];
  };
  const atTracker = async (team: TestTeam): Promise<VerifiedStatement> => {
    const { owner: key, root, statement } = team.record;
    const at = { owner: key, root, trackers: statement.statement.trackers };
    const identity = openIdentity(owner);
    return (await hear(at, { addresses: [team.address], clock: systemClock, identity })).statement;
  };

  it('brings a removal that was kept and not sent, although its lease is new', async () => {
    const team = await startTeamOf(Date.now());
    const kept = withoutMallory(team.record);
    const [ownSession] = await open(team, kept);
    await ownSession.renewLease();
    assert.equal((await atTracker(team)).hash, kept.statement.hash);
    await rejectsWith('MEMBER_REMOVED', team.join({ identity: mallory }));
  });

  it('renews the lease above what another copy of its key has said', async () => {
    const team = await startTeamOf(Date.now() - LONG_AGO_MS);
    // Long ago, too: the lease that the window hears of is due.
    const other = withoutMembers(team.record, {
      removed: [openIdentity(mallory).fingerprint],
      ...{ recipients: [], now: new Date(Date.now() - LONG_AGO_MS + 1) },
    });
    await bringStatement(other, { addresses: [team.address], clock: systemClock });
    const [ownSession, keyring] = await open(team, team.record);
    await ownSession.renewLease();
    const { statement, hash } = await atTracker(team);
    assert.equal(statement.previous, other.statement.hash);
    assert.ok(statement.issuedMs > other.statement.statement.issuedMs + LONG_AGO_MS / 2);
    assert.equal(
      parseSessionRecord((await keyring.record(team.record.team.id)) ?? '').statement.hash,
      hash,
    );
    await rejectsWith('MEMBER_REMOVED', team.join({ identity: mallory }));
  });
});
