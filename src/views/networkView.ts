import * as vscode from 'vscode';
import { systemClock } from '../common/clock';
import { DisposableBase, DisposableSlot } from '../common/disposable';
import { describeError } from '../common/errors';
import type { Logger } from '../common/logger';
import type { NetworkFile, NetworkPeer } from '../peer/peerApi';
import { formatHostPort } from '../protocol/address';
import type { FoundSession } from '../protocol/announcement';
import { COMMANDS, setContext, VIEWS } from '../editor/contributions';
import type { Engine } from '../editor/engine';
import { foreignText } from '../editor/foreignText';
import { formatAge, formatSize } from '../editor/format';

/** VS Code has no paging and sends all siblings again on a change. */
const PAGE_SIZE = 500;
/** When a view that has appeared is drawn again: also a slow machine has loaded it by the last. */
const SETTLE_DELAYS_MS = [300, 1_000, 3_000];
/** Sessions in the network whose names are shown, and how much of each. */
const MAX_FOUND_NAMES = 3;
const MAX_FOUND_NAME_LENGTH = 40;
/** Stands for the list of peers where a hostname says whose files are meant. */
const TOP = '';

export type NetworkNode =
  | { readonly kind: 'peer'; readonly peer: NetworkPeer }
  | { readonly kind: 'file'; readonly file: NetworkFile; readonly parent: NetworkNode }
  /** What is left out, of a peer's files or, without a hostname, of the peers. */
  | { readonly kind: 'more'; readonly hostname: string; readonly left: number };

/** What everyone else offers, by peer. The index is in the engine: only what is shown comes here. */
export class NetworkView extends DisposableBase implements vscode.TreeDataProvider<NetworkNode> {
  private readonly changeEmitter = this.register(new vscode.EventEmitter<undefined>());
  private readonly tree: vscode.TreeView<NetworkNode>;
  /** How many rows are shown below a peer (by hostname) or at the top (''), if more than a page. */
  private readonly shown = new Map<string, number>();

  private readonly settling = this.register(new DisposableSlot());
  /** Whether VS Code was told of a change and has not asked for the rows since. */
  private owesRows = false;

  readonly onDidChangeTreeData = this.changeEmitter.event;

  constructor(
    private readonly engine: Engine,
    private readonly logger: Logger,
  ) {
    super();
    this.tree = this.register(
      vscode.window.createTreeView(VIEWS.network, {
        treeDataProvider: this,
        canSelectMany: true,
        showCollapseAll: true,
      }),
    );
    this.register(
      engine.onDidChange((part) => {
        if (part === 'connection') this.watch();
        if (part === 'connection' && engine.isRunning) this.lookForSessions();
        if (part === 'foundSessions')
          setContext('sessionsFound', engine.state.foundSessions.length > 0);
        if (part === 'connection' || part === 'foundSessions')
          this.tree.description = this.describeSession();
        if (part === 'connection' || part === 'network') this.redraw();
      }),
    );
    this.register(
      this.tree.onDidChangeVisibility(() => {
        this.watch();
        this.lookForSessions();
        this.settle(0);
      }),
    );
  }

  async getChildren(parent?: NetworkNode): Promise<NetworkNode[]> {
    if (parent === undefined) this.owesRows = false;
    if (this.engine.state.connection.kind !== 'connected') return [];
    if (parent === undefined) return this.peers();
    return parent.kind === 'peer' ? this.filesOf(parent) : [];
  }

  getParent(node: NetworkNode): NetworkNode | undefined {
    return node.kind === 'file' ? node.parent : undefined;
  }

  getTreeItem(node: NetworkNode): vscode.TreeItem {
    switch (node.kind) {
      case 'peer':
        return peerItem(node.peer);
      case 'file':
        return fileItem(node.file);
      case 'more':
        return moreItem(node);
    }
  }

  showMore(hostname: string): void {
    this.shown.set(hostname, (this.shown.get(hostname) ?? PAGE_SIZE) + PAGE_SIZE);
    this.redraw();
  }

  /** Other sessions are looked for while somebody looks here and is in none; the engine starts for it. */
  lookForSessions(): void {
    const { connection } = this.engine.state;
    const watching = this.tree.visible && connection.kind === 'disconnected';
    if (!watching && !this.engine.isRunning) return;
    // What it throws at once, when the window closes, is of no more interest than what it rejects with.
    Promise.resolve()
      .then(() => this.engine.calls.watchSessions({ watching }))
      .catch((error: unknown) => this.logger.debug(describeError(error)));
  }

  /** Whose session this is, or which ones there are; an open one is shown as open wherever it is shown. */
  private describeSession(): string {
    const { connection, foundSessions } = this.engine.state;
    if (connection.kind === 'disconnected') return describeFound(foundSessions);
    return connection.team === undefined
      ? vscode.l10n.t('open, not encrypted')
      : foreignText(connection.team);
  }

