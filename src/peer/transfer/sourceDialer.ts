import type { OnReadOpts, Socket } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import type { Clock } from '../../common/clock';
import { PeershelfError, systemCode } from '../../common/errors';
import { formatHostPort, type HostPort } from '../../protocol/address';
import { fingerprintOf } from '../../protocol/certificate';
import { proveMembership } from '../../protocol/channelProof';
import { dial, established } from '../control/dial';
import { type Attempt, FirstContacts } from './firstContacts';
import {
  exportFrom,
  secureContextOf,
  type SecuritySource,
  type StatementExchange,
  type TransferSecurity,
} from './transferSecurity';

/** Identities and statements remembered as told: as many as sources are remembered as met. */
const MAX_TOLD = 4_096;

/** A statement that did not arrive is told again after this at the earliest: to tell costs a connection. */
const TELL_AGAIN_MS = 60_000;

/** Where a source is, and who must be there. */
export interface SourceAddress extends HostPort {
  /** SHA-256 of its certificate, by a host record that was verified; open sessions have none. */
  readonly fingerprint?: string | undefined;
}

export interface SourceDialRequest {
  readonly source: SourceAddress;
  /** Where what arrives is put, for who does not want to copy it. */
  readonly onread?: OnReadOpts | undefined;
  /** For everything until the connection can be used. */
  readonly deadlineMs: number;
  readonly signal?: AbortSignal | undefined;
}

export interface SourceConnection {
  readonly socket: Socket;
  /** Header `Authorization` of the first request; undefined in an open session. */
  readonly authorization: string | undefined;
}

/**
 * Opens connections to sources: plain ones in an open session, in a team session only such as show
 * the certificate of whom we look for. Neither ever takes the place of the other.
 */
export class SourceDialer {
  private readonly contacts: FirstContacts;
  /** Statements that were told to others, by hash and identity, and when each may be told again. */
  private readonly told = new Map<string, number>();
  /** Open connections inside TLS, and why each would be refused now. */
  private readonly open = new Map<TLSSocket, () => PeershelfError | undefined>();

  constructor(
    private readonly clock: Clock,
    private readonly security: SecuritySource,
    /**
     * Called for each identity and statement, when there is a connection, until it resolves to true: it
     * has been told.
     */
    private readonly onMet: (
      source: SourceAddress,
      statements: StatementExchange,
    ) => Promise<boolean> = () => Promise.resolve(true),
  ) {
    this.contacts = new FirstContacts(clock);
  }

  /**
   * Whoever calls owns the socket, its errors included. In a team session nothing has been sent over
   * it but our certificate, which says nothing but that it is ours: TLS shows it before anybody can
   * look at the other one.
   * @throws PEER_UNREACHABLE, CANCELLED; PEER_IDENTITY_MISMATCH when somebody else is there, when it
   * is not known who has to be, and when a source of a team is met without a team.
   */
  async dial(request: SourceDialRequest): Promise<SourceConnection> {
    const security = this.security();
    if (security === undefined)
      return { socket: await this.dialOpen(request), authorization: undefined };
    return this.dialSecure(request, security);
  }

  /** Ends what was opened with the keys of an epoch that is over. */
  endAll(): void {
    for (const socket of this.open.keys()) socket.destroy();
  }

  /** Ends what is open with whom nothing may be fetched from any more. */
  endRefused(): void {
    for (const [socket, refusalOf] of this.open) if (refusalOf() !== undefined) socket.destroy();
  }

  /** As `dial`, for what is only spoken in open sessions; in others it is refused. */
  async dialOpen(request: SourceDialRequest): Promise<Socket> {
    const { source, onread, deadlineMs, signal } = request;
    const { host, port, fingerprint } = source;
    if (fingerprint !== undefined || this.security() !== undefined)
      throw mismatch(source, 'one end is in a team session, the other one is not');
    return dial({
      options: { host, port, ...(onread === undefined ? {} : { onread }) },
      unreachable: 'PEER_UNREACHABLE',
      clock: this.clock,
      ...{ deadlineMs, signal },
    });
  }

