import { PeershelfError } from '../common/errors';
import type { KnownMember } from '../peer/peerApi';
import { isIdentity, isShortFingerprint, shortFingerprint } from '../protocol/shortFingerprint';

/**
 * Whether a name that the user gives is that of a member: a host name, an identity or a short fingerprint.
 * One that is written as either of the latter is never a host name, which anybody may choose.
 */
export function isCalled({ identity, hostnames }: KnownMember, name: string): boolean {
  if (isIdentity(name)) return identity === name;
  if (isShortFingerprint(name)) return shortFingerprint(identity) === name;
  return hostnames.includes(name);
}

/** @throws NOT_FOUND, AMBIGUOUS_NAME. */
export function chooseMember(members: readonly KnownMember[], name: string): KnownMember {
  const found = members.filter((member) => isCalled(member, name));
  const [member] = found;
  if (member === undefined)
    throw new PeershelfError('NOT_FOUND', `no member is called ${name}`, { details: { name } });
  if (found.length > 1)
    throw new PeershelfError('AMBIGUOUS_NAME', `several members are called ${name}`, {
      details: { name },
    });
  return member;
}
