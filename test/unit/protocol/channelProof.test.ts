import { strict as assert } from 'node:assert';
import { createHmac, createSecretKey } from 'node:crypto';
import { readOwnIdentity } from '../../../src/protocol/certificate';
import {
  isMembershipProven,
  isRegistrationSigned,
  proveMembership,
  signRegistration,
} from '../../../src/protocol/channelProof';
import { signText } from '../../../src/protocol/signedText';
import identities from '../../fixtures/identities.json';
import { storedIdentity } from '../../support/identities';
import { throwsWith } from '../../support/rejectsWith';

describe('proofs for one connection', () => {
  it('of a registration hold for its connection, hostname, instance and key', () => {
    const [own, other] = [storedIdentity('alice'), storedIdentity('mallory')];
    const { privateKey } = own;
    const claim = { exporter: Buffer.alloc(32, 1), hostname: 'alice', instance: 'a' };
    const signature = signRegistration(claim, privateKey);
    assert.equal(isRegistrationSigned(claim, signature, own.publicKey), true);
    assert.equal(isRegistrationSigned(claim, signature, other.publicKey), false);
    const changes = [{ exporter: Buffer.alloc(32, 2) }, { hostname: 'bob' }, { instance: 'b' }];
    for (const change of changes)
      assert.equal(isRegistrationSigned({ ...claim, ...change }, signature, own.publicKey), false);
    const text = JSON.stringify({ ...claim, exporter: '01'.repeat(32) });
    const entry = signText('entry', text, privateKey).signature;
    assert.equal(isRegistrationSigned(claim, entry, own.publicKey), false);
  });

  it('of membership hold for both ends of their connection, and only with the key', () => {
    const key = createSecretKey(Buffer.alloc(32, 7));
    const claim = {
      exporter: Buffer.alloc(32, 1),
      clientFingerprint: 'aa'.repeat(32),
      serverFingerprint: 'bb'.repeat(32),
    };
    const proof = proveMembership(claim, key);
    assert.equal(isMembershipProven(claim, proof, key), true);
    const changes = [
      { exporter: Buffer.alloc(32, 2) },
      { clientFingerprint: claim.serverFingerprint },
      { serverFingerprint: claim.clientFingerprint },
    ];
    for (const change of changes)
      assert.equal(isMembershipProven({ ...claim, ...change }, proof, key), false);
    assert.equal(isMembershipProven(claim, proof, createSecretKey(Buffer.alloc(32, 8))), false);
    const damaged = [undefined, '', proof.slice(1), proof.slice(0, -1), `${proof}A`, 'Peershelf '];
    for (const header of damaged) assert.equal(isMembershipProven(claim, header, key), false);
  });

  it('are made as docs/PROTOCOL.md says', () => {
    const claim = {
      exporter: Buffer.alloc(32, 1),
      clientFingerprint: 'aa'.repeat(32),
      serverFingerprint: 'bb'.repeat(32),
    };
    const text =
      'peershelf 2 member\0' +
      `{"role":"client","client":"${'aa'.repeat(32)}","server":"${'bb'.repeat(32)}",` +
      `"exporter":"${'01'.repeat(32)}"}`;
    const mac = createHmac('sha256', Buffer.alloc(32, 7)).update(text).digest('base64url');
    assert.equal(proveMembership(claim, createSecretKey(Buffer.alloc(32, 7))), `Peershelf ${mac}`);
  });
});

describe('an own identity', () => {
  it('is a certificate with its own key', () => {
    const { alice, mallory, otherCurve } = identities;
    assert.equal(
      readOwnIdentity(alice.certificate, alice.privateKey).certificate,
      alice.certificate,
    );
    for (const [certificate, key] of [
      [alice.certificate, mallory.privateKey],
      [otherCurve.certificate, otherCurve.privateKey],
      [alice.certificate, ''],
      ['', alice.privateKey],
    ] as const)
      throwsWith('INVALID_ARGUMENT', () => readOwnIdentity(certificate, key));
  });
});
