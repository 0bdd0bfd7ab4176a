import { createHash } from 'node:crypto';
import type { Clock } from '../common/clock';
import { formatHostPort, type HostPort } from '../protocol/address';
import { parseInvite } from '../protocol/invite';
import type { TrackerTarget } from './control/controlLink';
import { openIdentity } from './identity/identity';
import type { ConnectRequest } from './peerApi';
import { TeamMember } from './team/teamMember';

/** Which session to join: an open one at an address, or that of a team. */
export type SessionTarget =
  | { readonly kind: 'open'; readonly tracker: HostPort }
  | {
      readonly kind: 'team';
      readonly member: TeamMember;
      /** Whether the user comes back, rather than by an invite that was just given. */
      readonly isReturning: boolean;
    };

/** The session that a request means. @throws what is wrong with its invite or identity. */
export function toSessionTarget(request: ConnectRequest, clock: Clock): SessionTarget {
  if ('tracker' in request) return { kind: 'open', tracker: request.tracker };
  const { invite, identity, isReturning = false } = request;
  return {
    kind: 'team',
    isReturning,
    member: new TeamMember(parseInvite(invite), openIdentity(identity), clock),
  };
}

/** Where its tracker is, and how that is known. */
export function toTrackerTarget(target: SessionTarget): TrackerTarget {
  if (target.kind === 'open') return { addresses: [target.tracker] };
  const { addresses, trackerFingerprint: fingerprint } = target.member;
  return { addresses, fingerprint };
}

/** The same for the same session in another run, and no secret. */
export function keyOf(target: SessionTarget): string {
  return target.kind === 'open'
    ? hash(`open ${formatHostPort(target.tracker)}`)
    : keyOfTeam(target.member.teamId);
}

export function keyOfTeam(teamId: string): string {
  return hash(`team ${teamId}`);
}

/** 32 hexadecimal digits: enough to be the only one, short enough for a file name. */
export function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}
