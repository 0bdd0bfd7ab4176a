import * as vscode from 'vscode';
import { systemClock } from '../common/clock';
import { DisposableBase } from '../common/disposable';
import { describeError } from '../common/errors';
import type { Logger } from '../common/logger';
import { VIEWS } from '../editor/contributions';
import type { Engine } from '../editor/engine';
import type { NetworkPeer } from '../peer/peerApi';
import type { NetworkInterest } from './networkInterest';
import { peerItem } from './peerItem';
import { Refresher } from './refresher';
import { Settling } from './settling';

/** VS Code sends all siblings again on a change: more are left out, and the title says so. */
const MAX_ROWS = 500;
/** Ages are told with some delay: a time that moves by less than this has not changed. */
const SAME_TIME_MS = 5_000;

/** A row: the same object as long as the peer is known, so that only what changed is drawn. */
export interface PeerRow {
  readonly kind: 'member';
  peer: NetworkPeer;
  /** When its state began, by the clock of the wall. */
  sinceMs: number;
}

/** Who is in the session, with files and without. */
export class PeersView extends DisposableBase implements vscode.TreeDataProvider<PeerRow> {
  private readonly changeEmitter = this.register(new vscode.EventEmitter<PeerRow[] | undefined>());
  private readonly view: vscode.TreeView<PeerRow>;
  private readonly refresher = this.register(new Refresher(systemClock, () => this.refresh()));
  private rows = new Map<string, PeerRow>();
  /** Whether VS Code was told of a change and has not asked for the rows since. */
  private owesRows = false;

  readonly onDidChangeTreeData = this.changeEmitter.event;

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
    this.register(
      new Settling(this.view, () => {
        if (this.owesRows) this.changeEmitter.fire(undefined);
      }),
    );
  }

  getChildren(parent?: PeerRow): PeerRow[] {
    if (parent !== undefined) return [];
    this.owesRows = false;
    return [...this.rows.values()];
  }

  getParent(): undefined {
    return undefined;
  }

  getTreeItem({ peer, sinceMs }: PeerRow): vscode.TreeItem {
    return peerItem(peer, sinceMs);
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
    const before = this.rows;
    const changed: PeerRow[] = [];
    this.rows = new Map(
      peers.slice(0, MAX_ROWS).map((peer) => {
        const sinceMs = systemClock.now() - peer.sinceAgeMs;
        const row = before.get(peer.hostname) ?? { kind: 'member', peer, sinceMs };
        const isSameTime = Math.abs(row.sinceMs - sinceMs) < SAME_TIME_MS;
        if (!isSameTime || !isSamePeer(row.peer, peer)) changed.push(row);
        if (!isSameTime) row.sinceMs = sinceMs;
        row.peer = peer;
        return [peer.hostname, row];
      }),
    );
    const order = (rows: ReadonlyMap<string, PeerRow>): string => JSON.stringify([...rows.keys()]);
    const hasOtherRows = order(before) !== order(this.rows);
    if (hasOtherRows || changed.length > 0) {
      this.owesRows = true;
      this.changeEmitter.fire(hasOtherRows ? undefined : changed);
    }
    this.view.description = describe(peers);
  }
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
  if (peers.length > MAX_ROWS)
    counts.unshift(vscode.l10n.t('first {0} of {1}', MAX_ROWS, peers.length));
  return peers.length === 0 ? '' : counts.join(', ');
}
