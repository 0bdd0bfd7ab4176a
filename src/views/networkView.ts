import * as vscode from 'vscode';
import { systemClock } from '../common/clock';
import { DisposableBase, DisposableSlot } from '../common/disposable';
import { describeError } from '../common/errors';
import type { Event } from '../common/events';
import type { Logger } from '../common/logger';
import { setContext, VIEWS } from '../editor/contributions';
import type { Engine } from '../editor/engine';
import { foreignText } from '../editor/foreignText';
import type { NetworkBrowser } from '../editor/networkCommands';
import type { NetworkFile } from '../peer/peerApi';
import { networkItem } from './networkItem';
import type { NetworkInterest } from './networkInterest';
import { NetworkMarks } from './networkMarks';
import type { FileNode, Grouping, NetworkNode } from './networkNodes';
import { NetworkTree, type Redraw } from './networkTree';
import { Refresher } from './refresher';
import { describeFound, SessionLookout } from './sessionLookout';
import { Settling } from './settling';
import { WorkspaceFiles } from './workspaceFiles';

/** Counts of files wait so long for the next change … */
const COUNT_DELAY_MS = 1_000;
/** … but no longer than this: to draw one means to draw all rows below it again. */
const MAX_COUNT_DELAY_MS = 10_000;
const GROUPING_KEY = 'networkGrouping';
/** As much of a filter as the title of a view has room for. */
const MAX_SHOWN_FILTER_LENGTH = 40;

export interface NetworkViewDependencies {
  readonly engine: Engine;
  readonly logger: Logger;
  readonly interest: NetworkInterest;
  /** Where a network file may be in this workspace, the likeliest place first. */
  readonly placesOf: (file: NetworkFile) => Promise<string[]>;
  /** Fires with the names of what was fetched. */
  readonly onDidFetch: Event<ReadonlySet<string>>;
  /** Keeps how the view is grouped, for this workspace. */
  readonly workspaceState: vscode.Memento;
}

