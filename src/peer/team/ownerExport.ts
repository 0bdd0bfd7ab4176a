import { createCipheriv, createDecipheriv, randomBytes, scryptSync } from 'node:crypto';
import * as v from 'valibot';
import { PeershelfError } from '../../common/errors';
import { formatSessionRecord, parseSessionRecord, type SessionRecord } from './sessionRecord';

/** Shortest passphrase: whoever has the file can guess as long as they like. */
export const MIN_PASSPHRASE_CHARACTERS = 12;

/**
 * Cost of one guess: 128 MiB and some tenths of a second, as OWASP has it for scrypt. Fixed by the format:
 * a file must not choose what it costs to read it.
 */
const COST = { N: 2 ** 17, r: 8, p: 1, maxmem: 2 ** 28 } as const;
const CIPHER = 'aes-256-gcm';
const KEY_BYTES = 32;
const SALT_BYTES = 16;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** Longest file that is read: a record with all its lists and envelopes, and room. */
export const MAX_EXPORT_BYTES = 4 * 1024 * 1024;

const FORMAT = 'peershelf owner 1';

const schema = v.object({
  format: v.literal(FORMAT),
  salt: v.pipe(v.string(), v.regex(/^[\w-]{22}$/u)),
  nonce: v.pipe(v.string(), v.regex(/^[\w-]{16}$/u)),
  sealed: v.pipe(v.string(), v.regex(/^[\w-]+$/u)),
});

/**
 * All that an owner has of a session, sealed under a passphrase.
 * @throws INVALID_ARGUMENT for a passphrase that is too short.
 */
export function sealRecord(record: SessionRecord, passphrase: string): string {
  if (passphrase.length < MIN_PASSPHRASE_CHARACTERS)
    throw new PeershelfError(
      'INVALID_ARGUMENT',
      `a passphrase has at least ${MIN_PASSPHRASE_CHARACTERS} characters`,
    );
  const salt = randomBytes(SALT_BYTES);
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, keyOf(passphrase, salt), nonce);
  cipher.setAAD(Buffer.from(FORMAT));
  const sealed = Buffer.concat([
    cipher.update(formatSessionRecord(record), 'utf8'),
    cipher.final(),
    cipher.getAuthTag(),
  ]);
  const text = (bytes: Buffer): string => bytes.toString('base64url');
  return JSON.stringify({
    ...{ format: FORMAT, salt: text(salt), nonce: text(nonce), sealed: text(sealed) },
  });
}

/**
 * The record of an export. It is a copy of some earlier time: it signs nothing before it has heard the
 * newest statement.
 * @throws EXPORT_UNREADABLE for another passphrase and for a file that was changed, which look alike.
 */
export function openRecord(text: string, passphrase: string): SessionRecord {
  const result = v.safeParse(schema, parseJson(text));
  if (!result.success) throw unreadable();
  const { salt, nonce, sealed } = result.output;
  const bytes = Buffer.from(sealed, 'base64url');
  if (bytes.length <= TAG_BYTES) throw unreadable();
  const key = keyOf(passphrase, Buffer.from(salt, 'base64url'));
  try {
    const decipher = createDecipheriv(CIPHER, key, Buffer.from(nonce, 'base64url'), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAAD(Buffer.from(FORMAT));
    decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
    const opened = [decipher.update(bytes.subarray(0, -TAG_BYTES)), decipher.final()];
    return { ...parseSessionRecord(Buffer.concat(opened).toString('utf8')), isUnheard: true };
  } catch {
    throw unreadable(); // What the library says of a key is not passed on.
  }
}

/** Composed, so that a passphrase is the same on every keyboard. */
function keyOf(passphrase: string, salt: Uint8Array): Buffer {
  return scryptSync(passphrase.normalize('NFC'), salt, KEY_BYTES, COST);
}

function parseJson(text: string): unknown {
  if (text.length > MAX_EXPORT_BYTES) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // What the parser says may quote the text.
  }
}

function unreadable(): PeershelfError {
  return new PeershelfError('EXPORT_UNREADABLE', 'the export cannot be opened');
}
