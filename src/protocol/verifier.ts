import type { KeyObject } from 'node:crypto';
import * as v from 'valibot';
import { PeershelfError } from '../common/errors';
import { type OwnIdentity, readOwnIdentity } from './certificate';
import { MAX_SESSION_NAME_BYTES, MAX_STATEMENT_CHARACTERS } from './limits';
import { publicKeyOf } from './p256';
import { openStatement, readBundle, type VerifiedStatement } from './statement';

/**
 * All that a tracker must be given for a team session, as JSON: with it a tracker can tell members from
 * outsiders and be told from other trackers, but it is no member. The private key is a secret.
 */
export interface Verifier {
  /** Base64 of DER. */
  readonly certificate: string;
  /** Base64 of DER of PKCS #8. */
  readonly privateKey: string;
  /** Public root key of the team: compressed point, base64url. */
  readonly root: string;
  /** Name of the session, to announce it in the network by; without it, it is not announced. */
  readonly sessionName?: string | undefined;
  /** With the members of a statement bundle. */
  readonly [member: string]: unknown;
}

/** Contents of a verifier, verified. */
export interface OpenVerifier {
  readonly identity: OwnIdentity;
  readonly root: KeyObject;
  readonly statement: VerifiedStatement;
  readonly sessionName: string | undefined;
}

/** A statement as long as it may be, and room. */
export const MAX_VERIFIER_CHARACTERS = 2 * MAX_STATEMENT_CHARACTERS;

const schema = v.looseObject({
  certificate: v.string(),
  privateKey: v.string(),
  root: v.pipe(v.string(), v.regex(/^[\w-]{44}$/u)),
  sessionName: v.optional(v.pipe(v.string(), v.maxBytes(MAX_SESSION_NAME_BYTES))),
});

/** @throws INVALID_ARGUMENT for what is no verifier; the error quotes nothing of it. */
export function parseVerifier(text: string): OpenVerifier {
  const result = v.safeParse(schema, parseJson(text));
  if (result.success) {
    const { certificate, privateKey, sessionName } = result.output;
    const root = publicKeyOf(Buffer.from(result.output.root, 'base64url'));
    const bundle = readBundle(result.output);
    const statement = bundle && root && openStatement(bundle, root);
    if (root !== undefined && statement !== undefined)
      return { identity: readOwnIdentity(certificate, privateKey), root, statement, sessionName };
  }
  throw new PeershelfError('INVALID_ARGUMENT', 'this is no verifier');
}

function parseJson(text: string): unknown {
  if (text.length > MAX_VERIFIER_CHARACTERS) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // What the parser says may quote the text.
  }
}
