import type { KeyObject } from 'node:crypto';
import type { Clock } from '../../common/clock';
import type { HostPort } from '../../protocol/address';
import type { OwnIdentity } from '../../protocol/certificate';
import { signRegistration } from '../../protocol/channelProof';
import type { Credentials } from '../../protocol/credentials';
import { sealingPointOf } from '../../protocol/envelope';
import { sealHostRecord } from '../../protocol/hostRecord';
import type { Invite } from '../../protocol/invite';
import type { Statement } from '../../protocol/statement';
import { signConnection, type StatementRequest } from '../../protocol/statementMessages';
import {
  commitmentOf,
  deriveTeamKeys,
  type TeamEpoch,
  type TeamKeys,
} from '../../protocol/teamKeys';

/** Claim of a host: its names, and the run of the window that it is. */
export interface HostClaim {
  readonly hostname: string;
  readonly displayName: string;
  readonly instance: string;
}

/**
 * This user as a member of one team: keeps what only members have, and makes from it what may be
 * shown to others. The team key itself is not kept.
 */
export class TeamMember {
  readonly teamId: string;
  private keys: TeamKeys;
  private epoch: Pick<Statement, 'charterNumber' | 'commitment'>;
  private readonly sealingPoint: string;
  private lastSequence = 0;

  constructor(
    readonly invite: Invite,
    readonly identity: OwnIdentity,
    private readonly clock: Clock,
  ) {
    this.teamId = invite.team.id;
    this.keys = deriveTeamKeys(invite.team);
    this.epoch = epochOf(invite.team);
    this.sealingPoint = sealingPointOf(identity.privateKey);
  }

  get sessionName(): string {
    return this.invite.sessionName;
  }

  /** Places where the tracker may be. */
  get addresses(): readonly HostPort[] {
    return this.invite.addresses;
  }

  /** Identity of the tracker. */
  get trackerFingerprint(): string {
    return this.invite.fingerprint;
  }

  /** Whether this member has the key of the epoch that a statement is about. */
  hasKeyOf({ charterNumber, commitment }: Statement): boolean {
    return this.epoch.charterNumber === charterNumber && this.epoch.commitment === commitment;
  }

  /** Whether the invite that this member has is of the epoch that it is in. */
  get isInviteCurrent(): boolean {
    return this.epoch.commitment === commitmentOf(this.invite.team);
  }

  get membershipKey(): KeyObject {
    return this.keys.membershipKey;
  }

  get proofKey(): KeyObject {
    return this.keys.proofKey;
  }

  /** Goes on with the key of another epoch. */
  enter(epoch: TeamEpoch): void {
    this.keys = deriveTeamKeys(epoch);
    this.epoch = epochOf(epoch);
  }

  /** Identity and public sealing key of this member. */
  get sealed(): { readonly identity: string; readonly sealingPoint: string } {
    return { identity: this.identity.fingerprint, sealingPoint: this.sealingPoint };
  }

  /** Token for HELLO, and for nobody but the pinned tracker. */
  token(): string {
    return this.keys.trackerToken.export().toString('base64url');
  }

  /** Shows on a connection whose it is. @param exporter keying material of that connection. */
  showIdentity(exporter: Uint8Array): StatementRequest {
    const { certificate, privateKey } = this.identity;
    return { certificate, proof: signConnection('connection', exporter, privateKey) };
  }

  /** @param exporter keying material of the connection on which this is sent. */
  credentials(claim: HostClaim, exporter: Uint8Array): Credentials {
    const { certificate, privateKey } = this.identity;
    return {
      certificate,
      proof: signRegistration({ ...claim, exporter }, privateKey),
      record: this.record(claim),
    };
  }

  /** A host record as of now; later ones have higher sequence numbers. */
  record({ hostname, displayName, instance }: HostClaim): Credentials['record'] {
    const { certificate, privateKey, fingerprint } = this.identity;
    const timeMs = Math.floor(this.clock.now());
    // By the time, so that it grows over restarts too; a clock that is set back must not lower it.
    this.lastSequence = Math.max(this.lastSequence + 1, timeMs);
    const { text, signature, mac } = sealHostRecord(
      {
        ...{ teamId: this.teamId, hostname, displayName, fingerprint, instance },
        sealingPoint: this.sealingPoint,
        sequence: this.lastSequence,
        timeMs,
      },
      { certificate, privateKey, membershipKey: this.membershipKey },
    );
    return { text, signature, mac };
  }
}

function epochOf(team: TeamEpoch): Pick<Statement, 'charterNumber' | 'commitment'> {
  return { charterNumber: team.charterNumber, commitment: commitmentOf(team) };
}
