import { createHash, createSecretKey, type KeyObject } from 'node:crypto';
import { PeershelfError } from '../common/errors';
import { formatHostPort, type HostPort, parseHostPort } from './address';
import { ByteReader } from './byteReader';
import {
  type Charter,
  charterLength,
  impliedCharter,
  openCharter,
  type SignedCharter,
} from './charter';
import {
  MAX_INVITE_ADDRESSES,
  MAX_INVITE_CHARACTERS,
  MAX_INVITE_TEXT_CHARACTERS,
  MAX_OWNERS,
  MAX_SESSION_NAME_BYTES,
} from './limits';
import { opaqueNameProblem } from './names';
import { COMPRESSED_POINT_BYTES, compressedPointOf, identityOf, publicKeyOf } from './p256';
import { areBytesSigned, signBytes, SIGNATURE_BYTES } from './signedText';
import { TEAM_KEY_BYTES, type TeamEpoch } from './teamKeys';

/**
 * Everything that is needed to join a team session, signed by an owner. Whoever has the invite of the
 * current epoch can be a member.
 */
export interface Invite {
  readonly sessionName: string;
  /** Places where the tracker may be. They are not signed: the fingerprint tells whether it is there. */
  readonly addresses: readonly HostPort[];
  /** Identity of the tracker. */
  readonly fingerprint: string;
  /** Public root key of the team. */
  readonly root: KeyObject;
  readonly team: TeamEpoch;
  /** Identity of the owner who signed. */
  readonly ownerId: string;
  /** Undefined for charter 0. */
  readonly charter?: SignedCharter | undefined;
  /** Honest programs do not join after it, in milliseconds since 1970. */
  readonly expiresMs?: number | undefined;
  /** Signed part, its signature behind it. */
  readonly signed: Buffer;
}

/** Contents of an invite before it is signed. */
export interface InviteContent extends Pick<
  Invite,
  'sessionName' | 'addresses' | 'fingerprint' | 'root' | 'charter' | 'expiresMs'
> {
  readonly team: Omit<TeamEpoch, 'id'>;
}

const VERSION = 2;
const CHECKSUM_BYTES = 4;
const FINGERPRINT_BYTES = 32;
const FINGERPRINT = /^[0-9a-f]{64}$/u;
const MAX_INVITE_BYTES = Math.floor((MAX_INVITE_CHARACTERS * 3) / 4);

/** Either spelling, wherever it stands in a text. Some programs escape the `=` of a link. */
const SPELLING =
  /(?:\bpeershelf:\/\/join\/|[a-z][a-z0-9+.-]{0,63}:\/\/peershelf\.peershelf\/join\?invite(?:=|%3d))([\w-]*)/iu;

/**
 * @param owner key of an owner of the invite's charter.
 * @throws INVALID_ARGUMENT for what no invite can say.
 */
export function signInvite(content: InviteContent, owner: KeyPair): Invite {
  const { root, charter, team } = content;
  const signed = encodeSigned(content, owner);
  return {
    ...content,
    ...{ root, charter, signed },
    team: { ...team, id: identityOf(root) },
    ownerId: identityOf(owner.publicKey),
  };
}

export interface KeyPair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

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
 * @throws INVITE_NOT_FOUND, INVITE_DAMAGED when it is not as it was made, INVITE_TOO_NEW, INVITE_FORGED
 * when no owner of the team that it names has signed it.
 */
export function parseInvite(text: string): Invite {
  const [, characters] = SPELLING.exec(text.slice(0, MAX_INVITE_TEXT_CHARACTERS)) ?? [];
  if (characters === undefined)
    throw new PeershelfError('INVITE_NOT_FOUND', 'there is no invite in the text');
  if (characters.length > MAX_INVITE_CHARACTERS) throw damaged();
  const bytes = Buffer.from(characters, 'base64url');
  const content = bytes.subarray(0, -CHECKSUM_BYTES);
  // Without it a letter more or less would look like a forgery.
  if (!bytes.subarray(-CHECKSUM_BYTES).equals(checksumOf(content))) throw damaged();
  // Every version begins with its number and ends with this checksum.
  if (content[0] !== VERSION)
    throw new PeershelfError('INVITE_TOO_NEW', `the invite has format ${content[0]}`);
  return decode(content);
}

/** @throws INVITE_EXPIRED. */
export function checkExpiry({ expiresMs }: Pick<Invite, 'expiresMs'>, nowMs: number): void {
  if (expiresMs !== undefined && expiresMs <= nowMs)
    throw new PeershelfError('INVITE_EXPIRED', 'the invite has expired');
}

