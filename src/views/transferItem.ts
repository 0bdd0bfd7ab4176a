import * as vscode from 'vscode';
import { fromPlainError } from '../common/errors';
import { errorMessage } from '../editor/errorMessages';
import { foreignText } from '../editor/foreignText';
import { formatDuration, formatSize } from '../editor/format';
import type { Transfer } from '../peer/peerApi';

/** Sources that the tooltip names. */
const MAX_NAMED_SOURCES = 8;

const ICONS: Readonly<Record<Transfer['state'], string>> = {
  waiting: 'clock',
  running: 'arrow-swap',
  paused: 'debug-pause',
  done: 'check',
  failed: 'error',
  cancelled: 'circle-slash',
};

/** One row: what is transferred, how far it is, and what can be done with it (`contextValue`). */
export function transferItem(transfer: Transfer): vscode.TreeItem {
  const name = foreignText(transfer.name);
  const state = describeState(transfer);
  const isUpload = transfer.direction === 'upload';
  const who = describeOthers(transfer);
  const item = new vscode.TreeItem(name);
  item.id = transfer.id;
  item.iconPath = new vscode.ThemeIcon(iconOf(transfer));
  item.description = [...state, ...who].join(' · ');
  item.tooltip = [name, ...state, ...who].join('\n');
  item.contextValue = contextOf(transfer);
  item.accessibilityInformation = {
    label: [
      isUpload ? vscode.l10n.t('Upload') : vscode.l10n.t('Download'),
      name,
      ...state,
      ...who,
    ].join(', '),
  };
  return item;
}

/**
 * `transfer:DIRECTION:STATE:KIND`, then `:retry` where it can be tried again, or `:inside` when its file
 * lies in the workspace.
 */
function contextOf({ direction, state, kind, canRetry, path }: Transfer): string {
  const isInside =
    path !== undefined && vscode.workspace.getWorkspaceFolder(vscode.Uri.file(path)) !== undefined;
  const end = canRetry ? ['retry'] : isInside ? ['inside'] : [];
  return `transfer:${[direction, state, kind, ...end].join(':')}`;
}

/** Progress in words: state alone would be told by an icon only. */
export function describeState(transfer: Transfer): string[] {
  const { direction, kind, state, bytes, totalBytes, bytesPerSecond, error, leftOutFiles } =
    transfer;
  const percent = `${totalBytes === 0 ? 100 : Math.floor((bytes / totalBytes) * 100)} %`;
  switch (state) {
    case 'waiting':
      return [vscode.l10n.t('waiting')];
    case 'running':
      return [
        // What a folder holds is known when who offers it has been asked.
        ...(totalBytes > 0 || kind === 'file' ? [percent] : []),
        vscode.l10n.t('{0}/s', formatSize(bytesPerSecond)),
        ...(bytesPerSecond > 0
          ? [vscode.l10n.t('{0} left', formatDuration((totalBytes - bytes) / bytesPerSecond))]
          : []),
      ];
    case 'paused':
      return [vscode.l10n.t('paused'), percent];
    case 'done':
      return [
        vscode.l10n.t('done'),
        // Who fetches from several takes only a part from each.
        formatSize(direction === 'upload' ? bytes : totalBytes),
        ...(leftOutFiles > 0 ? [describeLeftOut(leftOutFiles)] : []),
      ];
    case 'failed':
      // Whoever fetches may pause or have had enough: nothing here went wrong.
      if (isEndedByOther(transfer)) return [vscode.l10n.t('ended by the other side')];
      return [
        vscode.l10n.t('failed'),
        ...(error === undefined ? [] : [errorMessage(fromPlainError(error))]),
      ];
    case 'cancelled':
      return [vscode.l10n.t('cancelled')];
  }
}

function describeLeftOut(files: number): string {
  return files === 1
    ? vscode.l10n.t('1 file left out')
    : vscode.l10n.t('{0} files left out', files);
}

function isEndedByOther({ direction, state, error }: Transfer): boolean {
  if (direction !== 'upload' || state !== 'failed') return false;
  return error?.code === 'CONNECTION_LOST' || error?.code === 'STALLED';
}

function iconOf(transfer: Transfer): string {
  const { state, direction } = transfer;
  if (isEndedByOther(transfer)) return ICONS.cancelled;
  if (state !== 'running') return ICONS[state];
  return direction === 'upload' ? 'arrow-up' : 'arrow-down';
}

/** To whom or from whom; nothing as long as that is not known. */
function describeOthers(transfer: Transfer): string[] {
  if (transfer.direction === 'upload') return [vscode.l10n.t('to {0}', foreignText(transfer.peer))];
  const sources = sourcesOf(transfer);
  return sources === '' ? [] : [vscode.l10n.t('from {0}', sources)];
}

/** Who sends; before anybody has sent something, who is asked. */
function sourcesOf({ sources, peer }: Transfer): string {
  const names = sources.length === 0 ? [peer] : sources;
  const shown = names.slice(0, MAX_NAMED_SOURCES).map((name) => foreignText(name));
  const left = names.length - shown.length;
  return [...shown, ...(left > 0 ? [vscode.l10n.t('and {0} more', left)] : [])].join(', ');
}
