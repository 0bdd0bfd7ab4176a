import * as vscode from 'vscode';
import { systemClock } from '../common/clock';
import { DisposableBase } from '../common/disposable';
import { describeError } from '../common/errors';
import type { Logger } from '../common/logger';
import { VIEWS } from '../editor/contributions';
import type { Engine } from '../editor/engine';
import type { NetworkPeer } from '../peer/peerApi';
import { moreItem } from './moreItem';
import type { NetworkInterest } from './networkInterest';
import { peerItem } from './peerItem';
import { Refresher } from './refresher';
import { type MoreRow, RowList } from './rowList';
import { Settling } from './settling';

/** Ages are told with some delay: a time that moves by less than this has not changed. */
const SAME_TIME_MS = 5_000;

export interface PeerRow {
  readonly kind: 'member';
  peer: NetworkPeer;
  /** When its state began, by the clock of the wall. */
  sinceMs: number;
}

type Row = PeerRow | MoreRow;

/** Who is in the session, with files and without. */
export class PeersView extends DisposableBase implements vscode.TreeDataProvider<Row> {
  private readonly view: vscode.TreeView<Row>;
  private readonly refresher = this.register(new Refresher(systemClock, () => this.refresh()));
  private readonly rows = new RowList<NetworkPeer, PeerRow>({
    name: VIEWS.peers,
    idOf: ({ hostname }) => hostname,
    create: (peer) => ({ kind: 'member', peer, sinceMs: sinceMsOf(peer) }),
    update: updateRow,
  });

  readonly onDidChangeTreeData = this.rows.onDidChange;

  constructor(
    private readonly engine: Engine,
    interest: NetworkInterest,
    private readonly logger: Logger,
  ) {
    super();
    this.view = this.register(
      vscode.window.createTreeView(VIEWS.peers, {
        treeDataProvider: this,
        canSelectMany: true,
        showCollapseAll: false,
      }),
    );
    const watch = (): void => {
      interest.set(VIEWS.peers, this.view.visible);
      this.refresher.schedule();
    };
    this.register(
      engine.onDidChange((part) => {
        if (part === 'connection') watch();
        else if (part === 'network' && this.view.visible) this.refresher.schedule();
      }),
    );
    this.register(this.view.onDidChangeVisibility(watch));
    this.register(new Settling(this.view, () => this.rows.tellAgain()));
  }

  getChildren(parent?: Row): Row[] {
    return parent === undefined ? this.rows.take() : [];
  }

  getParent(): undefined {
    return undefined;
  }

  getTreeItem(row: Row): vscode.TreeItem {
    return row.kind === 'more' ? moreItem(row) : peerItem(row.peer, row.sinceMs);
  }

  showMore(id: string): void {
    this.rows.showMore(id);
  }

  private async refresh(): Promise<void> {
    try {
      const isConnected = this.engine.state.connection.kind === 'connected';
      this.show(isConnected ? await this.engine.calls.networkPeers() : []);
    } catch (error) {
      // A stopped engine is told by other ways, and ends in an empty view.
      this.logger.debug(`peers: ${describeError(error)}`);
    }
  }

  private show(peers: readonly NetworkPeer[]): void {
    this.rows.show(peers);
    this.view.description = describe(peers);
  }
}

function sinceMsOf({ sinceAgeMs }: NetworkPeer): number {
  return systemClock.now() - sinceAgeMs;
}

function updateRow(row: PeerRow, peer: NetworkPeer): boolean {
  const sinceMs = sinceMsOf(peer);
  const isSameTime = Math.abs(row.sinceMs - sinceMs) < SAME_TIME_MS;
  const isSame = isSameTime && isSamePeer(row.peer, peer);
  if (!isSameTime) row.sinceMs = sinceMs;
  row.peer = peer;
  return !isSame;
}

/** But for what tells only that time passes. */
function isSamePeer(one: NetworkPeer, other: NetworkPeer): boolean {
  const { lastSeenAgeMs: _, sinceAgeMs: __, ...before } = one;
  const { lastSeenAgeMs: ___, sinceAgeMs: ____, ...after } = other;
  return JSON.stringify(before) === JSON.stringify(after);
}

function describe(peers: readonly NetworkPeer[]): string {
  const away = peers.filter(({ state }) => state === 'away').length;
  const counts = [vscode.l10n.t('{0} online', peers.length - away)];
  if (away > 0) counts.push(vscode.l10n.t('{0} away', away));
  return peers.length === 0 ? '' : counts.join(', ');
}
