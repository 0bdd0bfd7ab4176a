import type { PeerSettings } from './peerApi';

/**
 * What a change of settings means for a tracker: that it has to be told where this peer serves, who it
 * is, or nothing.
 */
export function changeFor(before: PeerSettings, after: PeerSettings): 'place' | 'name' | undefined {
  const { ports } = before;
  if (ports.first !== after.ports.first || ports.last !== after.ports.last) return 'place';
  if (before.advertiseAddress !== after.advertiseAddress) return 'place';
  const isSame = before.hostname === after.hostname && before.displayName === after.displayName;
  return isSame ? undefined : 'name';
}
