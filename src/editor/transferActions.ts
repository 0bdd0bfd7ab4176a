import * as vscode from 'vscode';
import { DisposableBase } from '../common/disposable';
import type { StartedTransfer, Transfer } from '../peer/peerApi';
import type { Engine } from './engine';
import type { Publishing } from './publishing';

export interface TransferActionsDependencies {
  readonly engine: Engine;
  readonly publishing: Publishing;
  /** Hears of the paths of what was fetched: files, and folders with all that is in them. */
  readonly onFetched: (paths: readonly string[]) => void;
}

/** What can be done with transfers: each act passes over those that it means nothing for. */
export class TransferActions extends DisposableBase {
  /** Ids of downloads that were started from their rows: nobody else waits for their end. */
  private readonly started = new Set<string>();

  constructor(private readonly dependencies: TransferActionsDependencies) {
    super();
    const { engine } = dependencies;
    this.register(engine.onDidCrash(() => this.started.clear()));
    this.register(engine.onDidChange((part) => part === 'transfers' && this.lookAtStarted()));
  }

  async pause(transfers: readonly Transfer[]): Promise<void> {
    for (const { id } of transfers) await this.dependencies.engine.calls.pauseTransfer({ id });
  }

  async resume(transfers: readonly Transfer[]): Promise<void> {
    const { calls } = this.dependencies.engine;
    for (const { id } of transfers) this.follow(await calls.resumeTransfer({ id }));
  }

  async cancel(transfers: readonly Transfer[]): Promise<void> {
    for (const { id } of transfers) await this.dependencies.engine.calls.cancelTransfer({ id });
  }

  async retry(transfers: readonly Transfer[]): Promise<void> {
    const { calls } = this.dependencies.engine;
    for (const { id } of transfers) this.follow(await calls.retryTransfer({ id }));
  }

  /** Shows the file in the explorer, or in the system's own where it lies outside. */
  async reveal([transfer]: readonly Transfer[]): Promise<void> {
    if (transfer?.path === undefined) return;
    const uri = vscode.Uri.file(transfer.path);
    const isInside = vscode.workspace.getWorkspaceFolder(uri) !== undefined;
    await vscode.commands.executeCommand(isInside ? 'revealInExplorer' : 'revealFileInOS', uri);
  }

  /** Publishes what was fetched: an act of its own, as fetching never publishes. */
  async offer(transfers: readonly Transfer[]): Promise<void> {
    const paths = transfers.flatMap(({ state, path }) =>
      state === 'done' && path !== undefined ? [path] : [],
    );
    const uris = paths.map((path) => vscode.Uri.file(path));
    if (uris.length > 0) await this.dependencies.publishing.publishFetched(uris);
  }

  async clear(): Promise<void> {
    await this.dependencies.engine.calls.clearTransfers();
  }

  private follow({ id }: StartedTransfer): void {
    if (id === undefined) return;
    this.started.add(id);
    // A small one may have ended before its id came here.
    this.lookAtStarted();
  }

  private lookAtStarted(): void {
    if (this.started.size === 0) return;
    const done: string[] = [];
    for (const { id, state, path } of this.dependencies.engine.state.transfers) {
      if (!['done', 'failed', 'cancelled'].includes(state) || !this.started.delete(id)) continue;
      if (state === 'done' && path !== undefined) done.push(path);
    }
    if (done.length > 0) this.dependencies.onFetched(done);
  }
}
