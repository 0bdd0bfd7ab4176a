import * as v from 'valibot';
import type { KeyObject } from 'node:crypto';
import { certificateField } from './credentials';
import { MAX_STATEMENT_IDENTITIES } from './limits';
import { type Envelope, envelopeSchema } from './envelope';
import { isSigned, SIGNATURE, signText } from './signedText';
import { bundleMembers, readBundle, type StatementBundle } from './statement';

/**
 * STATEMENT, the only request that a tracker answers before HELLO: a connection shows whose it is, and
 * gets the statement of the session with its own envelope. It may bring a later statement.
 */
export interface StatementRequest {
  /** Base64 of DER. */
  readonly certificate: string;
  /** See `signConnection`. */
  readonly proof: string;
  /** Proof of an owner, who may send long lines and envelopes. */
  readonly owner?: { readonly id: string; readonly proof: string } | undefined;
  /** A statement that the sender knows. */
  readonly bundle?: StatementBundle | undefined;
  /** Envelopes of the epoch of that statement; they count for owners only. */
  readonly envelopes?: readonly Envelope[] | undefined;
}

/** The reply to STATEMENT. */
export interface StatementReply {
  readonly bundle: StatementBundle;
  readonly envelope?: Envelope | undefined;
  /** Envelopes that the tracker has for the epoch: an owner brings those that it lacks. */
  readonly envelopeCount: number;
}

/** Most envelopes of one epoch: as many as a statement has identities. */
export const MAX_ENVELOPES = MAX_STATEMENT_IDENTITIES;

const proofField = v.pipe(v.string(), v.regex(SIGNATURE));
const requestSchema = v.object({
  certificate: certificateField,
  proof: proofField,
  owner: v.optional(
    v.object({ id: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/u)), proof: proofField }),
  ),
  envelopes: v.optional(v.pipe(v.array(envelopeSchema), v.maxLength(MAX_ENVELOPES))),
  /** Whether there is one; the bundle is read as a whole. */
  statement: v.optional(v.unknown()),
});
const envelopeMember = v.object({ envelope: envelopeSchema });
const envelopeCountMember = v.object({
  envelopes: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
});

/** @returns undefined for what is none; nothing is verified. */
export function readStatementRequest(data: unknown): StatementRequest | undefined {
  const result = v.safeParse(requestSchema, data, { abortEarly: true });
  if (!result.success) return undefined;
  const { statement, ...request } = result.output;
  if (statement === undefined) return request;
  const bundle = readBundle(data);
  return bundle && { ...request, bundle };
}

export function statementRequestMembers({ bundle, ...same }: StatementRequest): object {
  return { ...same, ...(bundle === undefined ? {} : bundleMembers(bundle)) };
}

/** @returns undefined for a reply without a statement; nothing is verified. */
export function readStatementReply(reply: Record<string, unknown>): StatementReply | undefined {
  const bundle = readBundle(reply);
  const envelope = v.safeParse(envelopeMember, reply);
  const counted = v.safeParse(envelopeCountMember, reply);
  // An owner that is told of none brings its own: too often is harmless, too seldom is not.
  const envelopeCount = counted.success ? counted.output.envelopes : 0;
  return bundle && { bundle, envelopeCount, ...(envelope.success ? envelope.output : {}) };
}

/**
 * Shows that a connection is that of the holder of a key.
 * @param exporter keying material of the connection, by the label for control.
 */
export function signConnection(
  kind: 'connection' | 'owner',
  exporter: Uint8Array,
  privateKey: KeyObject,
): string {
  return signText(kind, Buffer.from(exporter).toString('hex'), privateKey).signature;
}

export function isConnectionSigned(
  kind: 'connection' | 'owner',
  { exporter, signature }: { readonly exporter: Uint8Array; readonly signature: string },
  publicKey: KeyObject,
): boolean {
  return isSigned(kind, { text: Buffer.from(exporter).toString('hex'), signature }, publicKey);
}
