import * as vscode from 'vscode';
import type { FetchResult } from '../peer/peerApi';
import { describeFailures } from './failures';
import type { FetchOutcome } from './fetchRun';
import { foreignText } from './foreignText';
import { notify, type NotificationAction, notifyWithLog } from './notifier';

/**
 * Tells what came of a fetch, in at most one notification.
 * @param place what to show of several files; the first of them when nothing is said.
 * @throws the failure when there was one file only.
 */
export function reportFetch(outcome: FetchOutcome, isOneFile: boolean, place?: string): void {
  const { single, failures, fetched, total } = outcome;
  const [failure] = failures;
  const first = single[0]?.result;
  if (isOneFile) {
    if (failure !== undefined) throw failure.error;
    if (first !== undefined) notify('info', describeResult(first), actionsFor(first.path, true));
    return;
  }
  // Nothing came of it because the user wanted nothing of it.
  if (outcome.cancelled + outcome.skipped === total) return;
  const path = place ?? first?.path;
  const actions = path === undefined ? [] : actionsFor(path, false);
  if (failure !== undefined || outcome.untold > 0)
    notifyWithLog('error', describeFailures(summaryOf(outcome), failures));
  else if (fetched === total)
    notify(
      'info',
      fetched === 1
        ? vscode.l10n.t('Fetched 1 file.')
        : vscode.l10n.t('Fetched {0} files.', fetched),
      actions,
    );
  else notify('info', summaryOf(outcome), actions);
}

function summaryOf(outcome: FetchOutcome): string {
  const { fetched, alreadyThere, skipped, cancelled, failed, total } = outcome;
  const parts = [
    ...(fetched > 0 ? [vscode.l10n.t('{0} fetched', fetched)] : []),
    ...(alreadyThere > 0 ? [vscode.l10n.t('{0} already there', alreadyThere)] : []),
    ...(skipped > 0 ? [vscode.l10n.t('{0} skipped', skipped)] : []),
    ...(cancelled > 0 ? [vscode.l10n.t('{0} cancelled', cancelled)] : []),
    ...(failed > 0 ? [vscode.l10n.t('{0} failed', failed)] : []),
  ];
  const list = parts.join(', ');
  return total === 1
    ? vscode.l10n.t('Of 1 file: {0}.', list)
    : vscode.l10n.t('Of {0} files: {1}.', total, list);
}

function describeResult(result: FetchResult): string {
  const shown = foreignText(vscode.workspace.asRelativePath(result.path));
  const owner = foreignText(result.displayName);
  if (result.outcome === 'alreadyThere')
    return vscode.l10n.t('{0} is here already, with the same content.', shown);
  if (result.changedSincePublished)
    return vscode.l10n.t(
      'Fetched {0} from {1}. It has changed since it was published.',
      shown,
      owner,
    );
  return vscode.l10n.t('Fetched {0} from {1}.', shown, owner);
}

/** The explorer shows what lies in the workspace only. */
function actionsFor(path: string, withOpen: boolean): NotificationAction[] {
  const uri = vscode.Uri.file(path);
  const action = (title: string, command: string): NotificationAction => ({
    title,
    run: () => vscode.commands.executeCommand(command, uri),
  });
  const isInWorkspace = vscode.workspace.getWorkspaceFolder(uri) !== undefined;
  return [
    ...(withOpen ? [action(vscode.l10n.t('Open'), 'vscode.open')] : []),
    ...(isInWorkspace ? [action(vscode.l10n.t('Reveal'), 'revealInExplorer')] : []),
  ];
}
