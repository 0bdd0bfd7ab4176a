import { shortFingerprint } from './shortFingerprint';
import { plainText } from './text';

/** Owner of a host, as far as that is known. */
export interface HostIdentity {
  /** In full, of a team's session; an open session has none. See `shortFingerprint` for people. */
  readonly identity?: string;
  /** Another identity has a name that equals or looks like one of this host's. */
  readonly looksAlike?: boolean;
}

/** A host with what people call it. */
export interface NamedHost extends HostIdentity {
  readonly hostname: string;
  readonly displayName: string;
}

/**
 * Longest name in a label that tells two hosts apart, in UTF-16 units: two of them and the fingerprint
 * fit into `MAX_SHOWN_TEXT_LENGTH`, so that no name is long enough to push the fingerprint out of sight.
 */
export const MAX_LABEL_NAME_LENGTH = 100;

/** The display name; with host name and short fingerprint when another identity's looks like it. */
export function hostLabel(host: NamedHost): string {
  return host.looksAlike === true ? fullHostLabel(host) : host.displayName;
}

/** Display name, host name and, in a team's session, short fingerprint: fit for one line. */
export function fullHostLabel({ displayName, hostname, identity }: NamedHost): string {
  const parts = [plainText(hostname, MAX_LABEL_NAME_LENGTH)];
  if (identity !== undefined) parts.push(shortFingerprint(identity));
  return `${plainText(displayName, MAX_LABEL_NAME_LENGTH)} (${parts.join(', ')})`;
}
