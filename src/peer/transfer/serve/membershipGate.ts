import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { readIdentity } from '../../../protocol/certificate';
import { isMembershipProven } from '../../../protocol/channelProof';
import { exportFrom, type TransferSecurity } from '../transferSecurity';
import type { Problem } from './problems';

/**
 * Lets through the requests of a connection whose first one proves that it is a member's. Nothing is
 * looked up before: to outsiders every file is the same.
 */
export class MembershipGate {
  /** Identity of the member, once membership has been proven. */
  private member: string | undefined;

  /** @param onOpen called once, when membership has been proven. */
  constructor(
    private readonly socket: TLSSocket,
    private readonly security: TransferSecurity,
    private readonly onOpen: () => void,
  ) {}

  get isOpen(): boolean {
    return this.member !== undefined;
  }

  /** Whether a member was let through who would be refused now. */
  get isRefused(): boolean {
    return this.member !== undefined && this.security.refusalOf(this.member) !== undefined;
  }

  /** Why a request is not answered, or undefined. */
  refusalOf(request: IncomingMessage): Problem | undefined {
    if (request.httpVersion !== '1.1') return { code: 'bad_request', closes: true };
    const member = this.member ?? this.provenBy(request);
    // Asked for each request: a removal, or the end of the lease, counts from then on.
    if (member === undefined || this.security.refusalOf(member) !== undefined)
      return { code: 'not_a_member', closes: true };
    if (this.member === undefined) {
      this.member = member;
      this.onOpen();
    }
    return undefined;
  }

  /** Whether a request proves membership in this epoch, or in one before; it lets nothing through. */
  isProvenBy(request: IncomingMessage): boolean {
    const { proofKey, statements } = this.security;
    const keys = [proofKey, ...(statements?.earlierProofKeys ?? [])];
    return this.isOpen || keys.some((key) => this.provenBy(request, key) !== undefined);
  }

  private provenBy(
    { headers }: IncomingMessage,
    proofKey = this.security.proofKey,
  ): string | undefined {
    const { identity } = this.security;
    const client = readIdentity(this.socket.getPeerX509Certificate()?.raw.toString('base64') ?? '');
    if (client === undefined) return undefined;
    const claim = {
      exporter: exportFrom(this.socket),
      clientFingerprint: client.fingerprint,
      serverFingerprint: identity.fingerprint,
    };
    return isMembershipProven(claim, headers.authorization, proofKey)
      ? client.fingerprint
      : undefined;
  }
}
