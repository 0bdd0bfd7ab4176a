import { strict as assert } from 'node:assert';
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
  'kube/config',
  '',
];

describe('looksLikeSecret', () => {
  it('knows what may hold keys, passwords and tokens, however it is spelt', () => {
    for (const name of SECRETS) assert.equal(looksLikeSecret(name), true, name);
  });

  it('leaves everything else alone', () => {
    for (const name of OTHERS) assert.equal(looksLikeSecret(name), false, name);
  });
});
