import * as vscode from 'vscode';
import { foreignText } from '../editor/foreignText';
import type { NetworkPeer } from '../peer/peerApi';
import { formatHostPort } from '../protocol/address';
import { describeCount, describeFingerprint, describePresence } from './presence';
import { hostLabel } from '../protocol/hostLabel';

/** One who is in the session. @param sinceMs when its state began, by the clock of the wall. */
export function peerItem(peer: NetworkPeer, sinceMs: number): vscode.TreeItem {
  const name = foreignText(hostLabel(peer));
  const details = [
    describePresence(peer, sinceMs),
    ...(peer.isTransferring && peer.state === 'online' ? [vscode.l10n.t('transferring')] : []),
    describeCount(peer.fileCount),
  ];
  const item = new vscode.TreeItem(name);
  item.id = peer.hostname;
  item.iconPath = iconOf(peer);
  item.description = details.join(' · ');
  // Who has published nothing serves nowhere.
  const address = peer.address.port === 0 ? [] : [foreignText(formatHostPort(peer.address))];
  item.tooltip = [
    name,
    ...details,
    foreignText(peer.hostname),
    ...describeFingerprint(peer),
    ...address,
  ].join('\n');
  const proven = peer.identity === undefined ? [] : ['proven'];
  const files = peer.fileCount > 0 ? 'files' : 'empty';
  item.contextValue = `peer:${[peer.state, ...proven, files].join(':')}`;
  item.accessibilityInformation = { label: [name, ...details].join(', ') };
  return item;
}

function iconOf({ state, isTransferring }: NetworkPeer): vscode.ThemeIcon {
  if (state === 'away')
    return new vscode.ThemeIcon('circle-slash', new vscode.ThemeColor('disabledForeground'));
  return new vscode.ThemeIcon(isTransferring ? 'arrow-swap' : 'account');
}
