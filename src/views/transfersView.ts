import * as vscode from 'vscode';
import { DisposableBase } from '../common/disposable';
import { setContext, VIEWS } from '../editor/contributions';
import type { Engine } from '../editor/engine';
import type { Transfer } from '../peer/peerApi';
import { Settling } from './settling';
import { transferItem } from './transferItem';

/** A row: the same object as long as its transfer is known, so that only what changed is drawn. */
export interface TransferNode {
  readonly kind: 'transfer';
  transfer: Transfer;
}

/** Running and recent transfers, the newest first. */
export class TransfersView extends DisposableBase implements vscode.TreeDataProvider<TransferNode> {
  private readonly changeEmitter = this.register(
    new vscode.EventEmitter<TransferNode[] | undefined>(),
  );
  private readonly tree: vscode.TreeView<TransferNode>;
  private nodes = new Map<string, TransferNode>();
  /** Whether VS Code was told of other rows and has not asked for them since. */
  private owesRows = false;

  readonly onDidChangeTreeData = this.changeEmitter.event;

  constructor(private readonly engine: Engine) {
    super();
    this.tree = this.register(
      vscode.window.createTreeView(VIEWS.transfers, {
        treeDataProvider: this,
        canSelectMany: true,
        showCollapseAll: false,
      }),
    );
    this.register(
      engine.onDidChange((part) => {
        if (part === 'transfers') this.refresh();
      }),
    );
    this.register(
      new Settling(this.tree, () => {
        if (this.owesRows) this.changeEmitter.fire(undefined);
      }),
    );
    this.refresh();
  }

  getChildren(parent?: TransferNode): TransferNode[] {
    if (parent !== undefined) return [];
    this.owesRows = false;
    return [...this.nodes.values()].reverse();
  }

  getParent(): undefined {
    return undefined;
  }

  getTreeItem({ transfer }: TransferNode): vscode.TreeItem {
    return transferItem(transfer);
  }

  private refresh(): void {
    const before = this.nodes;
    const { transfers } = this.engine.state;
    const changed: TransferNode[] = [];
    this.nodes = new Map(
      transfers.map((transfer) => {
        const node = before.get(transfer.id) ?? { kind: 'transfer', transfer };
        if (!isSame(node.transfer, transfer)) changed.push(node);
        node.transfer = transfer;
        return [transfer.id, node];
      }),
    );
    const isSameRows =
      before.size === this.nodes.size && transfers.every(({ id }) => before.has(id));
    if (!isSameRows) {
      this.owesRows = true;
      this.changeEmitter.fire(undefined);
    } else if (changed.length > 0) this.changeEmitter.fire(changed);
    const running = transfers.filter(({ state }) => state === 'running').length;
    this.tree.badge =
      running === 0
        ? undefined
        : { value: running, tooltip: vscode.l10n.t('Running transfers: {0}', running) };
    if (transfers.some(({ direction, state }) => direction === 'download' && state === 'done'))
      setContext('hasFetched', true);
    setContext(
      'hasEndedTransfers',
      transfers.some(({ state }) => ['done', 'failed', 'cancelled'].includes(state)),
    );
  }
}

/** The engine hands over copies; what is the same need not be drawn again. */
function isSame(one: Transfer, other: Transfer): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
