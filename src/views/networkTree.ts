import type { Clock } from '../common/clock';
import type { PeerApi } from '../peer/peerApi';
import {
  appearanceOf,
  countOf,
  type FileNode,
  type Grouping,
  type NetworkNode,
  type ParentNode,
} from './networkNodes';
import {
  hostnameOf,
  type Listing,
  PAGE_SIZE,
  type RowContext,
  toRows,
  updateRow,
} from './networkRows';

const TOP = '';

export interface NetworkTreeDependencies {
  readonly clock: Clock;
  readonly calls: () => Pick<PeerApi, 'networkPeerPage' | 'networkFolder'>;
  /** Says how new files compare with the workspace's, before they are shown. */
  readonly mark: (files: readonly FileNode[]) => Promise<void>;
}

/** The rows below one node, as VS Code has them. */
interface Branch {
  readonly node: ParentNode | undefined;
  rows: readonly NetworkNode[];
  limit: number;
  /** Version of the tree when the rows were asked for; they are stale when it is another one. */
  version: number;
  isCollapsed: boolean;
  /** Answers of earlier questions may come after those of later ones. */
  asked: number;
  answered: number;
}

/** How the rows of a branch differ from those before. */
interface Difference {
  /** Some came or went, or their order is another one. */
  readonly hasOtherRows: boolean;
  /** Those that were there before and show something else. */
  readonly rows: readonly NetworkNode[];
}

const SAME: Difference = { hasOtherRows: false, rows: [] };

/** What is to be drawn again: the top, or these nodes with all that is below them. */
export type Redraw = 'all' | readonly NetworkNode[];

/**
 * The part of the network that is shown, as rows. Only nodes that are unfolded are asked for; when
 * something has changed, it finds out which of them show something else.
 */
export class NetworkTree {
  private readonly branches = new Map<string, Branch>();
  private readonly nodes = new Map<string, NetworkNode>();
  /** The counts that rows were drawn with. */
  private readonly drawn = new WeakMap<NetworkNode, number | undefined>();
  private version = 0;
  private currentGrouping: Grouping;
  private currentFilter = '';

  constructor(
    private readonly dependencies: NetworkTreeDependencies,
    grouping: Grouping,
  ) {
    this.currentGrouping = grouping;
  }

  get grouping(): Grouping {
    return this.currentGrouping;
  }

  get filter(): string {
    return this.currentFilter;
  }

  /** Shows something else from now on: everything has to be drawn again. */
  show({ grouping, filter }: { readonly grouping: Grouping; readonly filter: string }): void {
    this.currentGrouping = grouping;
    this.currentFilter = filter;
    this.clear();
  }

  /** Forgets all rows. */
  clear(): void {
    this.version += 1;
    this.branches.clear();
    this.nodes.clear();
  }

  /** What the network offers has changed: rows are asked for again before they are given. */
  invalidate(): void {
    this.version += 1;
  }

  /** The row with this id, as far as it is shown. */
  find(id: string): NetworkNode | undefined {
    return this.nodes.get(id);
  }

  /** The files in sight of who unfolds and scrolls. */
  files(): FileNode[] {
    return this.openBranches().flatMap(({ rows }) => rows.filter((row) => row.kind === 'file'));
  }

  /** A row is drawn as it is now. */
  noteDrawn(node: NetworkNode): void {
    this.drawn.set(node, countOf(node));
  }

  /**
   * Rows that were drawn with another count of files than they have now. To draw one again means to draw
   * all below it, so that is better done when nothing else changes.
   */
  miscounted(): NetworkNode[] {
    const rows = this.openBranches().flatMap((branch) => branch.rows);
    const nodes = new Set(
      rows.filter((row) => this.drawn.has(row) && this.drawn.get(row) !== countOf(row)),
    );
    return outermost(nodes);
  }

  /** The rows below a node, or the top ones. @throws what the engine does. */
  async children(parent?: ParentNode): Promise<readonly NetworkNode[]> {
    // It is gone, and VS Code hears of it in a moment.
    if (parent !== undefined && this.nodes.get(parent.id) !== parent) return [];
    const branch = this.branchOf(parent);
    branch.isCollapsed = false;
    if (branch.version !== this.version) await this.load(branch);
    return branch.rows;
  }