function encodeSigned(content: InviteContent, owner: KeyPair): Buffer {
  const { sessionName, fingerprint, root, charter, team, expiresMs } = content;
  const { number, owners } = charterOf(charter, root) ?? { number: -1, owners: [] };
  const index = owners.findIndex((one) => one.equals(owner.publicKey));
  const key = team.key.export();
  const isValid =
    isSessionName(sessionName) &&
    FINGERPRINT.test(fingerprint) &&
    index >= 0 &&
    number === team.charterNumber &&
    key.length === TEAM_KEY_BYTES;
  if (!isValid) throw new PeershelfError('INVALID_ARGUMENT', 'this cannot be an invite');
  const bytes = Buffer.concat([
    Buffer.from([VERSION]),
    compressedPointOf(root),
    Buffer.from([charter === undefined ? 0 : owners.length]),
    ...(charter === undefined ? [] : [charter.bytes, charter.signature]),
    Buffer.from([index]),
    uint32(team.epoch),
    key,
    Buffer.from(fingerprint, 'hex'),
    withLength(sessionName),
    uint32(expiresMs === undefined ? 0 : Math.ceil(expiresMs / 1_000)),
  ]);
  return Buffer.concat([bytes, signBytes('invite', bytes, owner.privateKey)]);
}

/** As many addresses as fit: they are hints, the first one is the likeliest. */
function encode({ signed, addresses }: Pick<Invite, 'signed' | 'addresses'>): Buffer {
  const places: Buffer[] = [];
  let length = signed.length + 1 + CHECKSUM_BYTES;
  for (const address of addresses.slice(0, MAX_INVITE_ADDRESSES)) {
    const place = withLength(formatHostPort(address));
    length += place.length;
    if (length > MAX_INVITE_BYTES) break;
    places.push(place);
  }
  const content = Buffer.concat([signed, Buffer.from([places.length]), ...places]);
  return Buffer.concat([content, checksumOf(content)]);
}

function decode(content: Buffer): Invite {
  const reader = new ByteReader(content.subarray(1), damaged);
  const root = publicKeyOf(reader.take(COMPRESSED_POINT_BYTES));
  const ownerCount = reader.takeByte();
  if (root === undefined || ownerCount > MAX_OWNERS) throw damaged();
  const charter = ownerCount === 0 ? undefined : takeCharter(reader, ownerCount);
  const ownerIndex = reader.takeByte();
  const epoch = reader.take(4).readUInt32BE();
  const key = createSecretKey(reader.take(TEAM_KEY_BYTES));
  const fingerprint = reader.take(FINGERPRINT_BYTES).toString('hex');
  const sessionName = reader.takeText();
  const expiresSeconds = reader.take(4).readUInt32BE();
  const signedLength = 1 + reader.taken;
  const signature = reader.take(SIGNATURE_BYTES);
  const count = reader.takeByte();
  if (count > MAX_INVITE_ADDRESSES || !isSessionName(sessionName) || epoch < 1) throw damaged();
  const addresses = Array.from({ length: count }, () => toAddress(reader.takeText()));
  reader.end();
  const owners = charterOf(charter, root);
  const owner = owners?.owners[ownerIndex];
  const bytes = content.subarray(0, signedLength);
  if (
    owners === undefined ||
    owner === undefined ||
    !areBytesSigned('invite', { bytes, signature }, owner)
  )
    throw new PeershelfError('INVITE_FORGED', 'no owner of its team has signed the invite');
  return {
    ...{ sessionName, addresses, fingerprint, root, charter },
    team: { id: identityOf(root), charterNumber: owners.number, epoch, key },
    ownerId: identityOf(owner),
    expiresMs: expiresSeconds === 0 ? undefined : expiresSeconds * 1_000,
    signed: content.subarray(0, signedLength + SIGNATURE_BYTES),
  };
}

function takeCharter(reader: ByteReader, owners: number): SignedCharter {
  return { bytes: reader.take(charterLength(owners)), signature: reader.take(SIGNATURE_BYTES) };
}

/** @returns undefined for a charter that the root key has not signed. */
function charterOf(charter: SignedCharter | undefined, root: KeyObject): Charter | undefined {
  return charter === undefined ? impliedCharter(root) : openCharter(charter, root);
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

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function checksumOf(content: Buffer): Buffer {
  return createHash('sha256').update(content).digest().subarray(0, CHECKSUM_BYTES);
}

function damaged(): PeershelfError {
  return new PeershelfError('INVITE_DAMAGED', 'the invite is not complete or was changed');
}