/** What everyone else offers. The index is in the engine: only what is unfolded comes here. */
export class NetworkView
  extends DisposableBase
  implements vscode.TreeDataProvider<NetworkNode>, NetworkBrowser
{
  private readonly changeEmitter = this.register(
    new vscode.EventEmitter<NetworkNode[] | undefined>(),
  );
  private readonly view: vscode.TreeView<NetworkNode>;
  private readonly tree: NetworkTree;
  private readonly marks: NetworkMarks;
  private readonly lookout: SessionLookout;
  private readonly refresher = this.register(new Refresher(systemClock, () => this.refresh()));
  private readonly counting = this.register(new DisposableSlot());
  /** When counts are drawn at the latest, by the clock that only grows. */
  private countByMs: number | undefined;
  /** Ends the reading of files when the view goes. */
  private reading: AbortController | undefined;
  /** What VS Code was told to draw and has not asked for since; `undefined` is the top. */
  private readonly owed = new Set<NetworkNode | undefined>();

  readonly onDidChangeTreeData = this.changeEmitter.event;

  constructor(private readonly dependencies: NetworkViewDependencies) {
    super();
    const { engine, placesOf, workspaceState } = dependencies;
    this.marks = new NetworkMarks({ calls: () => engine.calls, pathsOf: placesOf });
    const kept = workspaceState.get<Grouping>(GROUPING_KEY);
    this.tree = new NetworkTree(
      {
        clock: systemClock,
        calls: () => engine.calls,
        mark: (files) => this.marks.look(files),
      },
      kept === 'folder' ? 'folder' : 'peer',
    );
    this.view = this.register(
      vscode.window.createTreeView(VIEWS.network, {
        treeDataProvider: this,
        canSelectMany: true,
        showCollapseAll: true,
      }),
    );
    this.lookout = new SessionLookout(engine, dependencies.logger, () => this.view.visible);
    this.register(new Settling(this.view, () => this.tellAgain()));
    this.subscribe();
    this.describe();
  }

  get grouping(): Grouping {
    return this.tree.grouping;
  }

  get filter(): string {
    return this.tree.filter;
  }

  async getChildren(parent?: NetworkNode): Promise<NetworkNode[]> {
    this.owed.delete(parent);
    if (this.dependencies.engine.state.connection.kind !== 'connected') return [];
    if (parent !== undefined && parent.kind !== 'peer' && parent.kind !== 'folder') return [];
    const rows = await this.tree.children(parent);
    this.readSoon();
    return [...rows];
  }

  getParent(node: NetworkNode): NetworkNode | undefined {
    return node.parent;
  }

  getTreeItem(node: NetworkNode): vscode.TreeItem {
    this.tree.noteDrawn(node);
    return networkItem(node);
  }

  showMore(id: string): void {
    const node = this.tree.find(id);
    if (node?.kind !== 'more') return;
    this.tree.showMore(node.parent);
    this.refresher.schedule();
  }

  async group(grouping: Grouping): Promise<void> {
    if (grouping === this.tree.grouping) return;
    this.show(grouping, this.tree.filter);
    await this.dependencies.workspaceState.update(GROUPING_KEY, grouping);
  }

  setFilter(filter: string): void {
    if (filter !== this.tree.filter) this.show(this.tree.grouping, filter);
  }

  async revealPeer(hostname: string): Promise<boolean> {
    this.setFilter('');
    await this.group('peer');
    await vscode.commands.executeCommand(`${VIEWS.network}.focus`);
    const rows = await this.getChildren();
    const isIt = (row: NetworkNode): boolean =>
      row.kind === 'peer' && row.peer.hostname === hostname;
    const node = rows.find(isIt);
    if (node === undefined) return false;
    await this.view.reveal(node, { select: true, focus: true, expand: true });
    return true;
  }

  /** Looks for sessions, if somebody looks here: it was not allowed before a folder was trusted. */
  lookForSessions(): void {
    this.lookout.look();
  }

  override dispose(): void {
    this.reading?.abort();
    super.dispose();
  }

  private subscribe(): void {
    const { engine } = this.dependencies;
    let wasConnected = false;
    this.register(
      engine.onDidChange((part) => {
        if (part === 'connection') {
          const isConnected = engine.state.connection.kind === 'connected';
          this.watch();
          if (engine.isRunning) this.lookout.look();
          this.describe();
          if (isConnected !== wasConnected) this.begin();
          wasConnected = isConnected;
        } else if (part === 'network') {
          this.tree.invalidate();
          if (this.view.visible) this.refresher.schedule();
        } else if (part === 'foundSessions') this.describe();
      }),
    );
    this.register(
      this.view.onDidChangeVisibility(({ visible }) => {
        this.watch();
        this.lookout.look();
        if (!visible) this.reading?.abort();
        else this.refresher.schedule();
      }),
    );
    this.register(this.view.onDidCollapseElement(({ element }) => this.tree.collapse(element)));
    this.register(
      this.view.onDidExpandElement(({ element }) => {
        this.tree.expand(element);
        this.refresher.schedule();
      }),
    );
    const files = this.register(
      new WorkspaceFiles({
        onFiles: (changed) => void this.markAt(changed),
        onPlaces: () => void this.markElsewhere(this.tree.files()),
      }),
    );
    // What was fetched may be where nobody has looked for it: beside something else, below another name.
    this.register(
      this.dependencies.onDidFetch((names) => {
        const folders = [...names].filter((name) => name.endsWith('/'));
        const isMeant = ({ file: { name } }: FileNode): boolean =>
          names.has(name) || folders.some((folder) => name.startsWith(folder));
        void this.markElsewhere(this.tree.files().filter(isMeant));
      }),
    );
    this.register(this.view.onDidChangeVisibility(({ visible }) => files.watch(visible)));
    files.watch(this.view.visible);
  }

  /** Everything is another one. */
  private begin(): void {
    this.tree.clear();
    this.draw('all');
  }

  private show(grouping: Grouping, filter: string): void {
    this.tree.show({ grouping, filter });
    this.describe();
    this.draw('all');
  }

  /** Whose session this is, and what is left out. */
  private describe(): void {
    const { connection, foundSessions } = this.dependencies.engine.state;
    const { filter, grouping } = this.tree;
    const shown = foreignText(filter, MAX_SHOWN_FILTER_LENGTH);
    const parts =
      connection.kind === 'disconnected'
        ? describeFound(foundSessions)
        : [describeSession(connection.team)];
    // First what the user has done: a narrow view has no room for more.
    if (filter !== '') parts.unshift(vscode.l10n.t('filter: {0}', shown));
    this.view.description = parts.join(' · ');
    setContext('networkGrouping', grouping);
    setContext('networkFiltered', filter !== '');
    setContext('sessionsFound', foundSessions.length > 0);
  }

  /** Finds out what has to be drawn again, and lets it be drawn. */
  private async refresh(): Promise<void> {
    if (this.dependencies.engine.state.connection.kind !== 'connected') return;
    try {
      this.draw(await this.tree.refresh());
      this.countSoon();
      this.readSoon();
    } catch (error) {
      // A lost connection or a stopped engine is told by other ways, and ends in an empty view.
      this.dependencies.logger.debug(`network files: ${describeError(error)}`);
    }
  }

  private draw(redraw: Redraw): void {
    if (redraw === 'all') {
      this.owed.clear();
      this.owed.add(undefined);
      this.changeEmitter.fire(undefined);
    } else if (redraw.length > 0) {
      for (const node of this.owed) if (node && !this.tree.isUnfolded(node)) this.owed.delete(node);
      for (const node of redraw) if (this.tree.isUnfolded(node)) this.owed.add(node);
      this.changeEmitter.fire([...redraw]);
    }
  }

  /** Counts of files are drawn when changes come to a rest, or have not for long. */
  private countSoon(): void {
    const nowMs = systemClock.monotonic();
    this.countByMs ??= nowMs + MAX_COUNT_DELAY_MS;
    const delayMs = Math.min(COUNT_DELAY_MS, Math.max(0, this.countByMs - nowMs));
    this.counting.set(
      systemClock.after(delayMs, () => {
        this.countByMs = undefined;
        this.draw(this.tree.miscounted());
      }),
    );
  }

  /** Not without need: while it draws, VS Code does not know on which row a button was pressed. */
  private tellAgain(): void {
    const isTop = this.owed.has(undefined);
    const nodes = [...this.owed].filter((node) => node !== undefined && this.tree.isUnfolded(node));
    if (isTop) this.changeEmitter.fire(undefined);
    else if (nodes.length > 0) this.changeEmitter.fire(nodes as NetworkNode[]);
  }

  /** Reads, a few at a time, the files that only their content tells apart. */
  private readSoon(): void {
    if (this.reading !== undefined || !this.view.visible) return;
    const controller = new AbortController();
    this.reading = controller;
    this.readAll(controller.signal)
      .catch((error: unknown) => {
        this.dependencies.logger.debug(`comparing files: ${describeError(error)}`);
      })
      .finally(() => (this.reading = undefined));
  }

  private async readAll(signal: AbortSignal): Promise<void> {
    for (;;) {
      const marked = await this.marks.readSome(this.tree.files(), signal);
      if (marked.length === 0 || signal.aborted) return;
      this.draw(marked);
    }
  }

  /** Files of the workspace have changed, or any of them when it is not known which. */
  private markAt(changed: ReadonlySet<string> | undefined): Promise<void> {
    const files = this.tree.files();
    return this.markAgain(changed === undefined ? files : this.marks.at(changed, files));
  }

  /** The files may be at other places than before. */
  private markElsewhere(nodes: readonly FileNode[]): Promise<void> {
    this.marks.forgetPlaces(nodes);
    return this.markAgain(nodes);
  }

  private async markAgain(nodes: readonly FileNode[]): Promise<void> {
    const before = new Map(nodes.map((node) => [node, node.mark]));
    try {
      await this.marks.look(nodes);
      this.draw(nodes.filter((node) => node.mark !== before.get(node)));
      this.readSoon();
    } catch (error) {
      this.dependencies.logger.debug(`comparing files: ${describeError(error)}`);
    }
  }

  private watch(): void {
    this.dependencies.interest.set(VIEWS.network, this.view.visible);
  }
}

/** An open session is shown as open wherever it is shown. */
function describeSession(team: string | undefined): string {
  return team === undefined ? vscode.l10n.t('open, not encrypted') : foreignText(team);
}
