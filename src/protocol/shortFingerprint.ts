/** Digits of base32 (RFC 4648), in lower case as host names are; none of them is 0, 1, 8 or 9. */
const DIGITS = 'abcdefghijklmnopqrstuvwxyz234567';
const BITS_PER_DIGIT = 5;
const GROUPS = 5;
const DIGITS_PER_GROUP = 4;

/** An identity in full: SHA-256, 64 lower-case hexadecimal digits. */
const IDENTITY = /^[0-9a-f]{64}$/u;
const SHORT_FINGERPRINT = /^[a-z2-7]{4}(?:-[a-z2-7]{4}){4}$/u;

/** Whether a text is written as an identity. */
export function isIdentity(text: string): boolean {
  return IDENTITY.test(text);
}

/** Whether a text is written as `shortFingerprint` writes. */
export function isShortFingerprint(text: string): boolean {
  return SHORT_FINGERPRINT.test(text);
}

/**
 * The first 100 bits of an identity as people compare them, such as `abcd-efgh-ijkl-mnop-qrst`. For
 * people only: programs compare and look up whole identities.
 * @param identity SHA-256, 64 lower-case hexadecimal digits; anything else is a programmer's mistake.
 */
export function shortFingerprint(identity: string): string {
  if (!isIdentity(identity)) throw new TypeError('this is no identity');
  const bits = BigInt(`0x${identity}`);
  const digits = Array.from({ length: GROUPS * DIGITS_PER_GROUP }, (_, index) => {
    const shift = BigInt(identity.length * 4 - BITS_PER_DIGIT * (index + 1));
    return DIGITS[Number((bits >> shift) & 31n)] ?? '';
  });
  return Array.from({ length: GROUPS }, (_, group) =>
    digits.slice(group * DIGITS_PER_GROUP, (group + 1) * DIGITS_PER_GROUP).join(''),
  ).join('-');
}