  private async peers(): Promise<NetworkNode[]> {
    const limit = this.shown.get(TOP) ?? PAGE_SIZE;
    const peers = (await this.engine.calls.networkPeers()).filter(({ fileCount }) => fileCount > 0);
    const nodes: NetworkNode[] = peers.slice(0, limit).map((peer) => ({ kind: 'peer', peer }));
    return withRest(nodes, TOP, peers.length);
  }

  private async filesOf(parent: NetworkNode & { kind: 'peer' }): Promise<NetworkNode[]> {
    const { hostname } = parent.peer;
    const limit = this.shown.get(hostname) ?? PAGE_SIZE;
    const { files, total } = await this.engine.calls.networkFiles({ hostname, limit });
    const nodes: NetworkNode[] = files.map((file) => ({ kind: 'file', file, parent }));
    return withRest(nodes, hostname, total);
  }

  /**
   * Draws the view again soon after it has appeared: VS Code loses a change that comes while it loads
   * a view for the first time, and there may be no other for hours. Not without need: while it draws,
   * VS Code does not know on which row a button was pressed.
   */
  private settle(step: number): void {
    const delayMs = SETTLE_DELAYS_MS[step];
    if (delayMs === undefined || !this.tree.visible) return;
    this.settling.set(
      systemClock.after(delayMs, () => {
        if (this.owesRows) this.redraw();
        this.settle(step + 1);
      }),
    );
  }

  private redraw(): void {
    this.owesRows = true;
    this.changeEmitter.fire(undefined);
  }

  /** The network is asked for changes only while somebody looks at it. */
  private watch(): void {
    if (!this.engine.isRunning) return;
    this.engine.calls
      .watchNetwork({ watching: this.tree.visible })
      .catch((error: unknown) => this.logger.debug(describeError(error)));
  }
}

/** Names of sessions in the network, of which anybody can make up any. */
function describeFound(sessions: readonly FoundSession[]): string {
  if (sessions.length === 0) return '';
  const names = sessions
    .slice(0, MAX_FOUND_NAMES)
    .map(({ sessionName }) => foreignText(sessionName, MAX_FOUND_NAME_LENGTH));
  const rest = sessions.length > MAX_FOUND_NAMES ? ['…'] : [];
  return vscode.l10n.t('found: {0}', [...names, ...rest].join(', '));
}

/** The rows of a page, with one for the rest if there is any. */
function withRest(nodes: NetworkNode[], hostname: string, total: number): NetworkNode[] {
  const left = total - nodes.length;
  return left > 0 ? [...nodes, { kind: 'more', hostname, left }] : nodes;
}

function peerItem(peer: NetworkPeer): vscode.TreeItem {
  const name = foreignText(peer.displayName);
  const item = new vscode.TreeItem(name, vscode.TreeItemCollapsibleState.Expanded);
  const count =
    peer.fileCount === 1 ? vscode.l10n.t('1 file') : vscode.l10n.t('{0} files', peer.fileCount);
  item.id = JSON.stringify(['peer', peer.hostname]);
  item.iconPath = new vscode.ThemeIcon('account');
  item.description = count;
  item.tooltip = [
    name,
    foreignText(peer.hostname),
    foreignText(formatHostPort(peer.address)),
    vscode.l10n.t('last seen {0}', formatAge(peer.lastSeenAgeMs)),
  ].join('\n');
  item.contextValue = 'networkPeer';
  item.accessibilityInformation = { label: `${name}, ${count}` };
  return item;
}

function fileItem(file: NetworkFile): vscode.TreeItem {
  const name = foreignText(file.name);
  const item = new vscode.TreeItem(name, vscode.TreeItemCollapsibleState.None);
  const size = formatSize(file.sizeBytes);
  const age = formatAge(Date.now() - file.publishedAtMs);
  // Not joined by a space: two hosts could choose names that come out the same.
  item.id = JSON.stringify(['file', file.hostname, file.name]);
  item.resourceUri = iconUri(file.name);
  item.iconPath = vscode.ThemeIcon.File;
  item.description = size;
  item.tooltip = [
    name,
    foreignText(file.displayName),
    size,
    vscode.l10n.t('published {0}', age),
  ].join('\n');
  item.contextValue = 'networkFile:available';
  item.accessibilityInformation = {
    label: [name, foreignText(file.displayName), size, age].join(', '),
  };
  return item;
}

/**
 * What the file icon is chosen by, in a scheme that nobody provides. Only the last part of the name:
 * `Uri` throws for a path that begins with two slashes, and one bad name would empty the whole list.
 */
function iconUri(name: string): vscode.Uri {
  const base = name.split(/[\\/]/u).at(-1) ?? '';
  const path = `/${base.replace(/\p{Surrogate}/gu, '_')}`;
  return vscode.Uri.from({ scheme: 'peershelf-icon', path });
}

function moreItem({ hostname, left }: NetworkNode & { kind: 'more' }): vscode.TreeItem {
  const item = new vscode.TreeItem(vscode.l10n.t('Show more… ({0} left)', left));
  item.id = JSON.stringify(['more', hostname]);
  item.contextValue = 'networkMore';
  item.command = { command: COMMANDS.showMore, title: '', arguments: [hostname] };
  return item;
}