  /** Whether the rows below a node are kept up to date. */
  isUnfolded(node: NetworkNode): boolean {
    const branch = this.branches.get(node.id);
    return branch?.node === node && !branch.isCollapsed;
  }

  /** A node is folded: until it is unfolded it costs nothing. */
  collapse(node: NetworkNode): void {
    const branch = this.branches.get(node.id);
    if (branch !== undefined) branch.isCollapsed = true;
  }

  /** A node is unfolded. Its rows may be stale; the next `refresh` sees to it. */
  expand(node: NetworkNode): void {
    const branch = this.branches.get(node.id);
    if (branch !== undefined) branch.isCollapsed = false;
  }

  /** Shows more rows below a node, or at the top, from the next `refresh` on. */
  showMore(parent: ParentNode | undefined): void {
    const branch = this.branchOf(parent);
    branch.limit += PAGE_SIZE;
    branch.version = -1;
    // What is under way has asked for fewer.
    branch.answered = branch.asked;
  }

  /** Brings what is shown in line with what the engine knows. @throws what the engine does. */
  async refresh(): Promise<Redraw> {
    const changed = new Set<NetworkNode>();
    // From the top down, also for branches that were not there when this began.
    const pending = this.branches.has(TOP) ? [this.branchOf(undefined)] : [];
    for (let branch = pending.shift(); branch !== undefined; branch = pending.shift()) {
      const isStale = branch.version !== this.version;
      const { hasOtherRows, rows } = isStale ? await this.load(branch) : SAME;
      if (hasOtherRows && branch.node === undefined) return this.refreshBelow(branch);
      if (hasOtherRows && branch.node !== undefined) changed.add(branch.node);
      rows.forEach((row) => changed.add(row));
      pending.push(...this.openBelow(branch));
    }
    return outermost(changed);
  }

  /** All is drawn again, so it need only be fresh. */
  private async refreshBelow(top: Branch): Promise<'all'> {
    const pending = this.openBelow(top);
    for (let branch = pending.shift(); branch !== undefined; branch = pending.shift()) {
      if (branch.version !== this.version) await this.load(branch);
      pending.push(...this.openBelow(branch));
    }
    return 'all';
  }

  /** Asks for the rows of a branch; resolves to how they differ from those before. */
  private async load(branch: Branch): Promise<Difference> {
    const { version } = this;
    const question = (branch.asked += 1);
    const context = this.contextOf(branch);
    const listing = await this.ask(context);
    if (!this.awaits(branch, question)) return SAME;
    const before = branch.rows;
    const appearances = new Map(before.map((row) => [row.id, appearanceOf(row)]));
    const rows = toRows(listing, context).map((row) => this.known(row));
    const files = rows.filter((row) => row.kind === 'file');
    await this.dependencies.mark(files.filter(({ mark }) => mark === undefined));
    if (!this.awaits(branch, question)) {
      this.drop(rows, branch);
      return SAME;
    }
    branch.answered = question;
    branch.version = version;
    branch.rows = rows;
    this.drop(before, branch);
    return {
      hasOtherRows: !hasSameIds(rows, before),
      rows: rows.filter((row) => {
        const appearance = appearances.get(row.id);
        return appearance !== undefined && appearance !== appearanceOf(row);
      }),
    };
  }

  /** Whether the answer to this question is still of use. */
  private awaits(branch: Branch, question: number): boolean {
    return this.has(branch) && question > branch.answered;
  }

  private has(branch: Branch): boolean {
    return this.branches.get(branch.node?.id ?? TOP) === branch;
  }

  /** The row that stands for the same already, now showing what `fresh` does; else `fresh` itself. */
  private known(fresh: NetworkNode): NetworkNode {
    const row = this.nodes.get(fresh.id);
    if (row?.kind === fresh.kind && row.parent === fresh.parent) {
      updateRow(row, fresh);
      return row;
    }
    // At once: another answer about the same must find it, as VS Code knows rows by their identity.
    this.nodes.set(fresh.id, fresh);
    return fresh;
  }

