import type { KeyObject } from 'node:crypto';
import { createSecureContext, type SecureContext, type TLSSocket } from 'node:tls';
import type { PeershelfError } from '../../common/errors';
import { type OwnIdentity, tlsOptionsOf } from '../../protocol/certificate';
import type { StatementBundle } from '../../protocol/statement';
import { CHANNEL_EXPORTERS, EXPORTER_BYTES } from '../../protocol/channelProof';

/** What makes the transfers of a team session secure. */
export interface TransferSecurity {
  /** Shown by both ends of every connection. */
  readonly identity: OwnIdentity;
  /** Proves that who connects is a member of the team. */
  readonly proofKey: KeyObject;
  /** Reason why nothing may be served to or fetched from an identity now, or undefined. */
  readonly refusalOf: (identity: string) => PeershelfError | undefined;
  /** Undefined where nobody states who the members are. */
  readonly statements?: StatementExchange | undefined;
}

/** Membership of a team as its peers tell it to each other. */
export interface StatementExchange {
  /** The newest statement that this peer knows; undefined before there is one. */
  readonly current: () => StatementBundle | undefined;
  /** Takes a statement that somebody has told, whoever that is: it is verified. */
  readonly take: (bundle: StatementBundle) => void;
  /** Proof keys of earlier epochs: whoever has one is told what has happened since. */
  readonly earlierProofKeys: readonly KeyObject[];
}

/** Asked whenever it matters: undefined in an open session, and when there is none. */
export type SecuritySource = () => TransferSecurity | undefined;

/** Transfers without TLS, as in every open session. */
export const openSession: SecuritySource = () => undefined;

/** Whether connections of the one would do for the other. */
export function isSameSecurity(
  left: TransferSecurity | undefined,
  right: TransferSecurity | undefined,
): boolean {
  if (left === undefined || right === undefined) return left === right;
  return (
    left.identity.fingerprint === right.identity.fingerprint && left.proofKey.equals(right.proofKey)
  );
}

/** Keying material of a connection between peers, the same at both ends. */
export function exportFrom(socket: TLSSocket): Buffer {
  return socket.exportKeyingMaterial(EXPORTER_BYTES, CHANNEL_EXPORTERS.transfer, Buffer.alloc(0));
}

const contexts = new WeakMap<OwnIdentity, SecureContext>();

/** Made once for an identity: reading its key again for each connection would cost more than the rest. */
export function secureContextOf(identity: OwnIdentity): SecureContext {
  const known = contexts.get(identity);
  if (known !== undefined) return known;
  const options = tlsOptionsOf(identity);
  // With an authority of its own it does not load all those of the web, of which none counts here.
  const context = createSecureContext({ ...options, ca: options.cert });
  contexts.set(identity, context);
  return context;
}
