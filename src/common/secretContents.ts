/** Kind of a secret in a text: one of its user, or keys that Peershelf itself has written. */
export type ContentKind = 'secret' | 'own';

type Line = readonly [kind: ContentKind, pattern: RegExp, reason: string];

/**
 * One line for each kind of secret that its own spelling gives away, with the reason. Every pattern needs
 * a fixed beginning and a length, so that a text about secrets is none. The fixed part comes first,
 * and what stands before it is looked back at: a search for digits or letters takes ten times as long.
 *
 * Left out: JSON web tokens, which stand in documents and tests and mostly end within minutes; passwords
 * in addresses (`postgres://user:password@`), which examples are full of; test keys of Stripe; and words
 * such as `password =`, as their values are placeholders more often than not.
 */
// prettier-ignore
export const SECRET_CONTENTS: readonly Line[] = [
  ['own', /:\/\/join\/(?<=\bpeershelf:\/\/join\/)[\w-]{60,}/iu, 'an invite: whoever has it is a member'],
  ['own', /:\/\/peershelf\.peershelf\/join\?invite(?:=|%3d)[\w-]{60,}/iu, 'an invite as a link'],
  ['own', /"(?:certificate|privateKey)"\s*:\s*"[\w+/=-]{100,}"[^]{0,40}"(?:certificate|privateKey)"\s*:\s*"[\w+/=-]{100,}"/u, 'an identity, a session or a verifier: its key speaks for somebody'],
  ['own', /"\/\/peershelf"\s*:\s*"data of Peershelf, not to be shared"/u, 'records of what this product knows and offers, which begin with this member'],

  ['secret', /-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----[^]{0,600}?[A-Za-z0-9+/]{40}/u, 'a private key in PEM, of OpenSSH or OpenPGP'],
  ['secret', /\bMIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg[A-Za-z0-9+/]{60,}/u, 'a private key of P-256 in base64, as a future owner of a session has'],
  ['secret', /^PuTTY-User-Key-File-\d: /mu, 'a private key of PuTTY'],
  ['secret', /\bAGE-SECRET-KEY-(?:PQ-)?1[0-9A-Z]{50,}/u, 'a private key of age'],
  ['secret', /\bPrivateKey\s*=\s*[A-Za-z0-9+/]{43}=/u, 'a private key of WireGuard'],
  ['secret', /\b(?:AKIA|ASIA|ABIA|ACCA)(?![A-Z2-7]{9}EXAMPLE)[A-Z2-7]{16}\b/u, 'an access key of AWS'],
  ['secret', /aws_?secret_?access_?key["']?\s*[=:]\s*["']?(?![A-Za-z0-9/+]*EXAMPLE)[A-Za-z0-9/+]{40}\b/iu, 'a secret key of AWS'],
  ['secret', /\b(?:gh[opsru]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{80,})/u, 'a token of GitHub'],
  ['secret', /\bgl(?:pat|dt|rt|rtr|ptt|cbt|oas|ft|imt|agent|soat|ffct)-[\w-]{20,}/u, 'a token of GitLab'],
  ['secret', /\bxox[abeoprs]-(?:\d-)?[A-Za-z0-9-]{20,}|\bxapp-\d-[A-Z0-9]{8,}-\d+-[a-f0-9]{32,}/u, 'a token of Slack'],
  ['secret', /hooks\.slack\.com\/(?:services|workflows)\/[A-Z0-9]{8,}\/[A-Z0-9]{8,}\/[A-Za-z0-9]{20,}/u, 'an address that posts to Slack'],
  ['secret', /\bnpm_[A-Za-z0-9]{36}\b|_authToken\s*=\s*(?!\$)[\w/+=-]{20,}/u, 'a token of npm'],
  ['secret', /\bpypi-AgE[\w-]{50,}/u, 'a token of PyPI'],
  ['secret', /\bAIza[\w-]{35}(?![\w-])/u, 'a key of Google'],
  ['secret', /\bGOCSPX-[\w-]{28}|\bya29\.[\w-]{30,}|\b1\/\/0[\w-]{40,}/u, 'an OAuth secret or token of Google'],
  ['secret', /\b[rs]k_live_[A-Za-z0-9]{20,}|\bwhsec_[A-Za-z0-9+/=]{32,}/u, 'a live key of Stripe'],
  ['secret', /\bsk-(?:proj|svcacct|admin|ant-[a-z0-9]+|or-v1)-[\w-]{40,}|\bsk-[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20}|\bsk-(?=[a-z]{0,47}[A-Z0-9])[A-Za-z0-9]{48}\b/u, 'a key of a model service'],
  ['secret', /\bhf_[A-Za-z0-9]{34}\b|\bdckr_pat_[\w-]{27}|\bdop_v1_[a-f0-9]{64}\b/u, 'a token of Hugging Face, Docker or DigitalOcean'],
  ['secret', /\bSG\.[\w-]{22}\.[\w-]{43}|\bdapi[a-f0-9]{32}\b|\bhvs\.[\w-]{24,}|\.atlasv1\.[\w-]{60,}/u, 'a token of SendGrid, Databricks, Vault or Terraform'],
  ['secret', /\bAccountKey=[A-Za-z0-9+/]{86}==/u, 'the key of a storage account of Azure'],
  ['secret', /:AA(?<=\b\d{8,10}:AA)[\w-]{33}(?![\w-])/u, 'the token of a bot of Telegram'],
];

/** Secret in the bytes of a small file; undefined when there is none, and for bytes that are no text. */
export function secretIn(bytes: Buffer): ContentKind | undefined {
  const text = textOf(bytes);
  return text === undefined
    ? undefined
    : SECRET_CONTENTS.find(([, pattern]) => pattern.test(text))?.[0];
}

/** Bytes in which a zero shows that a file is no text. */
const START_BYTES = 1024;

/** UTF-16 without a mark, of letters that ASCII has, too: every second byte is zero and no other. */
function isWideText(start: Buffer): boolean {
  return start.length > 1 && start.every((byte, index) => (byte === 0) === (index % 2 === 1));
}

/** Windows PowerShell writes what programs print in UTF-16, with a mark at its start. */
function textOf(bytes: Buffer): string | undefined {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return bytes.toString('utf16le');
  if (bytes[0] === 0xfe && bytes[1] === 0xff)
    return Buffer.from(bytes.subarray(0, bytes.length & ~1))
      .swap16()
      .toString('utf16le');
  const start = bytes.subarray(0, START_BYTES);
  if (start.includes(0)) return isWideText(start) ? bytes.toString('utf16le') : undefined;
  return bytes.toString('latin1');
}
