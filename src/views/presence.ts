import { l10n } from 'vscode';
import { formatMoment } from '../editor/format';
import type { NetworkPeer } from '../peer/peerApi';

/** In words: an icon or a colour alone says nothing to many. @param sinceMs by the clock of the wall. */
export function describePresence({ state }: Pick<NetworkPeer, 'state'>, sinceMs: number): string {
  return state === 'away'
    ? l10n.t('away since {0}', formatMoment(sinceMs))
    : l10n.t('online since {0}', formatMoment(sinceMs));
}

/** How many files somebody offers. */
export function describeCount(files: number): string {
  return files === 1 ? l10n.t('1 file') : l10n.t('{0} files', files);
}
