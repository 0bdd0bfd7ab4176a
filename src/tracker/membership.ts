import type { KeyObject } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { readIdentity } from '../protocol/certificate';
import { CHANNEL_EXPORTERS, EXPORTER_BYTES, isRegistrationSigned } from '../protocol/channelProof';
import { CONTROL_REASONS } from '../protocol/controlReasons';
import type { ControlRequestV2 } from '../protocol/controlRequestsV2';
import { bundleMembers } from '../protocol/statement';
import { isConnectionSigned, type StatementRequest } from '../protocol/statementMessages';
import { isTrackerToken } from '../protocol/teamKeys';
import type { HostnameBindings } from './hostnameBindings';
import type { HostIdentity } from './registry';
import { errorReply } from './replies';
import { statementReply } from './repliesV2';
import type { TeamState } from './teamState';

/** Requests of an outsider, each of which costs the tracker a signature: fetch, bring, fetch again. */
const MAX_STATEMENT_REQUESTS = 8;

export interface MembershipDependencies {
  readonly socket: TLSSocket;
  readonly state: TeamState;
  readonly bindings: HostnameBindings;
  /** Called when the connection has shown the token. */
  readonly onAdmitted: () => void;
  /** Called behind a newer statement that this connection has brought. */
  readonly onStatement: () => void;
}

/** One connection to a team's session: whose it is, and whether that is a member. */
export class Membership {
  private admitted = false;
  private owner = false;
  private statementRequests = 0;
  /** Identity that the connection has shown. */
  private identity: string | undefined;
  /** What the connection has registered last. */
  private registered: string | undefined;
  private isOver = false;

  constructor(private readonly dependencies: MembershipDependencies) {}

  get isAdmitted(): boolean {
    return this.admitted;
  }

  /** Whether lines may be as long as those of members. */
  get mayWriteLongLines(): boolean {
    return this.admitted || this.owner;
  }

  /** Whether the statement that holds now lets this connection stay. */
  get isMember(): boolean {
    return this.identity !== undefined && this.dependencies.state.admits(this.identity);
  }

  /** The connection has registered a hostname, in place of the one before. */
  onRegistered(hostname: string): void {
    if (this.isOver) return;
    const { registered } = this;
    // First the new one: where it is the same, it is in use all the time.
    this.bindings.hold(hostname);
    this.registered = hostname;
    if (registered !== undefined) this.bindings.release(registered);
  }

  /** The connection is gone. */
  onClosed(): void {
    this.isOver = true;
    if (this.registered !== undefined) this.bindings.release(this.registered);
    this.registered = undefined;
  }

  /** There was a sign of life of the registered host. */
  onSeen(): void {
    if (this.registered !== undefined) this.bindings.touch(this.registered);
  }

  get bindings(): HostnameBindings {
    return this.dependencies.bindings;
  }

  /**
   * Answers STATEMENT: to whoever shows an identity, also before HELLO.
   * @returns undefined for a connection that must be closed.
   */
  answer(request: StatementRequest | undefined): string | undefined {
    this.statementRequests += 1;
    const isTooMany = !this.admitted && this.statementRequests > MAX_STATEMENT_REQUESTS;
    const identity = request && this.proveIdentity(request);
    if (request === undefined || identity === undefined || isTooMany) return undefined;
    const { state, onStatement } = this.dependencies;
    const { bundle, envelopes } = request;
    if (this.isOwner(request)) this.owner = true;
    if (bundle !== undefined) {
      const taken = state.take(bundle, this.owner ? envelopes : undefined);
      if (taken === 'refused' && this.owner) return errorReply(CONTROL_REASONS.statementRefused);
      if (taken === 'taken') onStatement();
    }
    return statementReply(bundleMembers(state.current.bundle), {
      envelope: state.envelopeOf(identity),
      count: state.envelopeCount,
    });
  }

  /** Takes the token of a HELLO. @param token base64url, if there is one. */
  admit(token: string | undefined): boolean {
    const { state, onAdmitted } = this.dependencies;
    const { tokenHash } = state.current.statement;
    if (!isTrackerToken(Buffer.from(token ?? '', 'base64url'), tokenHash)) return false;
    if (!this.isMember) return false;
    if (!this.admitted) onAdmitted();
    this.admitted = true;
    return true;
  }

  /** Who registers, or undefined when that is not proven for this connection. */
  identify({
    hostname,
    instance,
    credentials,
  }: Extract<ControlRequestV2, { action: 'REGISTER' }>): HostIdentity | undefined {
    if (credentials === undefined) return undefined;
    const { certificate, proof, record } = credentials;
    const identity = readIdentity(certificate);
    // An identity that was removed must not come back behind another one.
    if (identity === undefined || identity.fingerprint !== this.identity) return undefined;
    const claim = { exporter: this.exporter, hostname, instance: instance.id };
    if (!isRegistrationSigned(claim, proof, identity.publicKey)) return undefined;
    return { fingerprint: identity.fingerprint, record: { ...record, certificate } };
  }

  private proveIdentity({ certificate, proof: signature }: StatementRequest): string | undefined {
    const identity = readIdentity(certificate);
    if (identity === undefined || !this.isSigned('connection', signature, identity.publicKey))
      return undefined;
    // A connection has one identity.
    this.identity ??= identity.fingerprint;
    return this.identity === identity.fingerprint ? this.identity : undefined;
  }

  private isOwner({ owner, bundle }: StatementRequest): boolean {
    const key = owner && this.dependencies.state.ownerOf(owner.id, bundle);
    return owner !== undefined && key !== undefined && this.isSigned('owner', owner.proof, key);
  }

  private isSigned(kind: 'connection' | 'owner', signature: string, key: KeyObject): boolean {
    return isConnectionSigned(kind, { exporter: this.exporter, signature }, key);
  }

  private get exporter(): Buffer {
    const { socket } = this.dependencies;
    return socket.exportKeyingMaterial(EXPORTER_BYTES, CHANNEL_EXPORTERS.control, Buffer.alloc(0));
  }
}
