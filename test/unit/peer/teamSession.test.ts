import { strict as assert } from 'node:assert';
import { nullLogger } from '../../../src/common/logger';
import { createIdentity, openIdentity } from '../../../src/peer/identity/identity';
import {
  createSessionRecord,
  inviteOf,
  type SessionRecord,
} from '../../../src/peer/team/sessionRecord';
import { TeamMember } from '../../../src/peer/team/teamMember';
import { MAX_UNCONFIRMED_MS, TeamSession } from '../../../src/peer/team/teamSession';
import {
  signStatement,
  type Statement,
  type StatementBundle,
} from '../../../src/protocol/statement';
import { useCleanup } from '../../support/cleanup';
import { FakeClock } from '../../support/fakeClock';
import { temporaryFolder } from '../../support/temporaryFolder';

const HOUR_MS = 3_600_000;
const OTHER = 'ab'.repeat(32);

describe('a session that serves an answer without end', () => {
  const cleanup = useCleanup();
  let clock: FakeClock;
  let record: SessionRecord;
  let session: TeamSession;
  /** Why the other one was refused, by each event that asks to look again. */
  let refusals: (string | undefined)[];
  let endedEpochs: number;

  beforeEach(async () => {
    clock = new FakeClock();
    const now = new Date(clock.now());
    record = await createSessionRecord('Team', now);
    const identity = openIdentity(await createIdentity(now));
    const invite = inviteOf(record, [{ host: '127.0.0.1', port: 1 }]);
    session = new TeamSession({
      ...{ clock, logger: nullLogger, key: 'key', sharedFolder: temporaryFolder(cleanup) },
      member: new TeamMember(invite, identity, clock),
      onIdentityChanged: () => assert.fail('nobody has changed'),
      catalogue: () => undefined,
    });
    cleanup.add(() => session.dispose());
    session.book.take(record.statement.bundle);
    const { security } = session;
    assert.equal(security.refusalOf(OTHER), undefined);
    [refusals, endedEpochs] = [[], 0];
    session.onDidChangeAdmission(() => refusals.push(security.refusalOf(OTHER)?.code));
    session.onDidEndEpoch(() => (endedEpochs += 1));
  });

  const say = (part: Partial<Statement>): StatementBundle => {
    const { statement } = record.statement;
    const { privateKey } = record.owner;
    return { statement: signStatement({ ...statement, sequence: 2, ...part }, privateKey) };
  };
  const removal = { removed: [{ identity: OTHER, charterNumber: 0, sequence: 2 }] };

  it('is told to look again at the very end of the lease', () => {
    session.book.take(say({ validUntilMs: clock.now() + HOUR_MS / 2 + 1 }));
    refusals.length = 0;
    clock.advance(HOUR_MS / 2);
    assert.deepEqual(refusals, []);
    clock.advance(1);
    assert.deepEqual(refusals, ['LEASE_ENDED']);
  });

  it('is told at the end of an hour without any tracker, counted from the last word of one', () => {
    clock.advance(HOUR_MS / 2);
    session.confirm();
    clock.advance(MAX_UNCONFIRMED_MS - 1);
    assert.deepEqual(refusals, []);
    clock.advance(1);
    assert.deepEqual(refusals, ['MEMBERSHIP_UNCLEAR']);
  });

  it('is told within a minute of a clock that was set past the end of the lease', () => {
    clock.setBack(-15 * 24 * HOUR_MS);
    clock.advance(60_000);
    assert.deepEqual(refusals, ['LEASE_ENDED']);
  });

  it('is told of a removal that keeps the key, and of a list of members', () => {
    session.book.take(say(removal));
    assert.deepEqual(refusals, ['NOT_A_MEMBER']);
    const { fingerprint } = session.member.identity;
    const lists = { admission: 'listed', members: [fingerprint] } as const;
    session.book.take(say({ sequence: 3, ...removal, ...lists }));
    assert.deepEqual(refusals, ['NOT_A_MEMBER', 'NOT_A_MEMBER']);
    assert.equal(endedEpochs, 0);
  });

  it('is told of a removal by an older statement, and of a contradiction', () => {
    session.book.take(say({ sequence: 3 }));
    session.book.take(say(removal));
    session.book.take(say({ sequence: 3, issuedMs: clock.now() + 1 }));
    assert.deepEqual(refusals, [undefined, 'NOT_A_MEMBER', 'NOT_A_MEMBER']);
  });

  it('ends an epoch once, whatever is said of it again', () => {
    session.book.take(say({ sequence: 4, epoch: 2, commitment: 'cd'.repeat(32) }));
    session.book.take(say({ sequence: 3 }));
    session.book.take(say({ sequence: 2 }));
    assert.equal(endedEpochs, 1);
    assert.ok(session.problem);
  });
});
