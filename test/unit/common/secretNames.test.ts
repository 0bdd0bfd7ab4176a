import { strict as assert } from 'node:assert';
import { COPY_MARKS, SECRET_FILES } from '../../../src/common/secretFiles';
import { looksLikeSecret } from '../../../src/common/secretNames';

const SECRETS = [
  '.env',
  'app/.env.local',
  '.ENV.Production',
  '.env. ',
  '.en\u200bv',
  '.envrc',
  'prod.env',
  'id_rsa',
  'keys/id_ed25519',
  'ID_RSA.bak',
  'server.pem',
  'tls\\Server.KEY',
  'cert.p12',
  'store.jks.',
  '.npmrc',
  '.netrc',
  '_netrc',
  '.pypirc',
  '.git-credentials',
  '.aws/credentials',
  '/home/u/.aws/config',
  '.ssh/known_hosts',
  '.kube/config',
  'kubeconfig',
  '.docker/config.json',
  '.config/gh/hosts.yml',
  '.config/gcloud/x.db',
  '.m2/settings.xml',
  'terraform.tfstate',
  'terraform.tfstate.backup',
  'prod.tfvars',
  'credentials',
  'credentials.json',
  'client_secret_123.json',
  'service-account.json',
  'my-service.secrets.yaml',
  'access_token.txt',
  'passwords.csv',
  'api-key.txt',
  '.token',
  ...['wg0.conf', 'wp-config.php', 'appsettings.json', 'local.settings.json', 'database.yml'],
  ...['.bash_history', 'cookies.sqlite', 'key4.db', 'logins.json', 'Login Data', 'wallet.dat'],
  ...['secring.gpg', 'my.asc', 'rclone.conf', '.mylogin.cnf', 'deploy_key', 'gha-creds-1a2b.json'],
  ...['firebase-adminsdk-x1.json', 'kubeconfig.yaml', 'prod.auto.tfvars.json', '.vault_pass'],
  ...['terraform.tfstate.1700000000.backup', 'mnemonic.txt', 'recovery-codes.txt', 'x.1pux'],
  ...['Passwords.xlsx', 'lastpass.csv', '.claude.json', 'env.production', 'core.1234', 'x.har'],
];

/** Copies of what is a secret itself, as programs, systems and people name them. */
const COPIES = [
  ...[
    'id_rsa~',
    'id_rsa (2)',
    'id_rsa copy',
    'id_rsa copy 2',
    'id_rsa - Copy',
    'id_rsa - Copy (3)',
  ],
  ...[
    '.env.swp',
    '#.env#',
    '.#.env',
    '.id_rsa.swp',
    'server.key.orig',
    'server.key.bak',
    'server.key.1',
  ],
  ...[
    'server.pem~',
    'server (1).pem',
    'server copy.pem',
    'Copy of credentials.json',
    'kubeconfig.old',
  ],
  ...['credentials (1).json', 'credentials - Copy.json', 'wallet.dat.20261130', 'server.key.bak.1'],
  ...['id_ed25519 - Sao chép', 'wp-config.php.save', 'wp-config.php.bak.gz', 'server.key.orig~'],
  ...['.netrc_backup', 'logins-backup.json', '~$Passwords.xlsx'],
];

const OTHERS = [
  'readme.md',
  'environment.ts',
  'src/env.ts',
  'id_rsa.pub',
  'keyboard.ts',
  'tokenBucket.ts',
  'token.ts',
  'secretNames.test.ts',
  'docs/secrets.md',
  'docker/config.json',
  'config.json',
  'settings.xml',
  'credentials/readme.md',
  'monkey.png',
  'notes copy.md',
  'photo (1).jpg',
  'report.docx.bak',
  'id_rsa.pub.bak',
  'main.ts~',
  'score.md',
  'core/index.ts',
  'kube/config',
  '',
];

describe('looksLikeSecret', () => {
  it('knows what may hold keys, passwords and tokens, however it is spelt', () => {
    for (const name of SECRETS) assert.equal(looksLikeSecret(name), true, name);
  });

  it('knows copies of them', () => {
    for (const name of COPIES) assert.equal(looksLikeSecret(name), true, name);
    // Each mark on its own: `$` in place of what follows the name.
    for (const name of [
      'server.key~',
      '#server.key#',
      '.#server.key',
      'server.key.swp',
      'server.key.old',
    ])
      assert.equal(looksLikeSecret(name), true, name);
    for (const [, reason] of COPY_MARKS) assert.ok(reason.length > 5);
  });

  it('has a reason and an example for every line of its table', () => {
    const all = SECRET_FILES.flatMap(([patterns]) => patterns.split(' '));
    assert.deepEqual(
      all.filter((pattern, index) => all.indexOf(pattern) !== index),
      [],
    );
    for (const [patterns, reason] of SECRET_FILES) {
      assert.ok(reason.length > 5, patterns);
      for (const pattern of patterns.split(' ')) {
        const example = pattern.replaceAll('*', 'x').replaceAll('?', '1').replace(/\/$/u, '/x');
        assert.equal(looksLikeSecret(`deep/${example}`), true, example);
      }
    }
  });

  it('leaves everything else alone', () => {
    for (const name of OTHERS) assert.equal(looksLikeSecret(name), false, name);
  });
});
