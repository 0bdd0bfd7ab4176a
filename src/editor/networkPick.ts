import * as vscode from 'vscode';
import { DisposableStore } from '../common/disposable';
import { describeError } from '../common/errors';
import type { Logger } from '../common/logger';
import type { NetworkRow } from '../peer/peerApi';
import type { Engine } from './engine';
import type { FetchRecord } from './fetchRecord';
import type { FolderWish } from './fetching';
import { foreignText } from './foreignText';
import { detailOf, ownersOf } from './rowText';
import { rowFor, rowsNamed, toWanted, type WantedFile } from './wantedFile';

/** Rows of the quick pick; who has more types a part of the name. */
const MAX_ROWS = 200;
/** Files that were fetched lately and stand before all others. */
const MAX_RECENT = 10;

/** What the user has chosen: to fetch a file or a folder, or a button of a file. */
export type NetworkChoice =
  | { readonly kind: 'fetch' | 'open' | 'compare' | 'fetchTo'; readonly file: WantedFile }
  | { readonly kind: 'folder'; readonly folder: FolderWish };

type FileAct = 'open' | 'compare' | 'fetchTo';

interface RowButton extends vscode.QuickInputButton {
  readonly act: FileAct;
}

interface NetworkItem extends vscode.QuickPickItem {
  /** Undefined for what only stands between rows. */
  readonly choice?: NetworkChoice;
  /** The same for the same row of another answer. */
  readonly key: string;
}

export interface NetworkPickDependencies {
  readonly engine: Engine;
  readonly logger: Logger;
  readonly record: Pick<FetchRecord, 'files'>;
}

export interface NetworkPickOptions {
  readonly title: string;
  /** Buttons of the rows; all when nothing is said. */
  readonly acts?: readonly FileAct[];
}

/**
 * Lets the user choose among what the whole network offers. The engine searches: the pick shows its
 * answers as they are, the newest question's only. Before anything is typed, what was fetched lately
 * and is still offered comes first.
 */
export class NetworkPick {
  private readonly lifetime = new DisposableStore();
  private readonly pick: vscode.QuickPick<NetworkItem>;
  private readonly buttons: readonly RowButton[];
  /** Counts questions: an answer to any but the last one is late. */
  private question = 0;
  private shownText: string | undefined;
  /** Whether what others offer is known as it was when this was opened. */
  private isRefreshed = false;
  /** What users read of the rows that are there. */
  private shownItems: string | undefined;

  constructor(
    private readonly dependencies: NetworkPickDependencies,
    private readonly options: NetworkPickOptions,
  ) {
    this.pick = this.lifetime.add(vscode.window.createQuickPick<NetworkItem>());
    this.pick.title = options.title;
    this.pick.placeholder = vscode.l10n.t('Type a part of a name or of its owner');
    const { acts } = options;
    this.buttons = allButtons().filter(({ act }) => acts?.includes(act) ?? true);
  }

  /** Shows the list and resolves to what is chosen; undefined when it is closed without. */
  async choose(): Promise<NetworkChoice | undefined> {
    const { engine } = this.dependencies;
    const { pick, lifetime } = this;
    try {
      pick.busy = true;
      lifetime.add(pick.onDidChangeValue(() => this.updateSafely()));
      lifetime.add(engine.onDidChange((part) => part === 'network' && this.updateSafely()));
      const chosen = this.chosen();
      pick.show();
      await engine.calls.refreshNetwork();
      this.isRefreshed = true;
      this.updateSafely();
      return await chosen;
    } finally {
      lifetime.dispose();
    }
  }

  private chosen(): Promise<NetworkChoice | undefined> {
    const { pick, lifetime } = this;
    return new Promise((resolve) => {
      lifetime.add(
        pick.onDidAccept(() => {
          const choice = pick.selectedItems[0]?.choice;
          if (choice !== undefined) resolve(choice);
        }),
      );
      lifetime.add(
        pick.onDidTriggerItemButton(({ item, button }) => {
          const { act } = button as RowButton;
          if (item.choice?.kind === 'fetch') resolve({ kind: act, file: item.choice.file });
        }),
      );
      lifetime.add(pick.onDidHide(() => resolve(undefined)));
    });
  }

  private updateSafely(): void {
    this.update().catch((error: unknown) => {
      this.dependencies.logger.warn(`search: ${describeError(error)}`);
    });
  }

  private async update(): Promise<void> {
    const { engine } = this.dependencies;
    const { pick } = this;
    const own = ++this.question;
    const text = pick.value;
    const [{ rows, total }, first] = await Promise.all([
      engine.calls.networkRows({ text, limit: MAX_ROWS }),
      text === '' ? this.recentItems() : this.folderItems(text),
    ]);
    if (own !== this.question) return;
    // Another text is another question; the same text may have another answer at any time.
    const keepActive = text === this.shownText;
    this.shownText = text;
    const items = [...first, ...this.others(rows, first)];
    const isConnected = engine.state.connection.kind === 'connected';
    // Before, nobody knows that there is nothing.
    const isNothing = items.length === 0 && this.isRefreshed;
    this.show(isNothing ? [nothing(text, isConnected)] : items, keepActive);
    pick.busy = !this.isRefreshed;
    pick.title = titleFor(this.options.title, rows.length, total);
  }

