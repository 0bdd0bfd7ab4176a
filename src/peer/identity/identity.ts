import { createRequire } from 'node:module';
import * as v from 'valibot';
import { type OwnIdentity, readOwnIdentity } from '../../protocol/certificate';
import type * as Making from './makeIdentity';

/** An identity as it is kept: in a file of its own, or where an editor keeps its secrets. */
export interface StoredIdentity {
  /** Base64 of DER. */
  readonly certificate: string;
  /** Base64 of DER of PKCS #8. */
  readonly privateKey: string;
}

/** What makes certificates is large and seldom needed: a bundle of its own beside this one. */
const loadBeside = createRequire(__filename);

const storedSchema = v.object({ certificate: v.string(), privateKey: v.string() });

/** A new identity, which nobody knows yet. Takes some milliseconds. */
export function createIdentity(now: Date): Promise<StoredIdentity> {
  const { makeIdentity } = loadBeside('./makeIdentity') as typeof Making;
  return makeIdentity(now);
}

/** @throws INVALID_ARGUMENT for what is none; the error tells nothing of the text. */
export function parseIdentity(text: string): StoredIdentity {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined; // What the parser says may quote the text.
  }
  const result = v.safeParse(storedSchema, value);
  const stored = result.success ? result.output : { certificate: '', privateKey: '' };
  openIdentity(stored);
  return stored;
}

/** The same, ready to be used. @throws INVALID_ARGUMENT. */
export function openIdentity({ certificate, privateKey }: StoredIdentity): OwnIdentity {
  return readOwnIdentity(certificate, privateKey);
}
