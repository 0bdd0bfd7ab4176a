import { strict as assert } from 'node:assert';
import { createSecretKey } from 'node:crypto';
import { openCharter, ownerOf, signCharter } from '../../../src/protocol/charter';
import { openEnvelope, sealEnvelope, sealingPointOf } from '../../../src/protocol/envelope';
import { identityOf, publicKeyOf } from '../../../src/protocol/p256';
import { admits, Removals } from '../../../src/protocol/removals';
import { signText } from '../../../src/protocol/signedText';
import {
  bundleMembers,
  openStatement,
  readBundle,
  signStatement,
  type Statement,
} from '../../../src/protocol/statement';
import { commitmentOf, createTeamKey, type TeamEpoch } from '../../../src/protocol/teamKeys';
import { storedIdentity } from '../../support/identities';
import { newKeyPair, newStatement } from '../../support/teams';
import {
  CHARTER_VECTOR,
  ENVELOPE_VECTOR,
  STATEMENT_VECTOR,
  TEAM_VECTOR,
} from '../../support/teamVector';

const alice = storedIdentity('alice');
const mallory = storedIdentity('mallory');
const root = alice.publicKey;
const EPOCH: TeamEpoch = {
  ...{ id: TEAM_VECTOR.teamId, charterNumber: 0, epoch: 3 },
  key: createSecretKey(TEAM_VECTOR.teamKey, 'hex'),
};
const COMMITTED = { ...EPOCH, commitment: TEAM_VECTOR.commitment };
const MEMBER = { identity: mallory.fingerprint, privateKey: mallory.privateKey };
const charterVector = {
  bytes: Buffer.from(CHARTER_VECTOR.bytes, 'base64url'),
  signature: Buffer.from(CHARTER_VECTOR.signature, 'base64url'),
};

describe('charters', () => {
  it('are read from the test vector', () => {
    const charter = openCharter(charterVector, root);
    assert.equal(charter?.number, 1);
    const owners = charter.owners.map(identityOf);
    assert.deepEqual(owners, [alice.fingerprint, mallory.fingerprint]);
    assert.ok(ownerOf(charter, mallory.fingerprint)?.equals(mallory.publicKey));
    assert.equal(ownerOf(charter, 'ab'.repeat(32)), undefined);
  });

  it('count only as the root key has signed them', () => {
    assert.equal(openCharter(charterVector, mallory.publicKey), undefined);
    for (let index = 0; index < charterVector.bytes.length; index += 1) {
      const bytes = Buffer.from(charterVector.bytes);
      bytes.writeUInt8(bytes.readUInt8(index) ^ 1, index);
      assert.equal(openCharter({ ...charterVector, bytes }, root), undefined, `${index}`);
    }
    const own = signCharter({ number: 9, owners: [mallory.publicKey] }, mallory.privateKey);
    assert.equal(openCharter(own, root), undefined);
  });
});

