import * as vscode from 'vscode';
import { COMMANDS } from '../editor/contributions';

/**
 * The row for those that are left out.
 * @param canGrow whether pressing it shows more; else it asks for a filter.
 */
export function moreItem(
  { id, left }: { id: string; left: number },
  canGrow = true,
): vscode.TreeItem {
  const item = new vscode.TreeItem(
    canGrow
      ? vscode.l10n.t('Show more… ({0} left)', left)
      : vscode.l10n.t('{0} more: filter to find them', left),
  );
  item.id = id;
  item.contextValue = 'more';
  item.command = canGrow
    ? { command: COMMANDS.showMore, title: '', arguments: [id] }
    : { command: COMMANDS.filterNetwork, title: '' };
  return item;
}
