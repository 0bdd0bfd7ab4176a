import { foldedName } from './foldedName';

/** Configuration that mostly holds passwords or tokens: of package managers, clouds, databases. */
const SECRET_FILES: ReadonlySet<string> = new Set([
  '.boto',
  '.dockercfg',
  '.git-credentials',
  '.htpasswd',
  '.my.cnf',
  '.netrc',
  '.npmrc',
  '.pgpass',
  '.pypirc',
  '.s3cfg',
  '.terraformrc',
  '.vault-token',
  '.yarnrc',
  '.yarnrc.yml',
  '_netrc',
  'auth.json',
  'kubeconfig',
  'nuget.config',
  'pip.conf',
  'pip.ini',
  'settings-security.xml',
  'terraform.rc',
]);

/** Keys, key stores, and the state of tools that holds them. */
const SECRET_ENDINGS: readonly string[] = [
  '.agekey',
  '.env',
  '.jks',
  '.kdbx',
  '.key',
  '.keystore',
  '.keytab',
  '.kubeconfig',
  '.ovpn',
  '.p12',
  '.p8',
  '.pem',
  '.pfx',
  '.ppk',
  '.tfstate',
  '.tfstate.backup',
  '.tfvars',
];

/** Folders of which every file is one. */
const SECRET_FOLDERS: ReadonlySet<string> = new Set([
  '.aws',
  '.azure',
  '.gnupg',
  '.kube',
  '.password-store',
  '.ssh',
  'gcloud',
]);

/** Files that are ones in their folder only. */
const IN_FOLDER: readonly (readonly [folder: string, file: RegExp])[] = [
  ['.docker', /^config\.json$/u],
  ['.m2', /^settings\.xml$/u],
  ['gh', /^hosts\.ya?ml$/u],
];

const PRIVATE_KEY = /^id_(?:rsa|dsa|ecdsa|ed25519)(?:_sk)?(?:[._-].*)?$/u;
const SERVICE_ACCOUNT = /^(?:service[._-]?account|client[._-]secret).*\.json$/u;
/** Words in a name, between dots, hyphens and underscores. */
const SECRET_WORD =
  /(?:^|[._-])(?:credentials?|secrets?|tokens?|passwords?|passwd|(?:api|access|private)[._-]?keys?)(?:[._-]|$)/u;
/** Endings of what holds data: a program with such a word in its name is about secrets. */
const DATA_ENDING =
  /(?:^[^.]*|^\.[^.]*|\.(?:cfg|conf|config|csv|db|enc|ini|json|properties|toml|txt|xml|ya?ml))$/u;

/**
 * Whether a file at this path, relative or absolute, may hold a password, a token or a private key, as
 * far as its name and its folders say. Both separators count, as a name may come from another system.
 */
export function looksLikeSecret(path: string): boolean {
  const parts = path.split(/[\\/]/u).map(foldedName);
  const base = parts.pop() ?? '';
  const parent = parts.at(-1);
  if (parts.some((folder) => SECRET_FOLDERS.has(folder))) return true;
  if (IN_FOLDER.some(([folder, file]) => folder === parent && file.test(base))) return true;
  return isSecretFile(base);
}

function isSecretFile(base: string): boolean {
  if (base.startsWith('.env') || SECRET_FILES.has(base)) return true;
  if (SECRET_ENDINGS.some((ending) => base.endsWith(ending))) return true;
  if (PRIVATE_KEY.test(base)) return !base.endsWith('.pub');
  return SERVICE_ACCOUNT.test(base) || (SECRET_WORD.test(base) && DATA_ENDING.test(base));
}
