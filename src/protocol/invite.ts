import { createHash, createSecretKey } from 'node:crypto';
import { PeershelfError } from '../common/errors';
import { formatHostPort, type HostPort, parseHostPort } from './address';
import { ByteReader } from './byteReader';
import {
  MAX_INVITE_ADDRESSES,
  MAX_INVITE_CHARACTERS,
  MAX_INVITE_TEXT_CHARACTERS,
  MAX_SESSION_NAME_BYTES,
} from './limits';
import { opaqueNameProblem } from './names';
import { isTeamId, type Team, TEAM_ID_BYTES, TEAM_KEY_BYTES } from './teamKeys';

/** All that is needed to join a team session. Whoever has it is a member. */
export interface Invite {
  readonly sessionName: string;
  /** Where the tracker may be found; the fingerprint tells whether it is. */
  readonly addresses: readonly HostPort[];
  /** SHA-256 of the tracker's certificate, 64 lower-case hexadecimal digits. */
  readonly fingerprint: string;
  readonly team: Team;
}

const VERSION = 1;
const CHECKSUM_BYTES = 4;
const FINGERPRINT_BYTES = 32;
const FINGERPRINT = /^[0-9a-f]{64}$/u;

/** Either spelling, wherever it stands in a text. Some programs escape the `=` of a link. */
const SPELLING =
  /(?:\bpeershelf:\/\/join\/|[a-z][a-z0-9+.-]{0,63}:\/\/peershelf\.peershelf\/join\?invite(?:=|%3d))([\w-]*)/iu;

/** `peershelf://join/…`: for the command line, files, and pasting. It carries the team key. */
export function formatInvite(invite: Invite): string {
  return `peershelf://join/${encode(invite).toString('base64url')}`;
}

/**
 * The same content as a link that opens an editor.
 * @param uriScheme of that editor, such as `vscode`.
 */
export function formatInviteLink(invite: Invite, uriScheme: string): string {
  return `${uriScheme}://peershelf.peershelf/join?invite=${encode(invite).toString('base64url')}`;
}

/**
 * The first invite of a text, in either spelling, whatever stands around it. No error says anything
 * of what was read.
 * @throws INVITE_NOT_FOUND, INVITE_DAMAGED when it is not as it was made, INVITE_TOO_NEW.
 */
export function parseInvite(text: string): Invite {
  const [, characters] = SPELLING.exec(text.slice(0, MAX_INVITE_TEXT_CHARACTERS)) ?? [];
  if (characters === undefined)
    throw new PeershelfError('INVITE_NOT_FOUND', 'there is no invite in the text');
  if (characters.length > MAX_INVITE_CHARACTERS) throw damaged();
  const bytes = Buffer.from(characters, 'base64url');
  const content = bytes.subarray(0, -CHECKSUM_BYTES);
  // Without it a letter more or less could mean another address, or another team.
  if (!bytes.subarray(-CHECKSUM_BYTES).equals(checksumOf(content))) throw damaged();
  // Every version begins with its number and ends with this checksum.
  if (content[0] !== VERSION)
    throw new PeershelfError('INVITE_TOO_NEW', `the invite has format ${content[0]}`);
  return decode(new ByteReader(content.subarray(1), damaged));
}

/** @throws INVALID_ARGUMENT for what no invite can say. */
function encode({ sessionName, addresses, fingerprint, team }: Invite): Buffer {
  const key = team.key.export();
  const isValid =
    isSessionName(sessionName) &&
    addresses.length >= 1 &&
    addresses.length <= MAX_INVITE_ADDRESSES &&
    FINGERPRINT.test(fingerprint) &&
    isTeamId(team.id) &&
    key.length === TEAM_KEY_BYTES;
  if (!isValid) throw new PeershelfError('INVALID_ARGUMENT', 'this cannot be an invite');
  const content = Buffer.concat([
    Buffer.from([VERSION]),
    Buffer.from(team.id, 'hex'),
    key,
    Buffer.from(fingerprint, 'hex'),
    withLength(sessionName),
    Buffer.from([addresses.length]),
    ...addresses.map((address) => withLength(formatHostPort(address))),
  ]);
  return Buffer.concat([content, checksumOf(content)]);
}

function decode(reader: ByteReader): Invite {
  const id = reader.take(TEAM_ID_BYTES).toString('hex');
  const key = createSecretKey(reader.take(TEAM_KEY_BYTES));
  const fingerprint = reader.take(FINGERPRINT_BYTES).toString('hex');
  const sessionName = reader.takeText();
  const count = reader.takeByte();
  if (count < 1 || count > MAX_INVITE_ADDRESSES || !isSessionName(sessionName)) throw damaged();
  const addresses = Array.from({ length: count }, () => toAddress(reader.takeText()));
  reader.end();
  return { sessionName, addresses, fingerprint, team: { id, key } };
}

function toAddress(text: string): HostPort {
  try {
    return parseHostPort(text);
  } catch (error) {
    if (PeershelfError.is(error, 'INVALID_ADDRESS')) throw damaged();
    throw error;
  }
}

function isSessionName(name: string): boolean {
  if (name.trim() === '' || opaqueNameProblem(name) !== undefined) return false;
  return Buffer.byteLength(name) <= MAX_SESSION_NAME_BYTES;
}

/** One byte for the length, and the text. */
function withLength(text: string): Buffer {
  const bytes = Buffer.from(text);
  if (bytes.length > 255) throw new PeershelfError('INVALID_ARGUMENT', 'the text is too long');
  return Buffer.concat([Buffer.from([bytes.length]), bytes]);
}

function checksumOf(content: Buffer): Buffer {
  return createHash('sha256').update(content).digest().subarray(0, CHECKSUM_BYTES);
}

function damaged(): PeershelfError {
  return new PeershelfError('INVITE_DAMAGED', 'the invite is not complete or was changed');
}
