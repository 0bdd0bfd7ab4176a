import type { Clock } from '../common/clock';
import { parseInvite } from '../protocol/invite';
import { openIdentity } from './identity/identity';
import type { ConnectRequest } from './peerApi';
import { TeamMember } from './team/teamMember';
import type { SessionTarget } from './trackerSession';

/** The session that a request means. @throws what is wrong with its invite or identity. */
export function toSessionTarget(request: ConnectRequest, clock: Clock): SessionTarget {
  if ('tracker' in request) return { kind: 'open', tracker: request.tracker };
  const { invite, identity } = request;
  return {
    kind: 'team',
    member: new TeamMember(parseInvite(invite), openIdentity(identity), clock),
  };
}
