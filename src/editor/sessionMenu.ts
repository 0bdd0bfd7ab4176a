import * as vscode from 'vscode';
import type { FoundSession } from '../protocol/announcement';
import { foreignText } from './foreignText';
import type { KnownTeam } from './membership';

/** Sessions in the network that are offered: a list of many helps nobody. */
const MAX_FOUND = 5;

/** The ways into a session. */
export interface SessionWays {
  readonly known: readonly KnownTeam[];
  readonly rejoin: (team: string) => Promise<void>;
  readonly start: () => Promise<void>;
  readonly join: () => Promise<void>;
  readonly connectOpen: () => Promise<void>;
  /** Sessions in the network, which are shown when they are known. Must not reject. */
  readonly found: Promise<readonly FoundSession[]>;
  readonly joinFound: (session: FoundSession) => Promise<void>;
}

interface Way extends vscode.QuickPickItem {
  readonly run: () => Promise<void>;
}

/** Lets the user choose a way into a session, and goes it. */
export async function pickSessionAction(
  question: { readonly title: string; readonly placeHolder: string },
  { known, rejoin, start, join, connectOpen, found, joinFound }: SessionWays,
): Promise<void> {
  const pick = vscode.window.createQuickPick<Way>();
  pick.title = question.title;
  pick.placeholder = question.placeHolder;
  pick.ignoreFocusOut = true;
  pick.items = [
    ...known.map(({ team, name }) => ({
      label: vscode.l10n.t('Rejoin {0}', foreignText(name)),
      run: () => rejoin(team),
    })),
    { label: vscode.l10n.t('Start Team Session (Local Tracker)'), run: start },
    { label: vscode.l10n.t('Join Team Session…'), run: join },
    { label: vscode.l10n.t('Connect to Open Tracker…'), run: connectOpen },
  ];
  const chosen = new Promise<Way | undefined>((resolve) => {
    pick.onDidAccept(() => resolve(pick.activeItems[0]));
    pick.onDidHide(() => resolve(undefined));
  });
  pick.show();
  void found.then((sessions) => addFound(pick, sessions, joinFound));
  const way = await chosen.finally(() => pick.dispose());
  await way?.run();
}

/** At the end, and with the same row active: nobody shall choose what has just come under the hand. */
function addFound(
  pick: vscode.QuickPick<Way>,
  sessions: readonly FoundSession[],
  joinFound: (session: FoundSession) => Promise<void>,
): void {
  if (sessions.length === 0) return;
  const { activeItems } = pick;
  const ways = sessions.slice(0, MAX_FOUND).map((session) => ({
    label: vscode.l10n.t('Join {0}, found in this network…', foreignText(session.sessionName)),
    run: () => joinFound(session),
  }));
  pick.items = [...pick.items, ...ways];
  pick.activeItems = activeItems;
}
