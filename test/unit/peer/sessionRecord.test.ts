import { strict as assert } from 'node:assert';
import { generateKeyPairSync } from 'node:crypto';
import {
  createSessionRecord,
  formatSessionRecord,
  inviteOf,
  parseSessionRecord,
  verifierOf,
  withNewKey,
  withoutMembers,
  withRenewedLease,
} from '../../../src/peer/team/sessionRecord';
import { sealingPointOf } from '../../../src/protocol/envelope';
import { MAX_ENVELOPES } from '../../../src/protocol/statementMessages';
import { formatInvite, parseInvite } from '../../../src/protocol/invite';
import { deriveTeamKeys, isTrackerToken } from '../../../src/protocol/teamKeys';
import { parseVerifier } from '../../../src/protocol/verifier';
import { rejectsWith, throwsWith } from '../../support/rejectsWith';

const NOW = new Date('2026-01-02T03:04:05Z');
const ADDRESS = { host: '192.168.1.5', port: 9000 };

describe('the record of a session', () => {
  it('is read as it was written: the invite stays the same', async () => {
    const record = await createSessionRecord(' Lớp 10A ', NOW);
    const again = parseSessionRecord(formatSessionRecord(record));
    assert.equal(again.name, 'Lớp 10A');
    const [one, two] = [record, again].map((each) => inviteOf(each, [ADDRESS]));
    // A signature is another one each time.
    assert.deepEqual(one?.signed.subarray(0, -64), two?.signed.subarray(0, -64));
    assert.deepEqual(verifierOf(again), verifierOf(record));
  });

  it('gives the tracker what tells members, and nothing that makes one', async () => {
    const record = await createSessionRecord('Team', NOW);
    const text = JSON.stringify(verifierOf(record));
    const { identity, statement } = parseVerifier(text);
    const { tokenHash } = statement.statement;
    const invite = parseInvite(formatInvite(inviteOf(record, [ADDRESS])));
    assert.equal(identity.fingerprint, invite.fingerprint);
    const keys = deriveTeamKeys(invite.team);
    assert.equal(isTrackerToken(keys.trackerToken.export(), tokenHash), true);
    for (const key of [record.team.key, keys.trackerToken, keys.membershipKey, keys.proofKey])
      for (const encoding of ['base64url', 'base64', 'hex'] as const)
        assert.equal(text.includes(key.export().toString(encoding)), false);
  });

  it('with a new key is the same session, which the old invite does not open', async () => {
    const record = await createSessionRecord('Team', NOW);
    const renewed = withNewKey(record, NOW);
    assert.equal(renewed.team.id, record.team.id);
    const [old, fresh] = [record, renewed].map((one) => one.statement.statement.tokenHash);
    assert.notEqual(old, fresh);
    const fingerprints = [record, renewed].map((one) => inviteOf(one, [ADDRESS]).fingerprint);
    assert.equal(fingerprints[0], fingerprints[1]);
  });

  it('is refused when it is damaged, without a word of what it holds', async () => {
    const text = formatSessionRecord(await createSessionRecord('Team', NOW));
    for (const damaged of [
      '',
      '{}',
      text.slice(0, -4),
      text.replace(/"key":"..../u, '"key":"AAAA'),
    ]) {
      const error = throwsWith('INVALID_ARGUMENT', () => parseSessionRecord(damaged));
      assert.equal(error.message, 'this is no record of a session');
      assert.equal(error.cause, undefined);
    }
    throwsWith('INVALID_ARGUMENT', () => parseVerifier(text));
    throwsWith('INVALID_ARGUMENT', () => parseVerifier('x'.repeat(1_000_000)));
  });

  it('can be read again after a removal, whatever members have said and however many there are', async () => {
    const record = await createSessionRecord('Team', NOW);
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const sealingPoint = sealingPointOf(privateKey);
    const identity = (index: number): string => index.toString(16).padStart(64, '0');
    const recipients = [
      // A sealing key that a member has made up, and that is no point of the curve.
      { identity: identity(0), sealingPoint: 'A'.repeat(44) },
      ...Array.from({ length: MAX_ENVELOPES + 2 }, (_, index) => ({
        ...{ identity: identity(index + 1), sealingPoint },
      })),
    ];
    const removed = [identity(2)];
    const next = withoutMembers(record, { removed, recipients, now: NOW });
    assert.equal(next.envelopes.length, MAX_ENVELOPES);
    assert.ok(!next.envelopes.some(({ to }) => to === identity(0) || to === identity(2)));
    assert.equal(parseSessionRecord(formatSessionRecord(next)).envelopes.length, MAX_ENVELOPES);
  });

  it('is not bound to a time far ahead that a wrong clock has signed', async () => {
    const record = await createSessionRecord('Team', NOW);
    const [hourMs, now] = [3_600_000, NOW.getTime()];
    const issuedAfter = (first: number): number =>
      withRenewedLease(withRenewedLease(record, new Date(now + first)), NOW).statement.statement
        .issuedMs;
    assert.equal(issuedAfter(400 * 24 * hourMs), now);
    // Clocks that differ a little never let a lease end earlier than it was said to.
    assert.equal(issuedAfter(hourMs), now + hourMs);
  });

  it('has a name of a bounded length', async () => {
    await rejectsWith('INVALID_ARGUMENT', createSessionRecord(' ', NOW));
    await rejectsWith('INVALID_ARGUMENT', createSessionRecord('ố'.repeat(100), NOW));
  });
});
