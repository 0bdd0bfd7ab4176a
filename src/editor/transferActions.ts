import * as vscode from 'vscode';
import type { Transfer } from '../peer/peerApi';
import type { Engine } from './engine';
import type { Publishing } from './publishing';

/** What can be done with transfers: each act passes over those that it means nothing for. */
export class TransferActions {
  constructor(
    private readonly engine: Engine,
    private readonly publishing: Publishing,
  ) {}

  async pause(transfers: readonly Transfer[]): Promise<void> {
    for (const { id } of transfers) await this.engine.calls.pauseTransfer({ id });
  }

  async resume(transfers: readonly Transfer[]): Promise<void> {
    for (const { id } of transfers) await this.engine.calls.resumeTransfer({ id });
  }

  async cancel(transfers: readonly Transfer[]): Promise<void> {
    for (const { id } of transfers) await this.engine.calls.cancelTransfer({ id });
  }

  async retry(transfers: readonly Transfer[]): Promise<void> {
    for (const { id } of transfers) await this.engine.calls.retryTransfer({ id });
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
    if (uris.length > 0) await this.publishing.publishFetched(uris);
  }

  async clear(): Promise<void> {
    await this.engine.calls.clearTransfers();
  }
}