  /**
   * Does nothing for the rows that are there already: VS Code forgets a choice that is on its way when
   * they are replaced. With `keepActive` the row in focus stays the same file, or none when that is gone: Enter must not
   * fetch what has moved to its place.
   */
  private show(items: readonly NetworkItem[], keepActive: boolean): void {
    const { pick } = this;
    const shown = JSON.stringify(
      items.map(({ key, label, description, detail }) => [key, label, description, detail]),
    );
    if (shown === this.shownItems) return;
    this.shownItems = shown;
    const active = pick.activeItems[0]?.key;
    pick.items = items;
    if (keepActive && active !== undefined)
      pick.activeItems = items.filter(({ key }) => key === active);
  }

  /** What is not among the first ones. */
  private others(rows: readonly NetworkRow[], first: readonly NetworkItem[]): NetworkItem[] {
    const shown = new Set(first.map(({ key }) => key));
    const items = rows.map((row) => this.toItem(row)).filter(({ key }) => !shown.has(key));
    return first.some(isRow) && items.length > 0
      ? [separator(vscode.l10n.t('all files')), ...items]
      : items;
  }

  private async recentItems(): Promise<NetworkItem[]> {
    const { engine, record } = this.dependencies;
    const recent = record.files.slice(0, MAX_RECENT);
    const rows = await Promise.all(
      recent.map(async (one) => rowFor(await rowsNamed(engine.calls, one.name), one)),
    );
    const items = new Map(
      rows
        .flatMap((row) => (row === undefined ? [] : [this.toItem(row)]))
        .map((item) => [item.key, item]),
    );
    return items.size === 0 ? [] : [separator(vscode.l10n.t('fetched lately')), ...items.values()];
  }

  /** The folder that the text names, when something lies in it. */
  private async folderItems(text: string): Promise<NetworkItem[]> {
    const prefix = text.slice(0, text.lastIndexOf('/') + 1);
    if (prefix === '') return [];
    const { total } = await this.dependencies.engine.calls.networkRows({ prefix, limit: 0 });
    if (total === 0) return [];
    const count = total === 1 ? vscode.l10n.t('1 file') : vscode.l10n.t('{0} files', total);
    return [
      {
        label: foreignText(prefix),
        iconPath: new vscode.ThemeIcon('folder'),
        description: count,
        detail: vscode.l10n.t('Fetches everything in this folder'),
        alwaysShow: true,
        choice: { kind: 'folder', folder: { prefix } },
        key: JSON.stringify(['folder', prefix]),
      },
    ];
  }

  private toItem(row: NetworkRow): NetworkItem {
    const [first] = row.sources;
    return {
      label: foreignText(row.name),
      description: ownersOf(row),
      detail: detailOf(row),
      buttons: this.buttons,
      // The engine has searched already; the pick must not filter its answer again.
      alwaysShow: true,
      choice: { kind: 'fetch', file: toWanted(row) },
      key: JSON.stringify(['file', row.name, row.contentId ?? first?.hostname]),
    };
  }
}

function allButtons(): RowButton[] {
  return [
    {
      act: 'open',
      iconPath: new vscode.ThemeIcon('go-to-file'),
      tooltip: vscode.l10n.t('Open Without Fetching'),
    },
    {
      act: 'compare',
      iconPath: new vscode.ThemeIcon('diff'),
      tooltip: vscode.l10n.t('Compare with Workspace File'),
    },
    {
      act: 'fetchTo',
      iconPath: new vscode.ThemeIcon('save-as'),
      tooltip: vscode.l10n.t('Fetch To…'),
    },
  ];
}

function titleFor(title: string, shown: number, total: number): string {
  if (total > shown) return vscode.l10n.t('{0}: first {1} of {2} files', title, shown, total);
  return total === 1
    ? vscode.l10n.t('{0}: 1 file', title)
    : vscode.l10n.t('{0}: {1} files', title, total);
}

function isRow({ choice }: NetworkItem): boolean {
  return choice !== undefined;
}

/** A list without a row does not look like an answer. */
function nothing(text: string, isConnected: boolean): NetworkItem {
  const label = !isConnected
    ? vscode.l10n.t('Not connected. Nothing can be found now.')
    : text === ''
      ? vscode.l10n.t('Nobody else shares anything yet.')
      : vscode.l10n.t('Nothing that is shared matches this.');
  return { label, alwaysShow: true, key: 'nothing' };
}

function separator(label: string): NetworkItem {
  return { label, kind: vscode.QuickPickItemKind.Separator, key: `separator ${label}` };
}
