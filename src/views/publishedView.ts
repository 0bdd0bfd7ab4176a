import { dirname } from 'node:path';
import * as vscode from 'vscode';
import { DisposableBase } from '../common/disposable';
import { fromPlainError } from '../common/errors';
import type { PublishedFile } from '../peer/peerApi';
import { setContext, VIEWS } from '../editor/contributions';
import type { Engine, EngineState } from '../editor/engine';
import { errorMessage } from '../editor/errorMessages';
import { foreignText } from '../editor/foreignText';
import { formatSize } from '../editor/format';
import { heldBackMark } from '../editor/heldBackTexts';
import { moreItem } from './moreItem';
import { type MoreRow, RowList } from './rowList';
import { Settling } from './settling';

/** Paths in the context key that menus ask; beyond that the menu offers publishing again. */
const MAX_CONTEXT_PATHS = 10_000;
/** One published file. */
export interface PublishedRow {
  readonly kind: 'published';
  published: PublishedFile;
}

type Row = PublishedRow | MoreRow;

/** What this window offers. */
export class PublishedView extends DisposableBase implements vscode.TreeDataProvider<Row> {
  private readonly tree: vscode.TreeView<Row>;
  private readonly rows = new RowList<PublishedFile, PublishedRow>({
    name: VIEWS.published,
    idOf: ({ name }) => name,
    create: (published) => ({ kind: 'published', published }),
    update: (row, published) => {
      const isOther = JSON.stringify(row.published) !== JSON.stringify(published);
      row.published = published;
      return isOther;
    },
  });

  readonly onDidChangeTreeData = this.rows.onDidChange;

  constructor(
    private readonly engine: Engine,
    dragAndDropController: vscode.TreeDragAndDropController<unknown>,
  ) {
    super();
    this.tree = this.register(
      vscode.window.createTreeView<Row>(VIEWS.published, {
        ...{ treeDataProvider: this, dragAndDropController },
        canSelectMany: true,
        showCollapseAll: false,
      }),
    );
    this.register(
      engine.onDidChange((part) => {
        if (part === 'published') this.refresh();
        else if (part === 'connection' || part === 'reachability') this.explain();
      }),
    );
    this.register(new Settling(this.tree, () => this.rows.tellAgain()));
    this.refresh();
  }

  getChildren(parent?: Row): Row[] {
    return parent === undefined ? this.rows.take() : [];
  }

  getParent(): undefined {
    return undefined;
  }

  getTreeItem(row: Row): vscode.TreeItem {
    return row.kind === 'more' ? moreItem(row) : publishedItem(row.published);
  }

  showMore(id: string): void {
    this.rows.showMore(id);
  }

  private refresh(): void {
    const { published } = this.engine.state;
    this.rows.show(published);
    this.explain();
    this.tree.badge = badgeOf(published);
    setContext('hasPublished', published.length > 0);
    const changed = published.filter(({ state }) => state === 'changed');
    setContext('publishedPaths', pathsOf(published));
    setContext('changedPaths', pathsOf(changed));
    setContext('publishedFolders', foldersOf(published));
  }

  private explain(): void {
    const { state } = this.engine;
    this.tree.message = state.published.length > 0 ? notOffered(state) : '';
  }
}

function publishedItem(file: PublishedFile): vscode.TreeItem {
  const uri = vscode.Uri.file(file.path);
  const item = new vscode.TreeItem(uri);
  const name = foreignText(file.name);
  const state = describeState(file);
  const until = file.forSession ? [vscode.l10n.t('for this session')] : [];
  // First what matters most: a narrow view cuts the rest off.
  const details = [...state, formatSize(file.sizeBytes), ...until];
  item.id = file.name;
  item.label = name;
  item.description = details.join(' · ');
  item.tooltip = [name, foreignText(file.path), ...details].join('\n');
  item.contextValue = `publishedFile:${file.state}`;
  item.accessibilityInformation = { label: [name, ...details].join(', ') };
  if (file.state !== 'missing')
    item.command = { command: 'vscode.open', title: '', arguments: [uri] };
  return item;
}

/** As menus know them. */
function pathsOf(files: readonly PublishedFile[]): string[] {
  return files.slice(0, MAX_CONTEXT_PATHS).map(({ path }) => path);
}

/** How many files others cannot fetch any more as they were published. */
function badgeOf(published: readonly PublishedFile[]): vscode.ViewBadge | undefined {
  const value = published.filter(({ state }) => state === 'changed' || state === 'missing').length;
  if (value === 0) return undefined;
  return { value, tooltip: vscode.l10n.t('Changed or missing since published: {0}', value) };
}

/** The folders in which something is published, as menus know them. */
function foldersOf(files: readonly PublishedFile[]): string[] {
  const folders = new Set<string>();
  for (const { path } of files)
    for (let folder = dirname(path); !folders.has(folder); folder = dirname(folder)) {
      if (folders.size >= MAX_CONTEXT_PATHS) return [...folders];
      folders.add(folder);
    }
  return [...folders];
}

/** In words, as colour alone would not do. */
function describeState({ state, uploads, heldBack }: PublishedFile): string[] {
  const words = {
    offered: [],
    pending: [vscode.l10n.t('waiting for the tracker')],
    missing: [vscode.l10n.t('missing')],
    changed: [
      vscode.l10n.t('changed since published'),
      ...(heldBack === undefined ? [] : [heldBackMark(heldBack)]),
    ],
  }[state];
  if (uploads === 0) return words;
  return [
    ...words,
    uploads === 1 ? vscode.l10n.t('1 upload') : vscode.l10n.t('{0} uploads', uploads),
  ];
}

/** Why what is listed cannot be fetched by others now, or nothing. */
function notOffered({ connection, reachability }: EngineState): string {
  if (connection.kind === 'waiting')
    return vscode.l10n.t(
      'Not connected. These files are offered again as soon as there is a connection.',
    );
  if (connection.kind === 'connected' && connection.problem !== undefined)
    return vscode.l10n.t('Not offered: {0}', errorMessage(fromPlainError(connection.problem)));
  if (reachability.kind === 'unreachable')
    return vscode.l10n.t(
      'Others cannot reach this computer. Allow port {0} in its firewall, or choose another one in the setting peershelf.port.',
      reachability.port,
    );
  return '';
}
