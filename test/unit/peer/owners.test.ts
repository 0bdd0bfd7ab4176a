import { strict as assert } from 'node:assert';
import { createIdentity } from '../../../src/peer/identity/identity';
import {
  formatOwnerKey,
  ownersWith,
  parseOwnerKey,
  recordOfOwner,
  withOwners,
} from '../../../src/peer/team/owners';
import {
  createSessionRecord,
  formatSessionRecord,
  hasKey,
  parseSessionRecord,
  type SessionRecord,
  withNewKey,
  withRenewedLease,
} from '../../../src/peer/team/sessionRecord';
import { MAX_OWNERS } from '../../../src/protocol/limits';
import { throwsWith } from '../../support/rejectsWith';
import { newKeyPair } from '../../support/teams';

const NOW = new Date('2026-01-02T03:04:05Z');

describe('keys of further owners', () => {
  it('are read as they were written, with space around them', () => {
    const { publicKey } = newKeyPair();
    assert.ok(parseOwnerKey(` ${formatOwnerKey(publicKey)}\n`).equals(publicKey));
  });

  it('are refused when a single character is another', () => {
    const text = formatOwnerKey(newKeyPair().publicKey);
    for (let at = 0; at < text.length; at += 1) {
      const other = text[at] === 'A' ? 'B' : 'A';
      const changed = `${text.slice(0, at)}${other}${text.slice(at + 1)}`;
      throwsWith('INVALID_ARGUMENT', () => parseOwnerKey(changed), `character ${at}`);
    }
    for (const wrong of ['', 'peershelf-owner:', text.slice(0, -1), `${text}A`, `${text} ${text}`])
      throwsWith('INVALID_ARGUMENT', () => parseOwnerKey(wrong), wrong);
  });
});

describe('a session with several owners', () => {
  let first: SessionRecord;
  beforeEach(async () => (first = await createSessionRecord('Team', NOW)));
  const change = (record: SessionRecord, owners: SessionRecord['root'][]): SessionRecord =>
    withOwners(record, { owners, recipients: [], now: NOW });

  it('is in a new epoch of a new charter, and is read again as it was kept', () => {
    const { publicKey } = newKeyPair();
    const both = change(first, ownersWith(first, publicKey));
    assert.equal(both.statement.charter.owners.length, 2);
    assert.equal(both.team.charterNumber, first.team.charterNumber + 1);
    assert.equal(both.team.epoch, first.team.epoch + 1);
    assert.ok(!both.team.key.equals(first.team.key));
    assert.ok(hasKey(parseSessionRecord(formatSessionRecord(both))));
  });

  it('has each of them once, at most eight, and always the first', () => {
    throwsWith('INVALID_ARGUMENT', () => ownersWith(first, first.root));
    throwsWith('INVALID_ARGUMENT', () => change(first, [newKeyPair().publicKey]));
    const others = Array.from({ length: MAX_OWNERS }, () => newKeyPair().publicKey);
    throwsWith('INVALID_ARGUMENT', () => change(first, [first.root, ...others]));
    const most = change(first, [first.root, ...others.slice(1)]);
    assert.equal(most.statement.charter.owners.length, MAX_OWNERS);
  });

  it('is kept by a further owner as its invite says, and by nobody else', async () => {
    const owner = newKeyPair();
    const both = change(first, ownersWith(first, owner.publicKey));
    const { name: sessionName, root, team, statement } = both;
    const invite = { sessionName, root, team };
    const kept = { owner, statement, tracker: await createIdentity(NOW) };
    const second = recordOfOwner(invite, kept);
    assert.equal(withRenewedLease(second, NOW).statement.statement.sequence, 3);
    throwsWith('OWNER_WITHDRAWN', () => recordOfOwner(invite, { ...kept, owner: newKeyPair() }));
    for (const { statement: later } of [
      withNewKey(both, NOW),
      change(both, [root, owner.publicKey]),
    ])
      throwsWith('INVITE_OUTDATED', () => recordOfOwner(invite, { ...kept, statement: later }));
  });

  it('is changed by the root key alone', async () => {
    const owner = newKeyPair();
    const both = change(first, ownersWith(first, owner.publicKey));
    const { name: sessionName, root, team, statement } = both;
    const tracker = await createIdentity(NOW);
    const second = recordOfOwner({ sessionName, root, team }, { owner, statement, tracker });
    for (const owners of [[root], [root, owner.publicKey, newKeyPair().publicKey]])
      throwsWith('NOT_ROOT_OWNER', () => change(second, owners));
    const alone = change(both, [root]);
    // A withdrawn owner signs nothing that is of the new charter.
    throwsWith('OWNER_WITHDRAWN', () =>
      withRenewedLease({ ...second, statement: alone.statement }, NOW),
    );
  });
});
