import { strict as assert } from 'node:assert';
import { createHmac, createSecretKey } from 'node:crypto';
import fc from 'fast-check';
import { readIdentity } from '../../../src/protocol/certificate';
import {
  isMembershipProven,
  isRegistrationSigned,
  proveMembership,
  signRegistration,
} from '../../../src/protocol/channelProof';
import { sealingPointOf } from '../../../src/protocol/envelope';
import {
  openHostRecord,
  sealHostRecord,
  type SealedHostRecord,
} from '../../../src/protocol/hostRecord';
import { opaqueNameProblem } from '../../../src/protocol/names';
import { type Entry, openEntry, signEntry } from '../../../src/protocol/signedEntry';
import { labelled, signText } from '../../../src/protocol/signedText';
import { storedIdentity } from '../../support/identities';
import { type FuzzTarget, orRefused } from '../fuzzTarget';
import { anyText, mutated } from '../mutation';

const alice = storedIdentity('alice');
const TEAM = {
  id: '0123456789abcdef'.repeat(4),
  membershipKey: createSecretKey(Buffer.alloc(32, 7)),
};
const HOST = {
  ...{ teamId: TEAM.id, hostname: 'alice', displayName: 'Alice', instance: 'w' },
  ...{ fingerprint: alice.fingerprint, sealingPoint: sealingPointOf(alice.privateKey) },
  ...{ sequence: 5, timeMs: 1_700_000_000_000 },
};
const SEALED = sealHostRecord(HOST, { ...alice, membershipKey: TEAM.membershipKey });
const PLACE = { teamId: TEAM.id, hostname: 'alice', name: 'a.txt', publicKey: alice.publicKey };
const ENTRY: Entry = {
  ...{ teamId: TEAM.id, hostname: 'alice', name: 'a.txt', version: 1, sequence: 2, note: '' },
  ...{ contentId: { root: 'ab'.repeat(32), sizeBytes: 5 }, state: 'published', timeMs: 1 },
};
const SIGNED = signEntry(ENTRY, alice.privateKey);
const OPENED = openEntry(SIGNED, PLACE);

const maybe = (text: string): fc.Arbitrary<string> =>
  fc.oneof({ weight: 3, arbitrary: fc.constant(text) }, mutated(fc.constant(text)), anyText());

/** What an honest host has signed, changed on the way: refused, or it says the same. */
export const changedRecords: FuzzTarget = {
  name: 'changed-records',
  share: 10,
  property: () => {
    const sealed = fc.record({
      text: maybe(SEALED.text),
      signature: maybe(SEALED.signature),
      mac: maybe(SEALED.mac),
      certificate: maybe(SEALED.certificate),
    });
    const signed = fc.record({ text: maybe(SIGNED.text), signature: maybe(SIGNED.signature) });
    return fc.property(sealed, signed, (host, entry) => {
      const record = orRefused([], () => openHostRecord(host, TEAM))?.record;
      if (record !== undefined) assert.deepEqual(record, HOST);
      const opened = orRefused([], () => openEntry(entry, PLACE));
      if (opened !== undefined) assert.deepEqual(opened, OPENED);
      const identity = orRefused([], () => readIdentity(host.certificate));
      // The key alone says whose it is: another byte of the certificate changes nothing, or the key.
      const isSameKey = identity?.publicKey.equals(alice.publicKey) === true;
      assert.equal(identity?.fingerprint === alice.fingerprint, isSameKey);
    });
  },
};

/** What a member signs that means no good: it is read without harm, and says nothing of others. */
export const forgedRecords: FuzzTarget = {
  name: 'forged-records',
  share: 5,
  property: () => {
    const host = fc.oneof(mutated(fc.constant(SEALED.text)), fc.json(), anyText());
    const entry = fc.oneof(mutated(fc.constant(SIGNED.text)), fc.json(), anyText());
    return fc.property(host, entry, (hostText, entryText) => {
      const record = orRefused([], () => openHostRecord(sealedByMember(hostText), TEAM))?.record;
      if (record !== undefined) {
        assert.equal(record.teamId, TEAM.id);
        assert.equal(record.fingerprint, alice.fingerprint);
        assert.equal(opaqueNameProblem(record.hostname), undefined);
        assert.equal(opaqueNameProblem(record.displayName), undefined);
      }
      const opened = openEntry(signText('entry', entryText, alice.privateKey), PLACE);
      if (opened !== undefined) {
        const { teamId, hostname, name } = opened;
        assert.deepEqual({ teamId, hostname, name, publicKey: PLACE.publicKey }, PLACE);
        assert.ok(opened.note.length <= 500 && opened.version >= 1);
      }
    });
  },
};

function sealedByMember(text: string): SealedHostRecord {
  const mac = createHmac('sha256', TEAM.membershipKey).update(labelled('host', text)).digest();
  return {
    ...signText('host', text, alice.privateKey),
    ...{ certificate: alice.certificate, mac: mac.toString('base64url') },
  };
}

/** Proofs for one connection: nothing but the very claim passes. */
export const proofs: FuzzTarget = {
  name: 'proofs',
  share: 5,
  property: () => {
    const exporter = Buffer.alloc(32, 1);
    const proofKey = createSecretKey(Buffer.alloc(32, 9));
    const member = { exporter, clientFingerprint: 'a', serverFingerprint: 'b' };
    const claim = { exporter, hostname: 'alice', instance: 'w' };
    const [proof, signature] = [
      proveMembership(member, proofKey),
      signRegistration(claim, alice.privateKey),
    ];
    return fc.property(
      maybe(proof),
      maybe(signature),
      maybe('alice'),
      (shown, signed, hostname) => {
        const isProven = orRefused([], () => isMembershipProven(member, shown, proofKey));
        const decoded = (text: string): string =>
          Buffer.from(text.slice(10), 'base64url').toString('hex');
        assert.ok(isProven !== true || decoded(shown) === decoded(proof), shown);
        const isSigned = orRefused([], () =>
          isRegistrationSigned({ ...claim, hostname }, signed, alice.publicKey),
        );
        assert.ok(isSigned !== true || hostname === 'alice', hostname);
      },
    );
  },
};
