import type { KeyObject } from 'node:crypto';
import type { Clock } from '../../common/clock';
import type { HostPort } from '../../protocol/address';
import type { OwnIdentity } from '../../protocol/certificate';
import { signRegistration } from '../../protocol/channelProof';
import type { Credentials } from '../../protocol/credentials';
import { sealHostRecord } from '../../protocol/hostRecord';
import type { Invite } from '../../protocol/invite';
import { deriveTeamKeys } from '../../protocol/teamKeys';

/** What a host says of itself, and for which run of which window. */
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
  readonly sessionName: string;
  /** Where the tracker may be found. */
  readonly addresses: readonly HostPort[];
  /** Of the tracker's certificate. */
  readonly trackerFingerprint: string;
  readonly membershipKey: KeyObject;
  readonly proofKey: KeyObject;
  private readonly trackerToken: KeyObject;
  private lastSequence = 0;

  constructor(
    { team, sessionName, addresses, fingerprint }: Invite,
    readonly identity: OwnIdentity,
    private readonly clock: Clock,
  ) {
    const keys = deriveTeamKeys(team);
    this.teamId = team.id;
    this.sessionName = sessionName;
    this.addresses = addresses;
    this.trackerFingerprint = fingerprint;
    this.membershipKey = keys.membershipKey;
    this.proofKey = keys.proofKey;
    this.trackerToken = keys.trackerToken;
  }

  /** For HELLO, and for nobody but the pinned tracker. */
  token(): string {
    return this.trackerToken.export().toString('base64url');
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
        sequence: this.lastSequence,
        timeMs,
      },
      { certificate, privateKey, membershipKey: this.membershipKey },
    );
    return { text, signature, mac };
  }
}
