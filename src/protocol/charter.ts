import type { KeyObject } from 'node:crypto';
import { ByteReader } from './byteReader';
import { PeershelfError } from '../common/errors';
import { MAX_OWNERS } from './limits';
import { COMPRESSED_POINT_BYTES, compressedPointOf, identityOf, publicKeyOf } from './p256';
import { areBytesSigned, signBytes, SIGNATURE_BYTES } from './signedText';

/**
 * Owners of a team. The root key alone decides who they are; its identity is the team id, so that a
 * charter needs no other name of its team.
 */
export interface Charter {
  /** Grows with each change of owners. 0 is the implied charter, whose only owner is the root key. */
  readonly number: number;
  readonly owners: readonly KeyObject[];
}

/** A charter above 0 as it travels. */
export interface SignedCharter {
  readonly bytes: Buffer;
  readonly signature: Buffer;
}

export const MAX_CHARTER_NUMBER = 0xffff_ffff;
const MAX_CHARTER_BYTES = 5 + MAX_OWNERS * COMPRESSED_POINT_BYTES;

export function impliedCharter(root: KeyObject): Charter {
  return { number: 0, owners: [root] };
}

/** @throws INVALID_ARGUMENT for a number or a list of owners that no charter has. */
export function signCharter({ number, owners }: Charter, rootPrivateKey: KeyObject): SignedCharter {
  if (number < 1 || number > MAX_CHARTER_NUMBER || owners.length < 1 || owners.length > MAX_OWNERS)
    throw new PeershelfError('INVALID_ARGUMENT', `a team has 1 to ${MAX_OWNERS} owners`);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(number);
  head.writeUInt8(owners.length, 4);
  const bytes = Buffer.concat([head, ...owners.map(compressedPointOf)]);
  return { bytes, signature: signBytes('charter', bytes, rootPrivateKey) };
}

/** @returns undefined unless the root key has signed a charter. */
export function openCharter(signed: SignedCharter, root: KeyObject): Charter | undefined {
  const { bytes } = signed;
  if (bytes.length > MAX_CHARTER_BYTES || signed.signature.length !== SIGNATURE_BYTES)
    return undefined;
  if (!areBytesSigned('charter', signed, root)) return undefined;
  try {
    return read(new ByteReader(bytes, malformed));
  } catch (error) {
    if (PeershelfError.is(error, 'INVALID_MESSAGE')) return undefined;
    throw error;
  }
}

/** The owner with an identity, or undefined. */
export function ownerOf({ owners }: Charter, identity: string): KeyObject | undefined {
  return owners.find((owner) => identityOf(owner) === identity);
}

/** Length of the bytes of a charter that begins with these. */
export function charterLength(owners: number): number {
  return 5 + owners * COMPRESSED_POINT_BYTES;
}

function read(reader: ByteReader): Charter {
  const number = reader.take(4).readUInt32BE();
  const count = reader.takeByte();
  if (number < 1 || count < 1 || count > MAX_OWNERS) throw malformed();
  const owners = Array.from({ length: count }, () => {
    const owner = publicKeyOf(reader.take(COMPRESSED_POINT_BYTES));
    if (owner === undefined) throw malformed();
    return owner;
  });
  reader.end();
  return { number, owners };
}

function malformed(): PeershelfError {
  return new PeershelfError('INVALID_MESSAGE', 'this is no charter');
}
