import { PeershelfError, type PlainError } from '../../common/errors';
import { formatHostPort, type HostPort } from '../../protocol/address';
import type { StoredIdentity } from '../identity/identity';
import type { HeldBackFile } from './publishing';

/** What is asked and said of the session that this peer is in. */

export interface SessionDescription {
  /** Id of the team, no secret. */
  readonly team: string;
  readonly name: string;
  /** When the lease of the session was renewed last, in milliseconds since 1970. */
  readonly renewedMs: number;
  /** Members whom the owner has accepted before: they go on after a removal unless the owner says no. */
  readonly vouched: readonly SealedMember[];
  /** Members who go on by themselves into the current epoch, by envelopes that this owner has made. */
  readonly goingOn: readonly string[];
  /** What the tracker is started with, as JSON. It holds the tracker's own key, and none of the team. */
  readonly verifier: string;
}

/**
 * Whether others reach the port of this peer, as the tracker has tried: `unknown` when it has not, as
 * before anything is published, or where another address is advertised than the tracker sees.
 */
export type Reachability =
  | { readonly kind: 'unknown' }
  | { readonly kind: 'reachable' | 'unreachable'; readonly port: number };

/** A member as an owner seals an envelope to it. */
export interface SealedMember {
  readonly identity: string;
  readonly sealingPoint: string;
}

/** A member as an owner chooses whom to remove, and seals envelopes to the others. */
export interface KnownMember {
  readonly identity: string;
  readonly displayName: string;
  readonly hostnames: readonly string[];
  /** Undefined for one that was seen by an earlier version only. */
  readonly sealingPoint: string | undefined;
  /** When it was seen first today, or last before, in milliseconds since 1970. */
  readonly seenMs: number;
}

export type Notice =
  /** The files of these names are gone, and so the names are not offered any more. */
  | { readonly kind: 'unpublishedMissing'; readonly names: readonly string[] }
  /** These files have changed and are not published again: they hold or look like secrets now. */
  | { readonly kind: 'heldBack'; readonly files: readonly HeldBackFile[] }
  /** Somebody else has a hostname now, or says so: what they offer is not shown. */
  | { readonly kind: 'identityChanged'; readonly hostname: string };

export type ConnectRequest = OpenConnectRequest | TeamConnectRequest;

/** To an open session: nothing is encrypted, and nobody knows who is there. */
export interface OpenConnectRequest {
  readonly tracker: HostPort;
}

/** To the session of a team. Both members are secrets. */
export interface TeamConnectRequest {
  /** A text with an invite in it, in either spelling. */
  readonly invite: string;
  /** Who this user is. */
  readonly identity: StoredIdentity;
  /**
   * Whether the user was in this session before and comes back: then an invite of an earlier epoch
   * does, as the owner may have left an envelope for this member.
   */
  readonly isReturning?: boolean;
}

export type ConnectionState =
  | {
      readonly kind: 'disconnected';
      /** Why it ended for good although nobody wished for it: another window took its place. */
      readonly error?: PlainError;
    }
  | ({ readonly kind: 'connecting'; readonly tracker: HostPort } & SessionKind)
  | ({
      readonly kind: 'connected';
      readonly tracker: HostPort;
      /** The name under which this peer is or would be registered. */
      readonly hostname: string;
      /** Why nothing can be offered although there is a connection: no port is free, for example. */
      readonly problem?: PlainError;
    } & SessionKind)
  | ({
      /** The connection failed; the next attempt is due at `retryAtMs` (epoch). */
      readonly kind: 'waiting';
      readonly tracker: HostPort;
      readonly retryAtMs: number;
      readonly error: PlainError;
    } & SessionKind);

interface SessionKind {
  /** Name of the team's session; an open one has none. */
  readonly team?: string;
}

/** For a call that needs a tracker: in no session, or in one whose tracker is not reached. */
export function notConnected(connection: ConnectionState): PeershelfError {
  if (connection.kind === 'disconnected')
    return new PeershelfError('NOT_CONNECTED', 'there is no session');
  const tracker = formatHostPort(connection.tracker);
  return new PeershelfError('NOT_CONNECTED', `the tracker at ${tracker} is not reached`, {
    details: { tracker },
  });
}
