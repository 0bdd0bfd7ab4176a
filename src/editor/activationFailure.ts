import * as vscode from 'vscode';
import { PeershelfError } from '../common/errors';
import { foreignText } from './foreignText';
import { notify } from './notifier';

/** VS Code stays silent about an extension that does not start. */
export function tellActivationFailure(error: unknown): void {
  const reason = foreignText(PeershelfError.from(error).message);
  const reload = {
    title: vscode.l10n.t('Reload Window'),
    run: () => vscode.commands.executeCommand('workbench.action.reloadWindow'),
  };
  notify(
    'error',
    vscode.l10n.t('Peershelf could not start: {0} Reload the window to try again.', reason),
    [reload],
  );
}