  /** Forgets those of the rows that are not in the branch, with all below them. */
  private drop(rows: readonly NetworkNode[], branch: Branch): void {
    const kept = new Set(this.has(branch) ? branch.rows : []);
    for (const row of rows) if (!kept.has(row)) this.forget(row);
  }

  private forget(node: NetworkNode): void {
    // Another row may stand for the same by now.
    if (this.nodes.get(node.id) !== node) return;
    this.nodes.delete(node.id);
    const branch = this.branches.get(node.id);
    this.branches.delete(node.id);
    branch?.rows.forEach((row) => this.forget(row));
  }

  private async ask(context: RowContext): Promise<Listing> {
    const { parent, hostname, prefix, limit } = context;
    const text = this.currentFilter;
    const calls = this.dependencies.calls();
    const page = { text, limit: PAGE_SIZE };
    if (parent === undefined && this.currentGrouping === 'peer') {
      const pages = await allPages(limit, (offset) => calls.networkPeerPage({ ...page, offset }));
      return { kind: 'peers', total: totalOf(pages), peers: pages.flatMap(({ peers }) => peers) };
    }
    const query = { ...page, prefix, hostname };
    const pages = await allPages(limit, (offset) => calls.networkFolder({ ...query, offset }));
    return {
      kind: 'folder',
      total: totalOf(pages),
      folders: pages.flatMap(({ folders }) => folders),
      files: pages.flatMap(({ files }) => files),
    };
  }

  private contextOf({ node, limit }: Branch): RowContext {
    return {
      parent: node,
      hostname: node && hostnameOf(node),
      prefix: node?.kind === 'folder' ? node.folder.prefix : '',
      isFiltered: this.currentFilter !== '',
      limit,
      nowMs: this.dependencies.clock.now(),
    };
  }

  private branchOf(node: ParentNode | undefined): Branch {
    const id = node?.id ?? TOP;
    const known = this.branches.get(id);
    if (known !== undefined) return known;
    const branch: Branch = {
      ...{ node, rows: [], limit: PAGE_SIZE, version: -1, isCollapsed: false },
      ...{ asked: 0, answered: 0 },
    };
    this.branches.set(id, branch);
    return branch;
  }

  private openBelow({ rows }: Branch): Branch[] {
    return rows.flatMap(({ id }) => {
      const branch = this.branches.get(id);
      return branch === undefined || branch.isCollapsed ? [] : [branch];
    });
  }

  private openBranches(): Branch[] {
    const open = this.branches.has(TOP) ? [this.branchOf(undefined)] : [];
    for (let index = 0; index < open.length; index += 1) {
      const branch = open[index];
      if (branch !== undefined) open.push(...this.openBelow(branch));
    }
    return open;
  }
}

/** The pages of the first `limit` rows, as far as there are so many. */
async function allPages<T extends { readonly total: number }>(
  limit: number,
  ask: (offset: number) => Promise<T>,
): Promise<T[]> {
  const pages: T[] = [];
  for (let offset = 0; offset < Math.min(limit, pages.at(-1)?.total ?? limit); offset += PAGE_SIZE)
    pages.push(await ask(offset));
  return pages;
}

function totalOf(pages: readonly { readonly total: number }[]): number {
  return pages.at(-1)?.total ?? 0;
}

function hasSameIds(rows: readonly NetworkNode[], others: readonly NetworkNode[]): boolean {
  return rows.length === others.length && rows.every(({ id }, index) => id === others[index]?.id);
}

/** What is below a node that is drawn again is drawn with it. */
function outermost(nodes: ReadonlySet<NetworkNode>): NetworkNode[] {
  return [...nodes].filter((node) => !hasAncestorIn(node, nodes));
}

function hasAncestorIn(node: NetworkNode, nodes: ReadonlySet<NetworkNode>): boolean {
  for (let { parent } = node; parent !== undefined; { parent } = parent)
    if (nodes.has(parent)) return true;
  return false;
}
