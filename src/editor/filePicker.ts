import * as vscode from 'vscode';
import { DisposableStore } from '../common/disposable';
import { describeError } from '../common/errors';
import type { Logger } from '../common/logger';
import type { NetworkFile, PublishedFile } from '../peer/peerApi';
import type { Engine } from './engine';
import { foreignText } from './foreignText';
import { formatAge, formatSize } from './format';

/** Rows of the quick pick; who has more types a part of the name. */
const MAX_ROWS = 200;

interface FileItem extends vscode.QuickPickItem {
  readonly file: NetworkFile;
}

/**
 * Lets the user choose among the files of the whole network. The engine searches: the pick shows its
 * answers as they are, the newest question's only.
 */
export async function pickNetworkFile(
  engine: Engine,
  logger: Logger,
): Promise<NetworkFile | undefined> {
  const lifetime = new DisposableStore();
  const pick = lifetime.add(vscode.window.createQuickPick<FileItem>());
  pick.title = vscode.l10n.t('Fetch from Network');
  pick.placeholder = vscode.l10n.t('Type a part of a name or of its owner');
  let question = 0;
  let shownText: string | undefined;
  const update = async (): Promise<void> => {
    const own = ++question;
    const text = pick.value;
    const { files, total } = await engine.calls.networkFiles({ text, limit: MAX_ROWS });
    if (own !== question) return;
    // Another text is another question; the same text may have another answer at any time.
    const keep = text === shownText;
    shownText = text;
    replaceItems(pick, files.map(toItem), keep);
    pick.busy = false;
    pick.title =
      total > files.length
        ? vscode.l10n.t('Fetch from Network: first {0} of {1} files', files.length, total)
        : vscode.l10n.t('Fetch from Network: {0} files', total);
  };
  const updateSafely = (): void => {
    update().catch((error: unknown) => logger.warn(`search: ${describeError(error)}`));
  };
  try {
    pick.busy = true;
    lifetime.add(pick.onDidChangeValue(updateSafely));
    lifetime.add(engine.onDidChange((part) => part === 'network' && updateSafely()));
    const chosen = new Promise<NetworkFile | undefined>((resolve) => {
      lifetime.add(
        pick.onDidAccept(() => {
          const [item] = pick.selectedItems;
          if (item !== undefined) resolve(item.file);
        }),
      );
      lifetime.add(pick.onDidHide(() => resolve(undefined)));
    });
    pick.show();
    await engine.calls.refreshNetwork();
    updateSafely();
    return await chosen;
  } finally {
    lifetime.dispose();
  }
}

/** Lets the user choose among the files that this window offers. */
export async function pickPublishedFiles(engine: Engine): Promise<string[]> {
  const items = engine.state.published.map((file) => ({
    label: foreignText(file.name),
    description: formatSize(file.sizeBytes),
    file,
  }));
  const chosen: readonly { readonly file: PublishedFile }[] | undefined =
    await vscode.window.showQuickPick(items, {
      title: vscode.l10n.t('Unpublish from Network'),
      placeHolder:
        items.length === 0
          ? vscode.l10n.t('Nothing is published from this window.')
          : vscode.l10n.t('Choose what others shall not see any more'),
      canPickMany: true,
    });
  return (chosen ?? []).map(({ file }) => file.name);
}

/**
 * With `keepActive` the row in focus stays the same file, or none when that is gone: Enter must not
 * fetch what has moved to its place.
 */
function replaceItems(
  pick: vscode.QuickPick<FileItem>,
  items: readonly FileItem[],
  keepActive: boolean,
): void {
  const active = pick.activeItems[0]?.file;
  pick.items = items;
  if (!keepActive || active === undefined) return;
  const isSame = ({ file }: FileItem): boolean =>
    file.hostname === active.hostname && file.name === active.name;
  pick.activeItems = items.filter(isSame);
}

function toItem(file: NetworkFile): FileItem {
  const age = formatAge(Date.now() - file.publishedAtMs);
  return {
    label: foreignText(file.name),
    description: foreignText(file.displayName),
    detail: `${formatSize(file.sizeBytes)} · ${age}`,
    // The engine has searched already; the pick must not filter its answer again.
    alwaysShow: true,
    file,
  };
}
