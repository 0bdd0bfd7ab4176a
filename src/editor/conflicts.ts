import { basename } from 'node:path';
import * as vscode from 'vscode';
import { onAbort } from '../common/abort';
import type { PeershelfError } from '../common/errors';
import type { NetworkRow } from '../peer/peerApi';
import type { Conflict, Decision } from './fetchRun';
import { foreignText } from './foreignText';
import { detailOf, ownersOf } from './rowText';
import { toWanted, type Wish, wishOf } from './wantedFile';

interface Answer extends vscode.QuickPickItem {
  /** Undefined compares, and asks again. */
  readonly decision?: Decision;
}

/**
 * What to do about what is in the way of a file; undefined to leave this and all others.
 * @param compare shows the difference until the user has seen enough; undefined where that cannot be.
 * @param signal takes the question away.
 */
export async function askAboutConflict(
  conflict: Conflict,
  compare: (() => Promise<void>) | undefined,
  signal?: AbortSignal,
): Promise<Decision | undefined> {
  const { destination } = conflict.job.place;
  const shown = foreignText(vscode.workspace.asRelativePath(destination));
  const source = new vscode.CancellationTokenSource();
  const abort = onAbort(signal, () => source.cancel());
  try {
    for (;;) {
      const chosen = await vscode.window.showQuickPick(
        answersTo(conflict, compare !== undefined),
        {
          title: conflict.isUnsaved
            ? vscode.l10n.t('{0} has unsaved changes in an editor.', shown)
            : vscode.l10n.t('{0} exists with other content.', shown),
          placeHolder: vscode.l10n.t('Choose what becomes of it'),
          ignoreFocusOut: true,
        },
        source.token,
      );
      if (chosen === undefined || chosen.decision !== undefined) return chosen?.decision;
      await compare?.();
      if (signal?.aborted === true) return undefined;
    }
  } finally {
    abort.dispose();
    source.dispose();
  }
}

/**
 * Whose file is meant, where several people offer different ones under a name; undefined for nobody's.
 * @param signal takes the question away.
 */
export async function askWhose(
  name: string,
  rows: readonly NetworkRow[],
  signal?: AbortSignal,
): Promise<Wish | undefined> {
  const source = new vscode.CancellationTokenSource();
  const abort = onAbort(signal, () => source.cancel());
  try {
    const chosen = await vscode.window.showQuickPick(
      rows.map((row) => ({ label: ownersOf(row), detail: detailOf(row), row })),
      {
        title: vscode.l10n.t('Several people offer different files as {0}.', foreignText(name)),
        placeHolder: vscode.l10n.t('Choose whose to fetch'),
        ignoreFocusOut: true,
      },
      source.token,
    );
    return chosen && wishOf(toWanted(chosen.row));
  } finally {
    abort.dispose();
    source.dispose();
  }
}

/**
 * Asks whose files are meant where several people offer some in a folder: none is chosen beforehand.
 * @param error AMBIGUOUS_FOLDER, which names them.
 * @returns hostnames; undefined for nobody's.
 */
export async function askWhoseFolder(
  folder: string,
  error: PeershelfError,
  signal?: AbortSignal,
): Promise<readonly string[] | undefined> {
  const source = new vscode.CancellationTokenSource();
  const abort = onAbort(signal, () => source.cancel());
  const list = (key: string): readonly string[] => {
    const value = error.details[key];
    return Array.isArray(value) ? value.map(String) : [];
  };
  const names = list('displayNames');
  const counts = list('fileCounts');
  try {
    const chosen = await vscode.window.showQuickPick(
      list('hostnames').map((hostname, index) => ({
        label: foreignText(names[index] ?? hostname),
        description: foreignText(hostname),
        detail: vscode.l10n.t('{0} files', counts[index] ?? ''),
        hostname,
      })),
      {
        title: vscode.l10n.t('Several people offer files in {0}.', foreignText(folder)),
        placeHolder: vscode.l10n.t('Choose whose files to fetch'),
        canPickMany: true,
        ignoreFocusOut: true,
      },
      source.token,
    );
    return chosen?.map(({ hostname }) => hostname);
  } finally {
    abort.dispose();
    source.dispose();
  }
}

function answersTo({ job, others, isUnsaved }: Conflict, canCompare: boolean): Answer[] {
  const base = foreignText(basename(job.place.destination));
  const answers: Answer[] = [
    {
      label: vscode.l10n.t('Overwrite'),
      detail: isUnsaved
        ? vscode.l10n.t('Replaces the file. The unsaved changes stay in the editor.')
        : vscode.l10n.t('Replaces the file. This cannot be undone.'),
      decision: { answer: 'overwrite', forAll: false },
    },
    {
      label: vscode.l10n.t('Keep Both'),
      detail: vscode.l10n.t('Saves what is fetched beside {0}, with a number in its name.', base),
      decision: { answer: 'keepBoth', forAll: false },
    },
    {
      label: vscode.l10n.t('Skip'),
      detail: vscode.l10n.t('Leaves the file as it is.'),
      decision: { answer: 'skip', forAll: false },
    },
  ];
  const compare = {
    label: vscode.l10n.t('Compare'),
    detail: vscode.l10n.t('Shows the difference, and asks again.'),
  };
  return [...(canCompare ? [compare] : []), ...answers, ...answersForAll(others)];
}

/** The same for all that are left, where there are others. */
function answersForAll(others: number): Answer[] {
  if (others === 0) return [];
  const separator = {
    label: vscode.l10n.t('this and {0} more', others),
    kind: vscode.QuickPickItemKind.Separator,
  };
  return [
    separator,
    {
      label: vscode.l10n.t('Overwrite All'),
      decision: { answer: 'overwrite', forAll: true },
    },
    {
      label: vscode.l10n.t('Keep Both for All'),
      decision: { answer: 'keepBoth', forAll: true },
    },
    { label: vscode.l10n.t('Skip All'), decision: { answer: 'skip', forAll: true } },
  ];
}
