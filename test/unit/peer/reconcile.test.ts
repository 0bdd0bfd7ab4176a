import { strict as assert } from 'node:assert';
import { openIdentity, type StoredIdentity } from '../../../src/peer/identity/identity';
import { makeIdentity } from '../../../src/peer/identity/makeIdentity';
import type { SealedMember } from '../../../src/peer/peerApi';
import { ownersWith, recordOfOwner, withOwners } from '../../../src/peer/team/owners';
import { type HeardStatement, reconcile } from '../../../src/peer/team/reconcile';
import {
  createSessionRecord,
  hasKey,
  type SessionRecord,
  withAdmission,
  withNewKey,
  withoutMembers,
  withRenewedLease,
} from '../../../src/peer/team/sessionRecord';
import type { OwnIdentity } from '../../../src/protocol/certificate';
import { sealingPointOf } from '../../../src/protocol/envelope';
import { admits } from '../../../src/protocol/removals';
import { compareRank } from '../../../src/protocol/statement';
import { throwsWith } from '../../support/rejectsWith';
import { newKeyPair } from '../../support/teams';

const NOW = new Date('2026-01-02T03:04:05Z');
const MALLORY = '1'.repeat(64);
const OSCAR = '2'.repeat(64);
const ALICE = '3'.repeat(64);

describe('reconciling the record of a session', () => {
  let stored: StoredIdentity;
  let self: OwnIdentity;
  let first: SessionRecord;
  before(async () => {
    stored = await makeIdentity(NOW);
    self = openIdentity(stored);
    first = await createSessionRecord('Team', NOW);
  });

  const selfSealed = (): SealedMember => ({
    identity: self.fingerprint,
    sealingPoint: sealingPointOf(self.privateKey),
  });
  const remove = (record: SessionRecord, ...removed: string[]): SessionRecord =>
    withoutMembers(record, { removed, recipients: [selfSealed()], now: NOW });
  /** Statement of a record as a tracker gives it to this owner. */
  const heardOf = ({ statement, envelopes }: SessionRecord): HeardStatement => ({
    statement,
    envelope: envelopes.find(({ to }) => to === self.fingerprint),
  });
  const after = (record: SessionRecord, heard: SessionRecord): SessionRecord =>
    reconcile(record, heardOf(heard), { identity: self, now: NOW });
  /** A further owner of the session, and the session with it. */
  const addSecond = (): readonly [SessionRecord, SessionRecord] => {
    const owner = newKeyPair();
    const owners = ownersWith(first, owner.publicKey);
    const both = withOwners(first, { owners, recipients: [selfSealed()], now: NOW });
    const { name: sessionName, root, team, statement } = both;
    return [
      both,
      recordOfOwner({ sessionName, root, team }, { owner, statement, tracker: stored }),
    ];
  };

  it('changes nothing where both say the same, and where the other lags behind', () => {
    const removed = remove(first, MALLORY);
    assert.equal(after(removed, removed), removed);
    assert.equal(after(removed, first), removed);
  });

  it('takes over what a restored copy has missed, with its key', () => {
    const gone = withRenewedLease(remove(first, MALLORY), NOW);
    const heard = after(first, gone);
    assert.equal(heard.statement.hash, gone.statement.hash);
    assert.ok(heard.team.key.equals(gone.team.key));
    assert.ok(hasKey(heard));
    // So the next statement of the copy is above that of the tracker, whom it would contradict else.
    const renewed = withRenewedLease(heard, NOW);
    assert.ok(compareRank(renewed.statement.statement, gone.statement.statement) > 0);
    assert.equal(renewed.statement.statement.previous, gone.statement.hash);
  });

  it('lets a copy sign again, which had not heard the newest statement', () => {
    const copy = { ...first, isUnheard: true };
    throwsWith('OWNER_UNHEARD', () => withRenewedLease(copy, NOW));
    for (const heard of [first, remove(first, MALLORY)])
      assert.equal(after(copy, heard).isUnheard, undefined);
  });

  it('of an epoch without an envelope for this owner makes a new epoch, not the old one again', () => {
    const gone = withNewKey(first, NOW);
    const heard = after(first, gone);
    assert.equal(hasKey(heard), false);
    assert.ok(heard.team.key.equals(first.team.key), 'the key that it has is not lost');
    const next = withNewKey(heard, NOW);
    assert.ok(hasKey(next));
    assert.equal(next.team.epoch, gone.team.epoch + 1);
  });

  it('comes to one statement above two of one rank, whoever hears of the other', () => {
    const [one, two] = [remove(first, MALLORY), remove(first, OSCAR)];
    for (const joined of [after(one, two), after(two, one)]) {
      const { statement } = joined.statement;
      for (const known of [one, two])
        assert.ok(compareRank(statement, known.statement.statement) > 0);
      for (const who of [MALLORY, OSCAR]) assert.equal(admits(statement, who), false);
      assert.equal(statement.epoch, one.team.epoch + 1);
      assert.ok(hasKey(joined));
      for (const known of [one, two]) assert.ok(!joined.team.key.equals(known.team.key));
      assert.deepEqual(
        joined.envelopes.map(({ to }) => to),
        [self.fingerprint],
      );
    }
  });

  it('keeps a removal that was never sent, below the rank of what the tracker has', () => {
    const unsent = remove(first, MALLORY);
    let sent = first;
    for (let count = 0; count < 3; count += 1) sent = withRenewedLease(sent, NOW);
    const joined = after(unsent, sent);
    assert.equal(admits(joined.statement.statement, MALLORY), false);
    assert.ok(compareRank(joined.statement.statement, sent.statement.statement) > 0);
    // The epoch never goes back, in which the removed member has no key.
    assert.ok(joined.team.epoch > unsent.team.epoch);
  });

  it('keeps the key where two have renewed the lease at once', () => {
    const one = withRenewedLease(first, NOW);
    const two = withRenewedLease(first, new Date(NOW.getTime() + 1));
    const joined = after(one, two);
    assert.ok(joined.team.key.equals(first.team.key));
    assert.equal(joined.statement.statement.sequence, one.statement.statement.sequence + 1);
  });

  it('lets in nobody but listed members when one of two has said so', () => {
    const listed = withAdmission(first, { admission: 'listed', members: [ALICE, OSCAR], now: NOW });
    const joined = after(remove(first, OSCAR), listed);
    const { statement } = joined.statement;
    assert.equal(admits(statement, ALICE), true);
    for (const who of [OSCAR, MALLORY]) assert.equal(admits(statement, who), false);
  });

  it('follows the first owner, who has withdrawn this one, in nothing more', () => {
    const [both, second] = addSecond();
    const withdrawn = withOwners(both, { owners: [both.root], recipients: [], now: NOW });
    throwsWith('OWNER_WITHDRAWN', () => after(remove(second, ALICE), withdrawn));
  });

  it('says again a removal by a further owner that the first one has not heard of', () => {
    const [both, second] = addSecond();
    const unheard = remove(second, MALLORY);
    const other = withOwners(both, {
      ...{ owners: ownersWith(both, newKeyPair().publicKey), recipients: [selfSealed()], now: NOW },
    });
    const joined = after(unheard, other);
    assert.equal(admits(joined.statement.statement, MALLORY), false);
    assert.equal(joined.statement.statement.charterNumber, other.team.charterNumber);
    assert.ok(joined.team.epoch > other.team.epoch);
  });
});
