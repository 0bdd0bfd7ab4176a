import { createHash, createPublicKey, ECDH, type KeyObject } from 'node:crypto';

/**
 * Public keys of P-256 as bytes. Keys are compared and hashed in one encoding only, whatever a
 * certificate or a message had: otherwise one key could have several identities.
 */
const CURVE = 'prime256v1';

/** The bytes before the uncompressed point in a SubjectPublicKeyInfo of P-256 (RFC 5480). */
const SPKI_PREFIX = Buffer.from('3059301306072a8648ce3d020106082a8648ce3d030107034200', 'hex');

/** Length of a point with its x coordinate and one bit of y. */
export const COMPRESSED_POINT_BYTES = 33;

export function isP256({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): boolean {
  return asymmetricKeyType === 'ec' && asymmetricKeyDetails?.namedCurve === CURVE;
}

/** SHA-256 of the key's SubjectPublicKeyInfo with an uncompressed point, 64 hexadecimal digits. */
export function identityOf(publicKey: KeyObject): string {
  return createHash('sha256')
    .update(spkiOf(pointOf(publicKey)))
    .digest('hex');
}

/** The compressed point of a key, 33 bytes. */
export function compressedPointOf(publicKey: KeyObject): Buffer {
  return convert(pointOf(publicKey), 'compressed');
}

/** The key of a point in either form; undefined for bytes that are no point of the curve. */
export function publicKeyOf(point: Uint8Array): KeyObject | undefined {
  try {
    const key = spkiOf(convert(point, 'uncompressed'));
    return createPublicKey({ key, format: 'der', type: 'spki' });
  } catch {
    return undefined; // The library's message says nothing that a caller needs.
  }
}

/** Whether a text is a compressed point of the curve in base64url. */
export function isPointText(text: string): boolean {
  const point = Buffer.from(text, 'base64url');
  return point.length === COMPRESSED_POINT_BYTES && publicKeyOf(point) !== undefined;
}

/** @throws for bytes that are no point of the curve. */
export function convert(point: Uint8Array, form: 'compressed' | 'uncompressed'): Buffer {
  return ECDH.convertKey(point, CURVE, undefined, undefined, form) as Buffer;
}

/** The uncompressed point, 65 bytes. */
function pointOf(publicKey: KeyObject): Buffer {
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' });
  return Buffer.concat([
    Buffer.from([4]),
    Buffer.from(x, 'base64url'),
    Buffer.from(y, 'base64url'),
  ]);
}

function spkiOf(point: Uint8Array): Buffer {
  return Buffer.concat([SPKI_PREFIX, point]);
}
