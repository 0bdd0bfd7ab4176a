import { l10n } from 'vscode';
import { formatMoment } from '../editor/format';
import type { NetworkPeer } from '../peer/peerApi';
import { shortFingerprint } from '../protocol/shortFingerprint';

/** In words: an icon or a colour alone says nothing to many. @param sinceMs by the clock of the wall. */
export function describePresence({ state }: Pick<NetworkPeer, 'state'>, sinceMs: number): string {
  return state === 'away'
    ? l10n.t('away since {0}', formatMoment(sinceMs))
    : l10n.t('online since {0}', formatMoment(sinceMs));
}

/** The short fingerprint of an identity; nothing in an open session, where there is none. */
export function describeFingerprint({ identity }: Pick<NetworkPeer, 'identity'>): string[] {
  return identity === undefined ? [] : [l10n.t('fingerprint {0}', shortFingerprint(identity))];
}

/** How many files somebody offers. */
export function describeCount(files: number): string {
  return files === 1 ? l10n.t('1 file') : l10n.t('{0} files', files);
}
