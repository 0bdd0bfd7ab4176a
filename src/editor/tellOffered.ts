import * as vscode from 'vscode';
import { notify } from './notifier';
import type { Session } from './session';

/** Says what is offered as soon as a session is joined, where something is: it was published there before. */
export async function tellOffered(session: Pick<Session, 'offered'>): Promise<void> {
  const count = await session.offered();
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
