import * as vscode from 'vscode';
import { DisposableBase } from '../common/disposable';
import { setContext, VIEWS } from '../editor/contributions';
import type { Engine } from '../editor/engine';
import type { Transfer } from '../peer/peerApi';
import { moreItem } from './moreItem';
import { type MoreRow, RowList } from './rowList';
import { Settling } from './settling';
import { transferItem } from './transferItem';

export interface TransferRow {
  readonly kind: 'transfer';
  transfer: Transfer;
}

type Row = TransferRow | MoreRow;

/** Running and recent transfers, the newest first. */
export class TransfersView extends DisposableBase implements vscode.TreeDataProvider<Row> {
  private readonly tree: vscode.TreeView<Row>;
  private readonly rows = new RowList<Transfer, TransferRow>({
    name: VIEWS.transfers,
    idOf: ({ id }) => id,
    create: (transfer) => ({ kind: 'transfer', transfer }),
    update: (row, transfer) => {
      const isOther = !isSame(row.transfer, transfer);
      row.transfer = transfer;
      return isOther;
    },
  });

  readonly onDidChangeTreeData = this.rows.onDidChange;

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
    return row.kind === 'more' ? moreItem(row) : transferItem(row.transfer);
  }

  showMore(id: string): void {
    this.rows.showMore(id);
  }

  private refresh(): void {
    const { transfers } = this.engine.state;
    this.rows.show([...transfers].reverse());
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
