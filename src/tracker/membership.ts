import type { TLSSocket } from 'node:tls';
import { readIdentity } from '../protocol/certificate';
import { CHANNEL_EXPORTERS, EXPORTER_BYTES, isRegistrationSigned } from '../protocol/channelProof';
import type { ControlRequestV2 } from '../protocol/controlRequestsV2';
import { isTrackerToken } from '../protocol/teamKeys';
import type { HostnameBindings } from './hostnameBindings';
import type { HostIdentity } from './registry';

export interface MembershipDependencies {
  readonly socket: TLSSocket;
  /** Of the token as it is now. */
  readonly tokenHash: () => string;
  readonly bindings: HostnameBindings;
  /** Called when the connection has shown the token. */
  readonly onAdmitted: () => void;
}

/** What one connection to a team's session has shown: that it is a member's, and whose. */
export class Membership {
  private admitted = false;
  /** What the connection has registered last. */
  private registered: string | undefined;
  private isOver = false;

  constructor(private readonly dependencies: MembershipDependencies) {}

  get isAdmitted(): boolean {
    return this.admitted;
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

  /** Takes the token of a HELLO. @param token base64url, if there is one. */
  admit(token: string | undefined): boolean {
    const { tokenHash, onAdmitted } = this.dependencies;
    if (!isTrackerToken(Buffer.from(token ?? '', 'base64url'), tokenHash())) return false;
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
    if (identity === undefined) return undefined;
    const exporter = this.dependencies.socket.exportKeyingMaterial(
      EXPORTER_BYTES,
      CHANNEL_EXPORTERS.control,
      Buffer.alloc(0),
    );
    const claim = { exporter, hostname, instance: instance.id };
    if (!isRegistrationSigned(claim, proof, identity.publicKey)) return undefined;
    return { fingerprint: identity.fingerprint, record: { ...record, certificate } };
  }
}