describe('statements', () => {
  const { text, signature, hash } = STATEMENT_VECTOR;
  const bundle = { statement: { text, signature } };

  it('are read from the test vector, and written as they were', () => {
    const opened = openStatement(bundle, root);
    assert.equal(opened?.hash, hash);
    const { statement } = opened;
    assert.deepEqual([statement.sequence, statement.epoch], [7, 3]);
    assert.equal(statement.commitment, TEAM_VECTOR.commitment);
    const removed = { identity: 'cd'.repeat(32), charterNumber: 0, sequence: 7 };
    assert.deepEqual(statement.removed, [removed]);
    assert.equal(signStatement(statement, alice.privateKey).text, text);
    assert.deepEqual(readBundle(JSON.parse(JSON.stringify(bundleMembers(bundle)))), bundle);
  });

  it('count only when an owner of their charter has signed them', () => {
    const part: Partial<Statement> = { teamId: TEAM_VECTOR.teamId, charterNumber: 1 };
    const signed = (by: typeof alice, more: Partial<Statement> = {}) => {
      const ownerId = identityOf(by.publicKey);
      const { statement } = newStatement(newKeyPair());
      return signStatement({ ...statement, ...part, ownerId, ...more }, by.privateKey);
    };
    const charter = charterVector;
    assert.ok(openStatement({ statement: signed(mallory), charter }, root), 'the second owner');
    const stranger = { ...alice, ...newKeyPair() };
    const wrong = {
      'no owner': { statement: signed(stranger), charter },
      'another name': { statement: signed(mallory, { ownerId: alice.fingerprint }), charter },
      'no charter': { statement: signed(mallory) },
      'another charter': { statement: signed(mallory, { charterNumber: 2 }), charter },
      'another team': { statement: signed(mallory, { teamId: 'ab'.repeat(32) }), charter },
      'another kind': { statement: signText('entry', text, alice.privateKey) },
      'another letter': { statement: { text: text.replace('"seq":7', '"seq":8'), signature } },
    };
    for (const [what, one] of Object.entries(wrong))
      assert.equal(openStatement(one, root), undefined, what);
  });

  it('say who was removed whatever order they come in', () => {
    const [one, two] = ['11'.repeat(32), '22'.repeat(32)];
    const at = (identity: string, sequence: number, charterNumber = 0) => ({
      ...{ identity, sequence, charterNumber },
    });
    const first = { removed: [at(one, 2)], readmitted: [] };
    const second = { removed: [at(two, 3)], readmitted: [at(one, 3)] };
    for (const order of [
      [first, second],
      [second, first],
    ]) {
      const removals = new Removals();
      for (const said of order) removals.add(said);
      assert.deepEqual([removals.isRemoved(one), removals.isRemoved(two)], [false, true]);
    }
    const known = new Removals();
    known.add(first);
    const { statement } = newStatement(newKeyPair());
    assert.equal(known.isCoveredBy({ ...statement, ...first }), true);
    assert.equal(known.isCoveredBy({ ...statement, ...second }), true, 'readmitted later');
    assert.equal(known.isCoveredBy(statement), false);
    assert.equal(known.isCoveredBy({ ...statement, charterNumber: 1 }), true, 'the root decides');
    const tie = new Removals();
    tie.add({ removed: [], readmitted: [at(one, 2)] });
    tie.add(first);
    assert.equal(tie.isRemoved(one), true, 'of one rank the removal counts');
    assert.equal(admits({ ...statement, ...first }, one), false);
    assert.equal(admits({ ...statement, admission: 'listed', members: [two] }, one), false);
    assert.equal(admits({ ...statement, admission: 'listed', members: [two] }, two), true);
  });
});

describe('envelopes', () => {
  const { member: to, sealingPoint, key, sealed } = ENVELOPE_VECTOR;
  const vector = { to, key, sealed };

  it('are opened as another implementation has sealed them', () => {
    assert.equal(commitmentOf(EPOCH), TEAM_VECTOR.commitment);
    assert.equal(sealingPointOf(mallory.privateKey), sealingPoint);
    const opened = openEnvelope(vector, COMMITTED, MEMBER);
    assert.ok(opened?.key.equals(EPOCH.key));
    const own = sealEnvelope(EPOCH, { identity: to, sealingPoint });
    assert.notEqual(own.key, key, 'with another key each time');
    assert.ok(openEnvelope(own, COMMITTED, MEMBER)?.key.equals(EPOCH.key));
  });

  it('open nothing elsewhere, for nobody else, and with no other key', () => {
    const other = sealEnvelope({ ...EPOCH, key: createTeamKey() }, { identity: to, sealingPoint });
    const wrong = {
      'of another epoch': [vector, { ...COMMITTED, epoch: 4 }, MEMBER],
      'of another charter': [vector, { ...COMMITTED, charterNumber: 1 }, MEMBER],
      'of another team': [vector, { ...COMMITTED, id: 'ab'.repeat(32) }, MEMBER],
      'with another commitment': [vector, { ...COMMITTED, commitment: 'ab'.repeat(32) }, MEMBER],
      'with a key that nobody has committed to': [other, COMMITTED, MEMBER],
      'of somebody else': [
        vector,
        COMMITTED,
        { identity: alice.fingerprint, privateKey: alice.privateKey },
      ],
      'addressed anew': [
        { ...vector, to: alice.fingerprint },
        COMMITTED,
        { identity: alice.fingerprint, privateKey: alice.privateKey },
      ],
      'with a point off the curve': [
        { ...vector, key: Buffer.alloc(33, 5).toString('base64url') },
        COMMITTED,
        MEMBER,
      ],
      'changed in one letter': [
        {
          ...vector,
          sealed: `${sealed.slice(0, 9)}${sealed[9] === 'A' ? 'B' : 'A'}${sealed.slice(10)}`,
        },
        COMMITTED,
        MEMBER,
      ],
    } as const;
    for (const [what, [envelope, epoch, member]] of Object.entries(wrong))
      assert.equal(openEnvelope(envelope, epoch, member), undefined, what);
    assert.equal(publicKeyOf(Buffer.alloc(33, 5)), undefined);
  });
});
