import * as vscode from 'vscode';
import { notify } from './notifier';

/** Says how many files are offered as soon as a session is joined, as they were published there before. */
export function tellOffered(count: number): void {
  if (count === 0) return;
  notify(
    'info',
    count === 1
      ? vscode.l10n.t('1 file that you published in this session before is offered again.')
      : vscode.l10n.t(
          '{0} files that you published in this session before are offered again.',
          count,
        ),
  );
}
