import * as vscode from 'vscode';
import { foreignText } from '../editor/foreignText';
import { formatDayAndTime, formatSize } from '../editor/format';
import type { FileComparison } from '../peer/peerApi';
import { formatHostPort } from '../protocol/address';
import { moreItem } from './moreItem';
import type { FileNode, FolderNode, NetworkNode, PeerNode } from './networkNodes';
import { networkUri } from './networkUri';
import { describeCount, describeFingerprint, describePresence } from './presence';
import { fullHostLabel, hostLabel } from '../protocol/hostLabel';

/** Sources that the tooltip names. */
const MAX_NAMED_SOURCES = 8;

export function networkItem(node: NetworkNode): vscode.TreeItem {
  switch (node.kind) {
    case 'peer':
      return peerItem(node);
    case 'folder':
      return folderItem(node);
    case 'file':
      return fileItem(node);
    case 'more':
      return moreItem(node, node.canGrow);
  }
}

function peerItem(node: PeerNode): vscode.TreeItem {
  const { peer, sinceMs } = node;
  const name = foreignText(hostLabel(peer));
  const presence = describePresence(peer, sinceMs);
  const count = describeCount(peer.fileCount);
  const isAway = peer.state === 'away';
  const details = isAway ? [presence, count] : [count];
  const item = new vscode.TreeItem(name, unfolded(node.isOpen));
  item.id = node.id;
  item.iconPath = peerIcon(isAway);
  item.description = details.join(' · ');
  item.tooltip = [
    name,
    presence,
    count,
    foreignText(peer.hostname),
    ...describeFingerprint(peer),
    foreignText(formatHostPort(peer.address)),
  ].join('\n');
  item.contextValue = `networkPeer:${peer.state}`;
  item.accessibilityInformation = { label: [name, ...details].join(', ') };
  return item;
}

function peerIcon(isAway: boolean): vscode.ThemeIcon {
  return isAway
    ? new vscode.ThemeIcon('circle-slash', new vscode.ThemeColor('disabledForeground'))
    : new vscode.ThemeIcon('account');
}

function folderItem(node: FolderNode): vscode.TreeItem {
  // A name may begin with a slash, or have two of them.
  const name = foreignText(node.folder.name) || foreignText(node.folder.prefix);
  const count = describeCount(node.folder.fileCount);
  const item = new vscode.TreeItem(name, unfolded(node.isOpen));
  item.id = node.id;
  item.resourceUri = networkUri(node.folder.name, {});
  item.iconPath = vscode.ThemeIcon.Folder;
  item.description = count;
  item.tooltip = [foreignText(node.folder.prefix), count].join('\n');
  item.contextValue = 'networkFolder';
  item.accessibilityInformation = { label: [name, vscode.l10n.t('folder'), count].join(', ') };
  return item;
}

function fileItem(node: FileNode): vscode.TreeItem {
  const { file, mark, awaySinceMs } = node;
  const name = foreignText(node.label);
  const size = formatSize(file.sizeBytes);
  const away = awaySinceMs === undefined ? [] : [describePresence({ state: 'away' }, awaySinceMs)];
  const word = mark === undefined ? [] : describeMark(mark);
  // No age: a row that nothing changes about stays as it was drawn.
  const published = vscode.l10n.t('published {0}', formatDayAndTime(file.publishedAtMs));
  const owners = describeOwners(node);
  // Below a peer it is clear whose they are.
  const isBelowPeer = node.parent?.kind === 'peer' || node.parent?.hostname !== undefined;
  const item = new vscode.TreeItem(name, vscode.TreeItemCollapsibleState.None);
  item.id = node.id;
  item.resourceUri = networkUri(file.name, { mark, isAway: awaySinceMs !== undefined });
  item.iconPath = vscode.ThemeIcon.File;
  // First what matters most: a narrow view cuts the rest off.
  item.description = [...away, ...word, size, ...(isBelowPeer ? [] : [owners])].join(' · ');
  item.tooltip = [
    foreignText(file.name),
    ...namedSources(node),
    size,
    published,
    ...(mark === undefined ? [] : explainMark(mark)),
  ].join('\n');
  const availability = awaySinceMs === undefined ? 'available' : 'away';
  // What is not looked at yet may be here.
  item.contextValue = `networkFile:${availability}:${mark ?? 'unread'}`;
  item.accessibilityInformation = {
    label: [name, owners, size, published, ...word, ...away].join(', '),
  };
  return item;
}

function describeOwners({ file, sources }: FileNode): string {
  return sources.length === 1
    ? foreignText(hostLabel(file))
    : vscode.l10n.t('{0} sources', sources.length);
}

function namedSources({ sources }: FileNode): string[] {
  const named = sources.slice(0, MAX_NAMED_SOURCES).map((source) => {
    const { state, awayForMs = 0 } = source;
    const name = foreignText(fullHostLabel(source));
    if (state === 'online') return name;
    return `${name} (${describePresence({ state }, Date.now() - awayForMs)})`;
  });
  const left = sources.length - named.length;
  return left > 0 ? [...named, vscode.l10n.t('and {0} more', left)] : named;
}

/** A word for the row; nothing while it is not known. */
function describeMark(mark: FileComparison): string[] {
  switch (mark) {
    case 'new':
      return [vscode.l10n.t('new')];
    case 'same':
      return [vscode.l10n.t('same')];
    case 'different':
      return [vscode.l10n.t('different')];
    case 'sameSize':
      return [vscode.l10n.t('same size')];
    case 'unread':
      return [];
  }
}

function explainMark(mark: FileComparison): string[] {
  switch (mark) {
    case 'new':
      return [vscode.l10n.t('This workspace does not have the file.')];
    case 'same':
      return [vscode.l10n.t('This workspace has the file, with the same content.')];
    case 'different':
      return [vscode.l10n.t('This workspace has the file with other content.')];
    case 'sameSize':
      return [vscode.l10n.t('This workspace has a file of the same size here.')];
    case 'unread':
      return [];
  }
}

function unfolded(isOpen: boolean): vscode.TreeItemCollapsibleState {
  return isOpen
    ? vscode.TreeItemCollapsibleState.Expanded
    : vscode.TreeItemCollapsibleState.Collapsed;
}
