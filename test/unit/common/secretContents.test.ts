// No token stands in this source as a whole: scanners of secrets look for them.
/* oxlint-disable typescript/no-unnecessary-template-expression */
import { strict as assert } from 'node:assert';
import { generateKeyPairSync } from 'node:crypto';
import { JSON_MARK } from '../../../src/common/jsonFile';
import { MAX_LOOKED_INTO_BYTES } from '../../../src/peer/publish/fileVerdict';
import { SECRET_CONTENTS, secretIn } from '../../../src/common/secretContents';

const text = (length: number, alphabet = 'aB3dE5gH7jK9'): string =>
  alphabet.repeat(length).slice(0, length);
const hex = (length: number): string => text(length, '0a1b2c3d');
const upper = (length: number): string => text(length, 'A2B3C4D5');

/** Put together, so that no scanner takes this file for a leak. */
const SECRETS: readonly string[] = [
  `-----BEGIN ${'PRIVATE'} KEY-----\\n${text(64)}\\n`,
  `-----BEGIN OPENSSH ${'PRIVATE'} KEY-----\n${text(70)}\n`,
  `-----BEGIN PGP ${'PRIVATE'} KEY BLOCK-----\nVersion: x\n\n${text(64)}\n`,
  `MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg${text(124)}`,
  'PuTTY-User-Key-File-3: ssh-ed25519\n',
  `AGE-SECRET-KEY-1${upper(58)}`,
  `[Interface]\nPrivateKey = ${text(43)}=\n`,
  `key: ${'AKIA'}${upper(16)}`,
  `aws_secret_access_key = ${text(40)}`,
  `token=${'ghp'}_${text(36)}`,
  `${'github'}_pat_${text(82)}`,
  `${'glpat'}-${text(20)}`,
  `${'xoxb'}-123456789012-${text(24)}`,
  `https://${'hooks'}.slack.com/services/T12345678/B12345678/${text(24)}`,
  `${'npm'}_${text(36)}`,
  `//registry.example/:${'_auth'}Token=${text(36)}`,
  `${'pypi'}-AgEIcHlwaS5vcmc${text(60)}`,
  `${'AIza'}${text(35)}`,
  `${'GOCSPX'}-${text(28)}`,
  `${'sk'}_live_${text(24)}`,
  `${'sk'}-proj-${text(48)}`,
  `${'sk'}-ant-api03-${text(80)}`,
  `${'sk'}-${text(48)}`,
  `${'hf'}_${text(34)}`,
  `${'SG'}.${text(22)}.${text(43)}`,
  `AccountKey=${text(86)}==`,
  `123456789:AA${text(33)}`,
];

const OWN: readonly string[] = [
  JSON.stringify({ ...JSON_MARK, version: 2 }),
  `peershelf://join/${text(80)}\n`,
  `vscode://peershelf.peershelf/join?invite=${text(80)}`,
  `vscode://peershelf.peershelf/join?invite%3D${text(80)}`,
  JSON.stringify({ certificate: text(200), privateKey: text(180), tokenHash: hex(64) }),
  JSON.stringify(
    {
      name: 'x',
      team: { key: text(43) },
      tracker: { certificate: text(200), privateKey: text(180) },
    },
    undefined,
    2,
  ),
];

const OTHERS: readonly string[] = [
  '',
  'A file begins with -----BEGIN PRIVATE KEY----- and ends with -----END PRIVATE KEY-----.',
  'peershelf://join/… is an invite; peershelf://join/ begins it',
  `${'AKIA'}IOSFODNN7EXAMPLE`,
  'aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
  '//registry.npmjs.org/:_authToken=${NPM_TOKEN}',
  '-----BEGIN CERTIFICATE-----\n' + text(64),
  '-----BEGIN PUBLIC KEY-----\n' + text(64),
  'sk-button-primary-large-with-a-very-long-class-name-of-a-style',
  'password = "${PASSWORD}"',
  'postgres://user:password@localhost/db',
  `eyJhbGciOiJIUzI1NiJ9.${text(40)}.${text(43)}`,
];

describe('secretIn', () => {
  it('knows keys and tokens by their spelling', () => {
    for (const secret of SECRETS) {
      assert.equal(secretIn(Buffer.from(secret)), 'secret', secret);
      assert.equal(secretIn(Buffer.from(`before\n${secret}\nafter`)), 'secret', secret);
    }
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' });
    assert.equal(secretIn(Buffer.from(pem)), 'secret');
  });

  it('knows what this product writes', () => {
    for (const own of OWN) assert.equal(secretIn(Buffer.from(own)), 'own', own);
  });

  it('reads what Windows PowerShell writes', () => {
    const [own = ''] = OWN;
    const little = Buffer.from(`\ufeff${own}`, 'utf16le');
    assert.equal(secretIn(little), 'own');
    assert.equal(secretIn(Buffer.from(little).swap16()), 'own');
    assert.equal(secretIn(little.subarray(2)), 'own', 'without a mark');
  });

  it('leaves texts about secrets and other files alone', () => {
    for (const other of OTHERS) assert.equal(secretIn(Buffer.from(other)), undefined, other);
    assert.equal(secretIn(Buffer.from(`\0\0${SECRETS[0]}`)), undefined);
  });

  it('has an example for every line', () => {
    const examples = [...SECRETS, ...OWN];
    for (const [, pattern, reason] of SECRET_CONTENTS)
      assert.ok(
        examples.some((example) => pattern.test(example)),
        reason,
      );
  });

  it('takes little time for long texts that almost match', () => {
    for (const start of [
      '-----BEGIN PRIVATE KEY-----',
      '"privateKey": "',
      'A',
      'sk-',
      '1',
      'PrivateKey ',
      'peershelf://join/',
    ])
      assert.equal(
        secretIn(Buffer.from(start.repeat(MAX_LOOKED_INTO_BYTES / start.length))),
        undefined,
        start,
      );
  }).timeout(10_000);
});
