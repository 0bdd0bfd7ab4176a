type Line = readonly [patterns: string, reason: string];

/**
 * One line for each kind of file that mostly holds a password, a token or a private key, with the reason.
 * Patterns are those of `NamePatterns`. What is said of a file holds for copies of it, too.
 */
// prettier-ignore
export const SECRET_FILES: readonly Line[] = [
  ['.ssh/ .gnupg/ .password-store/ .aws/ .azure/ .kube/ gcloud/ .oci/ .bluemix/ .mozilla/ keychains/', 'a folder of keys, tokens or passwords'],
  ['.docker/config.json .m2/settings.xml gh/hosts.yml gh/hosts.yaml .cargo/credentials* .gem/credentials .config/hub .subversion/auth/ .config/op/ doctl/config.yaml .fly/config.yml', 'logins of a tool, in its own folder'],

  ['*.key *.pem *.ppk *.p8 *.p12 *.pfx *.der.key *.pkcs12 *.keystore *.jks *.bks *.keytab *.agekey *.kdbx *.kdb', 'a private key, or a store of them'],
  ['id_rsa* id_dsa* id_ecdsa* id_ed25519* ssh_host_*_key deploy_key* *_deploy_key *_rsa *_ed25519 identity.age', 'a private key of SSH or age'],
  ['*.asc secring.* pubring.kbx trustdb.gpg *.sec *.gpg.key', 'keys of OpenPGP'],
  ['wg?.conf wg??.conf *.ovpn *.wireguard *.tblk/ vpn.conf ipsec.secrets *.mobileprovision *.provisionprofile *.cer.key', 'the key of a private network or of signing'],

  ['.env* *.env env.local env.dev env.development env.staging env.test env.prod env.production .flaskenv .envrc', 'passwords and tokens for an environment'],
  ['.netrc _netrc .pgpass .my.cnf .mylogin.cnf .htpasswd .git-credentials .authinfo* .dockercfg .s3cfg .boto .passwd-s3fs', 'logins of a tool'],
  ['.npmrc .yarnrc .yarnrc.yml .pypirc pip.conf pip.ini nuget.config auth.json settings-security.xml .gemrc-credentials credentials.toml', 'tokens of package registries'],
  ['.terraformrc terraform.rc *.tfvars *.tfvars.json *.tfstate *.tfstate.* tfplan *.tfplan .vault-token .vault_pass* vault_pass* *vault-password* ansible_vault*', 'passwords of infrastructure'],
  ['kubeconfig kubeconfig.* *.kubeconfig admin.conf k3s.yaml sealed-secrets-key* talosconfig', 'access to a cluster'],
  ['service?account*.json serviceaccount*.json client?secret*.json firebase-adminsdk-*.json *-firebase-adminsdk-*.json gha-creds-*.json application_default_credentials.json google-services.json googleservice-info.plist azureauth.json', 'the account of a service'],
  ['wp-config.php appsettings.json appsettings.*.json local.settings.json database.yml database.php localsettings.php configuration.php settings_local.py local_settings.py parameters.yml master.key config.php.inc', 'configuration that holds the password of a database'],
  ['rclone.conf .rclone.conf filezilla.xml sitemanager.xml recentservers.xml *.rdg *.vnc winscp.ini proxychains.conf wpa_supplicant.conf *.nmconnection ngrok.yml .netlify/config.json', 'logins of a program for remote access'],

  ['.*_history .histfile .lesshst .viminfo consolehost_history.txt', 'commands that were typed, passwords among them'],
  ['cookies cookies.sqlite* cookies.txt cookies.json *.cookies login?data* web?data key?.db logins*.json signons*.sqlite', 'sessions and passwords of a browser'],
  ['*.har *.pcap *.pcapng sslkeylog* *.keylog', 'recorded traffic with its tokens'],
  ['core core.* *.core *.dmp *.mdmp *.hprof *.heapsnapshot heapdump* hiberfil.sys', 'memory of a program, with its keys'],
  ['wallet.dat wallet.json keystore.json *.wallet utc--* electrum*.dat', 'a wallet'],
  ['mnemonic* seed?phrase* seedphrase* recovery?codes* recoverycodes* backup?codes* recovery?key* emergency?kit*', 'what opens an account when all else is lost'],
  ['*.1pux *.1pif *.agilekeychain/ *.opvault/ lastpass*.csv bitwarden*.json bitwarden*.csv keepass*.csv keepass*.xml chrome?passwords*.csv dashlane*.csv *.enpass *.psafe3 *.keychain *.keychain-db', 'an export or a store of a password manager'],
  ['.claude.json .claude/.credentials.json .codex/auth.json .gemini/oauth_creds.json hosts.json.token .copilot/ .config/github-copilot/', 'logins of agents'],
  ['shadow shadow- gshadow sudoers master.passwd ntds.dit sam.hive secrets.yml.enc.key krb5cc_*', 'accounts of a system'],
];

/** Words in a name, between dots, hyphens, underscores and spaces, of files that are named for what they hold. */
export const SECRET_WORD =
  /(?:^|[ ._-])(?:credentials?|secrets?|tokens?|passwords?|passwd|passphrases?|(?:api|access|private|ssh|signing)[ ._-]?keys?|mật khẩu|mat[ ._-]?khau)(?:[ ._-]|$)/u;
/** Endings of what holds data: a program with such a word in its name is about secrets. */
export const DATA_ENDING =
  /(?:^[^.]*|^\.[^.]*|\.(?:cfg|conf|config|csv|db|docx?|enc|ini|json|kdbx|numbers|odt|ods|pdf|properties|rtf|sqlite|toml|tsv|txt|xlsx?|xml|ya?ml))$/u;

/** Additions of editors, systems and people to the name of a copy, with the reason of each. */
// prettier-ignore
export const COPY_MARKS: readonly (readonly [mark: RegExp, reason: string])[] = [
  [/~$/u, 'backups of editors'],
  [/^#(?<rest>.+)#$/u, 'unsaved text of Emacs'],
  [/^\.#(?=.)/u, 'locks of Emacs and CVS'],
  [/^~\$(?=.)/u, 'locks of office programs'],
  [/\.(?:swp|swo|swn|swx|un~)$/u, 'swap files of Vim'],
  [/[._-](?:bak|bkp|bck|backup|old|orig|original|save|saved|sav|prev|tmp|temp|new|copy|rej|dist-backup|rpmsave|rpmnew|rpmorig|dpkg-old|dpkg-new|dpkg-dist|disabled|off)\d*$/u, 'backups of tools and people'],
  [/\.\d{1,8}$/u, 'numbered backups, rotated files and dates'],
  [/\.(?:gz|bz2|xz|zst|lz4|zip|7z|tar|tgz)$/u, 'packed copies'],
  [/ ?\(\d+\)$/u, 'copies of browsers and Windows'],
  [/(?: -)? (?:copy|kopie|copie|copia|cópia|bản sao|sao chép)(?: ?\(?\d+\)?)?$/u, 'copies of desktops'],
  [/^(?:copy of|kopie von|copie de|copia de|bản sao của) (?=.)/u, 'copies of desktops'],
];