  private dialSecure(
    request: SourceDialRequest,
    security: TransferSecurity,
  ): Promise<SourceConnection> {
    const { source, deadlineMs, signal } = request;
    const { host, port, fingerprint } = source;
    if (fingerprint === undefined)
      return Promise.reject(mismatch(source, 'it is not known who has to be there'));
    const refusal = security.refusalOf(fingerprint);
    if (refusal !== undefined) return Promise.reject(refusal);
    const meeting = { place: { host, port }, fingerprint, deadlineMs, signal };
    return this.contacts.meet(meeting, async (attempt) => {
      const socket = await this.shakeHands(request, security, attempt);
      const refuse = (): PeershelfError | undefined => security.refusalOf(fingerprint);
      this.open.set(socket, refuse);
      socket.once('close', () => this.open.delete(socket));
      // A statement may have arrived during the handshake.
      const later = refuse();
      if (later !== undefined) {
        socket.on('error', () => undefined).destroy();
        throw later;
      }
      const claim = {
        exporter: exportFrom(socket),
        clientFingerprint: security.identity.fingerprint,
        serverFingerprint: fingerprint,
      };
      this.tell(source, fingerprint, security);
      return { socket, authorization: proveMembership(claim, security.proofKey) };
    });
  }

  private tell(source: SourceAddress, fingerprint: string, { statements }: TransferSecurity): void {
    const signature = statements?.current()?.statement.signature;
    if (statements === undefined || signature === undefined) return;
    const key = `${fingerprint} ${signature}`;
    if (this.clock.monotonic() < (this.told.get(key) ?? 0)) return;
    // Of too many all are told again: to tell once more changes nothing.
    if (this.told.size >= MAX_TOLD) this.told.clear();
    // Until it is known: to tell dials, too.
    this.told.set(key, Infinity);
    void this.onMet(source, statements).then((isTold) => {
      if (!isTold) this.told.set(key, this.clock.monotonic() + TELL_AGAIN_MS);
    });
  }

  private async shakeHands(
    { source, onread, signal }: SourceDialRequest,
    { identity }: TransferSecurity,
    { deadlineMs, onReached }: Attempt,
  ): Promise<TLSSocket> {
    const { host, port } = source;
    const options = { host, port, ...(onread === undefined ? {} : { onread }) };
    const connecting = connect({
      ...options,
      secureContext: secureContextOf(identity),
      rejectUnauthorized: false, // The pin decides: no authority has signed these certificates.
    });
    connecting.once('connect', onReached);
    try {
      const socket = await established(connecting, 'secureConnect', {
        ...{ options, deadlineMs, signal, clock: this.clock },
        unreachable: 'PEER_UNREACHABLE',
        check: (tls) => checkPin(tls, source),
      });
      return socket.setNoDelay(true);
    } catch (error) {
      throw isOfTls(error) ? mismatch(source, 'no TLS of ours', error) : error;
    }
  }
}

function checkPin(socket: TLSSocket, source: SourceAddress): void {
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined || fingerprintOf(certificate) !== source.fingerprint)
    throw mismatch(source, 'somebody else is there');
}

/** Whether the other side answered something else than TLS 1.3: nobody of a team does. */
function isOfTls(error: unknown): boolean {
  const code = PeershelfError.is(error) ? systemCode(error.cause) : undefined;
  return code !== undefined && (code === 'EPROTO' || code.startsWith('ERR_SSL_'));
}

function mismatch(source: HostPort, why: string, cause?: unknown): PeershelfError {
  const address = formatHostPort(source);
  return new PeershelfError('PEER_IDENTITY_MISMATCH', `${address} is not the source: ${why}`, {
    cause,
    details: { address },
  });
}
