import * as v from 'valibot';
import { PeershelfError } from '../common/errors';
import { type OwnIdentity, readOwnIdentity } from './certificate';
import { MAX_SESSION_NAME_BYTES } from './limits';

/**
 * All that a tracker must be given for a team session, as JSON: with it a tracker can tell members from
 * strangers and be told from other trackers, but it is no member. The private key is a secret.
 */
export interface Verifier {
  /** Base64 of DER. */
  readonly certificate: string;
  /** Base64 of DER of PKCS #8. */
  readonly privateKey: string;
  /** SHA-256 of the tracker token, 64 lower-case hexadecimal digits. */
  readonly tokenHash: string;
  /** Name of the session, to announce it in the network by; without it, it is not announced. */
  readonly sessionName?: string | undefined;
}

/** Far above what it takes. */
export const MAX_VERIFIER_CHARACTERS = 16_384;

const schema = v.object({
  certificate: v.string(),
  privateKey: v.string(),
  tokenHash: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/u)),
  sessionName: v.optional(v.pipe(v.string(), v.maxBytes(MAX_SESSION_NAME_BYTES))),
});

/** @throws INVALID_ARGUMENT for what is no verifier; the error quotes nothing of it. */
export function parseVerifier(text: string): {
  readonly identity: OwnIdentity;
  readonly tokenHash: string;
  readonly sessionName: string | undefined;
} {
  const result = v.safeParse(schema, parseJson(text));
  if (!result.success) throw new PeershelfError('INVALID_ARGUMENT', 'this is no verifier');
  const { certificate, privateKey, tokenHash, sessionName } = result.output;
  return { identity: readOwnIdentity(certificate, privateKey), tokenHash, sessionName };
}

function parseJson(text: string): unknown {
  if (text.length > MAX_VERIFIER_CHARACTERS) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // What the parser says may quote the text.
  }
}
