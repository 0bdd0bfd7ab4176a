import { strict as assert } from 'node:assert';
import { systemClock } from '../../src/common/clock';
import { openIdentity, type StoredIdentity } from '../../src/peer/identity/identity';
import { makeIdentity } from '../../src/peer/identity/makeIdentity';
import { bringStatement } from '../../src/peer/team/bringStatement';
import { openRecord, sealRecord } from '../../src/peer/team/ownerExport';
import {
  formatOwnerKey,
  ownersWith,
  parseOwnerKey,
  recordOfOwner,
  withOwners,
} from '../../src/peer/team/owners';
import type { SealedMember } from '../../src/peer/peerApi';
import {
  inviteOf,
  type SessionRecord,
  withNewKey,
  withoutMembers,
  withRenewedLease,
} from '../../src/peer/team/sessionRecord';
import { hear, synchronise, type SynchroniseOptions } from '../../src/peer/team/synchronise';
import { sealingPointOf } from '../../src/protocol/envelope';
import { admits } from '../../src/protocol/removals';
import { useCleanup } from '../support/cleanup';
import { rejectsWith, throwsWith } from '../support/rejectsWith';
import { startTeam, type TestTeam } from '../support/startTeam';
import { newKeyPair } from '../support/teams';

const PASSPHRASE = 'bốn từ không ai đoán được';

