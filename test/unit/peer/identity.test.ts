import { strict as assert } from 'node:assert';
import { X509Certificate } from 'node:crypto';
import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createIdentity, openIdentity, parseIdentity } from '../../../src/peer/identity/identity';
import { loadIdentityFile } from '../../../src/peer/identity/identityFile';
import { Cleanup } from '../../../scripts/host/cleanup';
import { rejectsWith, throwsWith } from '../../support/rejectsWith';

const NOW = new Date('2026-01-02T03:04:05Z');

describe('an identity', () => {
  const cleanup = new Cleanup();
  afterEach(() => cleanup.run());

  const newFile = async (): Promise<string> =>
    join(await cleanup.temporaryFolder('peershelf-identity-'), 'own', 'identity.json');

  it('is a new key each time, with a certificate that tells nothing of its owner', async () => {
    const [one, other] = [await createIdentity(NOW), await createIdentity(NOW)];
    assert.notEqual(openIdentity(one).fingerprint, openIdentity(other).fingerprint);
    const certificate = new X509Certificate(Buffer.from(one.certificate, 'base64'));
    assert.equal(certificate.subject, 'CN=peershelf');
    assert.equal(certificate.verify(certificate.publicKey), true);
    assert.equal(new Date(certificate.validFrom).getTime(), NOW.getTime());
  });

  it('is read as it was written, and errors quote nothing of what is none', async () => {
    const stored = await createIdentity(NOW);
    assert.deepEqual(parseIdentity(JSON.stringify(stored)), stored);
    const secret = stored.privateKey.slice(0, -4);
    for (const text of [secret, JSON.stringify({ ...stored, privateKey: secret }), '{}', '']) {
      const error = throwsWith('INVALID_ARGUMENT', () => parseIdentity(text));
      assert.equal(JSON.stringify([error.message, String(error.cause)]).includes(secret), false);
    }
  });

  it('stays in its file, which only its user may read', async () => {
    const file = await newFile();
    const made = await loadIdentityFile(file, NOW);
    if (process.platform !== 'win32') {
      assert.equal(statSync(file).mode & 0o777, 0o600);
      chmodSync(file, 0o644);
    }
    const again = await loadIdentityFile(file, NOW);
    assert.deepEqual(again, made);
    if (process.platform !== 'win32') assert.equal(statSync(file).mode & 0o777, 0o600);
  });

  it('is the same for two that make it at the same time, and leaves nothing behind', async () => {
    const file = await newFile();
    const made = await Promise.all([1, 2, 3].map(() => loadIdentityFile(file, NOW)));
    assert.equal(new Set(made.map(({ certificate }) => certificate)).size, 1);
    assert.deepEqual(readdirSync(join(file, '..')), ['identity.json']);
  });

  it('is not replaced when its file is damaged', async () => {
    const file = await newFile();
    await loadIdentityFile(file, NOW);
    const damaged = readFileSync(file, 'utf8').slice(0, -5);
    writeFileSync(file, damaged);
    await rejectsWith('INVALID_ARGUMENT', loadIdentityFile(file, NOW));
    assert.equal(readFileSync(file, 'utf8'), damaged);
  });
});
