import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { readIdentity } from '../../../protocol/certificate';
import { isMembershipProven } from '../../../protocol/channelProof';
import { exportFrom, type TransferSecurity } from '../transferSecurity';
import type { Problem } from './problems';

/**
 * Lets through the requests of a connection whose first one proves that it is a member's. Nothing is
 * looked up before: to strangers every file is the same.
 */
export class MembershipGate {
  private open = false;

  /** @param onOpen called once, when membership has been proven. */
  constructor(
    private readonly socket: TLSSocket,
    private readonly security: TransferSecurity,
    private readonly onOpen: () => void,
  ) {}

  get isOpen(): boolean {
    return this.open;
  }

  /** Why a request is not answered, or undefined. */
  refusalOf(request: IncomingMessage): Problem | undefined {
    if (request.httpVersion !== '1.1') return { code: 'bad_request', closes: true };
    if (this.open) return undefined;
    if (!this.isProvenBy(request)) return { code: 'not_a_member', closes: true };
    this.open = true;
    this.onOpen();
    return undefined;
  }

  private isProvenBy({ headers }: IncomingMessage): boolean {
    const { identity, proofKey } = this.security;
    const client = readIdentity(this.socket.getPeerX509Certificate()?.raw.toString('base64') ?? '');
    if (client === undefined) return false;
    const claim = {
      exporter: exportFrom(this.socket),
      clientFingerprint: client.fingerprint,
      serverFingerprint: identity.fingerprint,
    };
    return isMembershipProven(claim, headers.authorization, proofKey);
  }
}