describe('owners of a session', () => {
  const cleanup = useCleanup();
  const names = ['first', 'second', 'mallory', 'oscar'] as const;
  type Who = (typeof names)[number];
  let identities: Record<Who, StoredIdentity>;
  let team: TestTeam;

  before(async () => {
    const made = await Promise.all(names.map(() => makeIdentity(new Date())));
    identities = Object.fromEntries(names.map((name, at) => [name, made[at]])) as typeof identities;
  });

  beforeEach(async () => {
    team = await startTeam(cleanup);
  });

  const sealed = (...who: Who[]): SealedMember[] =>
    who.map((one) => {
      const { fingerprint: identity, privateKey } = openIdentity(identities[one]);
      return { identity, sealingPoint: sealingPointOf(privateKey) };
    });
  const idOf = (who: Who): string => openIdentity(identities[who]).fingerprint;
  const as = (who: Who): SynchroniseOptions => ({
    ...{ addresses: [team.address], clock: systemClock },
    identity: openIdentity(identities[who]),
  });
  const atTracker = ({ owner, root, statement: { statement } }: SessionRecord) => ({
    ...{ owner, root },
    trackers: statement.trackers,
  });
  const bring = (record: SessionRecord): Promise<unknown> =>
    bringStatement(record, { addresses: [team.address], clock: systemClock });
  const remove = (record: SessionRecord, removed: Who, ...stay: Who[]): SessionRecord =>
    withoutMembers(record, {
      ...{ removed: [idOf(removed)], recipients: sealed(...stay), now: new Date() },
    });
  /** A second owner, whose key travels as text, and who learns of it by an invite. */
  const addSecond = async (): Promise<[SessionRecord, SessionRecord]> => {
    const owner = newKeyPair();
    const owners = ownersWith(team.record, parseOwnerKey(formatOwnerKey(owner.publicKey)));
    const recipients = sealed('first', 'second', 'mallory', 'oscar');
    const first = withOwners(team.record, { owners, recipients, now: new Date() });
    await bring(first);
    const { statement } = await hear(atTracker(first), as('second'));
    const tracker = await makeIdentity(new Date());
    const second = recordOfOwner(inviteOf(first, [team.address]), { owner, statement, tracker });
    return [first, second];
  };

  it('are opened by the passphrase alone, from a file that nobody has changed', () => {
    const text = sealRecord(team.record, PASSPHRASE);
    const { team: kept, isUnheard } = openRecord(text, PASSPHRASE.normalize('NFD'));
    assert.ok(kept.key.equals(team.record.team.key));
    assert.equal(isUnheard, true);
    throwsWith('EXPORT_UNREADABLE', () => openRecord(text, `${PASSPHRASE}!`));
    const at = text.indexOf('"sealed":"') + 40;
    const other = text[at] === 'A' ? 'B' : 'A';
    const tampered = `${text.slice(0, at)}${other}${text.slice(at + 1)}`;
    for (const wrong of [tampered, text.slice(0, -20), '{}', text.replace('owner 1', 'owner 2')])
      throwsWith('EXPORT_UNREADABLE', () => openRecord(wrong, PASSPHRASE));
    throwsWith('INVALID_ARGUMENT', () => sealRecord(team.record, 'short'));
  });

  it('sign nothing by an imported copy before it has heard what happened since', async () => {
    const exported = sealRecord(team.record, PASSPHRASE);
    const removed = remove(team.record, 'mallory', 'first', 'second');
    await bring(removed);
    const copy = openRecord(exported, PASSPHRASE);
    for (const sign of [withRenewedLease, withNewKey])
      throwsWith('OWNER_UNHEARD', () => sign(copy, new Date()));
    throwsWith('OWNER_UNHEARD', () => remove(copy, 'oscar'));
    const heard = await synchronise(copy, as('first'));
    assert.equal(heard.statement.hash, removed.statement.hash);
    assert.ok(heard.team.key.equals(removed.team.key), 'its key came by an envelope');
    await bring(withRenewedLease(heard, new Date()));
    await rejectsWith('MEMBER_REMOVED', team.join({ identity: identities.mallory }));
  });

  it('may be several, each of whom removes members', async () => {
    const [, second] = await addSecond();
    await bring(remove(second, 'mallory', 'first', 'second'));
    await rejectsWith('MEMBER_REMOVED', team.join({ identity: identities.mallory }));
    throwsWith('NOT_ROOT_OWNER', () =>
      withOwners(second, { owners: [second.root], recipients: [], now: new Date() }),
    );
  });

  it('say nothing any more once they are withdrawn', async () => {
    const [first, second] = await addSecond();
    const withdrawn = withOwners(first, {
      ...{ owners: [first.root], recipients: sealed('first', 'second'), now: new Date() },
    });
    await bring(withdrawn);
    let late = remove(second, 'first', 'mallory');
    // However far its statements get ahead of those of the first owner.
    for (let count = 0; count < 5; count += 1) late = withRenewedLease(late, new Date());
    await rejectsWith('OWNER_BEHIND', bring(late));
    await rejectsWith('OWNER_WITHDRAWN', synchronise(late, as('second')));
    const { statement } = await hear(atTracker(withdrawn), as('first'));
    assert.equal(statement.hash, withdrawn.statement.hash);
  });

  it('come to one statement with all removals when two act at once', async () => {
    const [first, second] = await addSecond();
    const one = remove(first, 'mallory', 'first', 'second');
    const two = remove(second, 'oscar', 'first', 'second');
    await bring(one);
    await rejectsWith('OWNER_BEHIND', bring(two));
    const joined = await synchronise(two, as('second'));
    assert.ok(joined.statement.statement.epoch > one.team.epoch, 'neither removed one has its key');
    await bring(joined);
    for (const who of ['mallory', 'oscar'] as const) {
      assert.equal(admits(joined.statement.statement, idOf(who)), false);
      await rejectsWith('MEMBER_REMOVED', team.join({ identity: identities[who] }));
    }
    const caughtUp = await synchronise(one, as('first'));
    assert.equal(caughtUp.statement.hash, joined.statement.hash);
    assert.ok(caughtUp.team.key.equals(joined.team.key));
  });

  it('keep a removal that was never sent when another owner has gone on since', async () => {
    const [first, second] = await addSecond();
    const unsent = remove(second, 'mallory', 'first', 'second');
    await bring(withRenewedLease(withRenewedLease(first, new Date()), new Date()));
    const joined = await synchronise(unsent, as('second'));
    await bring(joined);
    await rejectsWith('MEMBER_REMOVED', team.join({ identity: identities.mallory }));
  });

  it('keep the key of an epoch when two renew the lease at once', async () => {
    const [first, second] = await addSecond();
    await bring(withRenewedLease(first, new Date()));
    const other = withRenewedLease(second, new Date(Date.now() + 1));
    const joined = await synchronise(other, as('second'));
    assert.ok(joined.team.key.equals(first.team.key));
    await bring(joined);
  });

  it('go on without the first one, whose key is lost', async () => {
    const [, second] = await addSecond();
    const renewed = withRenewedLease(second, new Date());
    await bring(renewed);
    await bring(remove(renewed, 'mallory', 'second'));
    throwsWith('NOT_ROOT_OWNER', () =>
      withOwners(renewed, { owners: [second.root], recipients: [], now: new Date() }),
    );
  });

  it('have keys that are read whole or not at all', () => {
    const text = formatOwnerKey(newKeyPair().publicKey);
    for (const wrong of [text.slice(0, -1), `${text}A`, text.replace(/.$/u, '_'), '', 'x'])
      if (wrong !== text) throwsWith('INVALID_ARGUMENT', () => parseOwnerKey(wrong));
  });
});
