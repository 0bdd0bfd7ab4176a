import * as vscode from 'vscode';
import { foreignText } from './foreignText';
import type { KnownTeam } from './membership';

/** The ways into a session. */
export interface SessionWays {
  readonly known: readonly KnownTeam[];
  readonly rejoin: (team: string) => Promise<void>;
  readonly start: () => Promise<void>;
  readonly join: () => Promise<void>;
  readonly connectOpen: () => Promise<void>;
}

interface Way extends vscode.QuickPickItem {
  readonly run: () => Promise<void>;
}

/** Lets the user choose a way into a session, and goes it. */
export async function pickSessionAction(
  question: Pick<vscode.QuickPickOptions, 'title' | 'placeHolder'>,
  { known, rejoin, start, join, connectOpen }: SessionWays,
): Promise<void> {
  const ways: Way[] = [
    ...known.map(({ team, name }) => ({
      label: vscode.l10n.t('Rejoin {0}', foreignText(name)),
      run: () => rejoin(team),
    })),
    { label: vscode.l10n.t('Start Team Session (Local Tracker)'), run: start },
    { label: vscode.l10n.t('Join Team Session…'), run: join },
    { label: vscode.l10n.t('Connect to Open Tracker…'), run: connectOpen },
  ];
  const chosen = await vscode.window.showQuickPick(ways, { ...question, ignoreFocusOut: true });
  await chosen?.run();
}
