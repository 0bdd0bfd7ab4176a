import { strict as assert } from 'node:assert';
import {
  createHash,
  createPrivateKey,
  createSecretKey,
  type KeyObject,
  X509Certificate,
} from 'node:crypto';
import { readIdentity } from '../../../src/protocol/certificate';
import {
  type HostRecord,
  openHostRecord,
  sealHostRecord,
  type SealedHostRecord,
} from '../../../src/protocol/hostRecord';
import { sealingPointOf } from '../../../src/protocol/envelope';
import { MAX_CERTIFICATE_BYTES, MAX_HOST_RECORD_CHARACTERS } from '../../../src/protocol/limits';
import { isSigned, signText } from '../../../src/protocol/signedText';
import { deriveTeamKeys } from '../../../src/protocol/teamKeys';
import { certificateFor } from '../../support/otherCurve';
import { newTeam } from '../../support/teams';
import identities from '../../fixtures/identities.json';

const keyOf = (privateKey: string): KeyObject =>
  createPrivateKey({ key: Buffer.from(privateKey, 'base64'), format: 'der', type: 'pkcs8' });

const team = newTeam();
const { membershipKey } = deriveTeamKeys(team);

function secretsOf(who: keyof typeof identities) {
  const { certificate, privateKey } = identities[who];
  return { certificate, privateKey: keyOf(privateKey), membershipKey };
}

function recordOf(who: keyof typeof identities, change: Partial<HostRecord> = {}): HostRecord {
  return {
    teamId: team.id,
    hostname: 'alice',
    displayName: 'Alice Nguyễn',
    fingerprint: readIdentity(identities[who].certificate)?.fingerprint ?? '',
    instance: 'window-1',
    sealingPoint: sealingPointOf(keyOf(identities[who].privateKey)),
    sequence: 7,
    timeMs: 1_700_000_000_000,
    ...change,
  };
}

function assertIsAlice(opened: ReturnType<typeof openHostRecord>): void {
  if (opened !== undefined) assert.deepEqual(opened.record, recordOf('alice'));
}

const open = (sealed: SealedHostRecord) => openHostRecord(sealed, { id: team.id, membershipKey });

describe('host records', () => {
  const sealed = sealHostRecord(recordOf('alice'), secretsOf('alice'));

  it('with a sealing key that is no point of the curve are no records', () => {
    const change = { sealingPoint: 'A'.repeat(44) };
    assert.equal(open(sealHostRecord(recordOf('alice', change), secretsOf('alice'))), undefined);
  });

  it('of a member are opened as they were sealed, with the key of the host', () => {
    const opened = open(sealed);
    assert.deepEqual(opened?.record, recordOf('alice'));
    const entry = signText('entry', 'x', secretsOf('alice').privateKey);
    assert.ok(isSigned('entry', entry, opened.identity.publicKey));
  });

  it('are not believed when a letter of anything is another one', () => {
    for (const member of ['text', 'signature', 'mac', 'certificate'] as const) {
      const value = sealed[member];
      // The last letter of base64 may hold bits that say nothing.
      for (let index = 0; index < value.length - 1; index += 1) {
        const other = value.charAt(index) === 'A' ? 'B' : 'A';
        const changed = `${value.slice(0, index)}${other}${value.slice(index + 1)}`;
        const opened = open({ ...sealed, [member]: changed });
        // Of the certificate only the key counts: who it is stays the same, or nobody.
        if (member === 'certificate') assertIsAlice(opened);
        else assert.equal(opened, undefined, `${member} ${index}`);
      }
    }
  });

  it('need the membership key, which a tracker does not have', () => {
    const stranger = { ...secretsOf('alice'), membershipKey: createSecretKey(Buffer.alloc(32, 1)) };
    assert.equal(open(sealHostRecord(recordOf('alice'), stranger)), undefined);
    assert.equal(open({ ...sealed, mac: '' }), undefined);
  });

  it('are signed by the key of their own certificate, even among members', () => {
    const { certificate } = identities.mallory;
    assert.equal(open({ ...sealed, certificate }), undefined, 'another certificate');
    const asAlice = sealHostRecord(recordOf('alice'), secretsOf('mallory'));
    assert.equal(open(asAlice), undefined, 'the fingerprint of another one');
    const mixed = { ...secretsOf('mallory'), certificate: identities.alice.certificate };
    assert.equal(open(sealHostRecord(recordOf('alice'), mixed)), undefined, 'another key');
    assert.ok(open(sealHostRecord(recordOf('mallory'), secretsOf('mallory'))), 'its own');
  });

  it('belong to their team', () => {
    const other = recordOf('alice', { teamId: newTeam().id });
    assert.equal(open(sealHostRecord(other, secretsOf('alice'))), undefined);
  });

  it('say what a host record says, however well they are signed', () => {
    const wrong: Partial<HostRecord>[] = [
      { hostname: '' },
      { hostname: 'a\nb' },
      { displayName: '\ud800' },
      { instance: 'x'.repeat(1_025) },
      { sequence: -1 },
      { sequence: 1.5 },
      { timeMs: Number.NaN },
      { displayName: 'x'.repeat(MAX_HOST_RECORD_CHARACTERS) },
    ];
    for (const change of wrong)
      assert.equal(
        open(sealHostRecord(recordOf('alice', change), secretsOf('alice'))),
        undefined,
        JSON.stringify(change).slice(0, 80),
      );
  });

  it('have signatures that are for hosts alone', () => {
    const { text } = sealed;
    const { signature } = signText('entry', text, secretsOf('alice').privateKey);
    assert.equal(open({ ...sealed, signature }), undefined);
  });
});

describe('identities', () => {
  const { certificate } = identities.alice;

  it('are those of the key, whatever certificate it has', async () => {
    const { publicKey } = new X509Certificate(Buffer.from(certificate, 'base64'));
    const spki = publicKey.export({ type: 'spki', format: 'der' });
    const expected = createHash('sha256').update(spki).digest('hex');
    assert.equal(readIdentity(certificate)?.fingerprint, expected);
    const again = await certificateFor(identities.alice.privateKey);
    assert.notEqual(again, certificate);
    assert.equal(readIdentity(again)?.fingerprint, expected);
  });

  it('are certificates of P-256, and nothing else', () => {
    const der = Buffer.from(certificate, 'base64');
    const wrong = {
      'another curve': identities.otherCurve.certificate,
      'more behind it': Buffer.concat([der, Buffer.from([0])]).toString('base64'),
      'less of it': der.subarray(0, -1).toString('base64'),
      'no base64': `-----${certificate}`,
      'a line feed': `${certificate}\n`,
      nothing: '',
      'much more': Buffer.alloc(MAX_CERTIFICATE_BYTES + 1).toString('base64'),
    };
    for (const [what, text] of Object.entries(wrong))
      assert.equal(readIdentity(text), undefined, what);
  });
});
