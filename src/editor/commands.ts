import * as vscode from 'vscode';
import { DisposableBase } from '../common/disposable';
import { PeershelfError } from '../common/errors';
import type { Logger } from '../common/logger';
import type { NetworkFile, PublishedFile, Transfer } from '../peer/peerApi';
import type { CommandRunner } from './commandRunner';
import type { Comparing } from './comparing';
import { COMMANDS } from './contributions';
import type { Engine } from './engine';
import type { Fetching } from './fetching';
import { pickNetworkFile, pickPublishedFiles } from './filePicker';
import type { Invitations } from './invitations';
import { type NetworkCommands, peersOf } from './networkCommands';
import type { Publishing } from './publishing';
import type { Session } from './session';
import type { SessionActions } from './sessionActions';
import type { TransferActions } from './transferActions';

export interface CommandsDependencies {
  readonly runner: CommandRunner;
  readonly engine: Engine;
  readonly session: Session;
  readonly sessionActions: SessionActions;
  readonly invitations: Invitations;
  readonly publishing: Publishing;
  readonly fetching: Fetching;
  readonly comparing: Comparing;
  readonly transfers: TransferActions;
  readonly logger: Logger;
  readonly network: NetworkCommands;
  readonly showLog: () => void;
}

/** All commands, each a line that says what it means; what they do is in the classes they call. */
export class Commands extends DisposableBase {
  constructor(private readonly dependencies: CommandsDependencies) {
    super();
    const { runner, session, sessionActions: actions, invitations } = dependencies;
    const { comparing, transfers, network } = dependencies;
    const handlers = {
      [COMMANDS.publish]: (...args: unknown[]) => dependencies.publishing.publish(urisOf(args)),
      [COMMANDS.unpublish]: (...args: unknown[]) => this.unpublish(args),
      [COMMANDS.fetch]: (...args: unknown[]) => this.fetch(args),
      [COMMANDS.fetchTo]: (...args: unknown[]) => this.fetchTo(args),
      [COMMANDS.openRemote]: (...args: unknown[]) =>
        each(args, (file) => comparing.openRemote(file)),
      [COMMANDS.compareWithWorkspace]: (...args: unknown[]) =>
        each(args.slice(0, 1), (file) => comparing.compareWithWorkspace(file)),
      [COMMANDS.compareSelected]: (...args: unknown[]) =>
        comparing.compareSelected(networkFilesOf(args)),
      [COMMANDS.filterNetwork]: () => network.filter(),
      [COMMANDS.clearFilter]: () => network.clearFilter(),
      [COMMANDS.groupByFolder]: () => network.group('folder'),
      [COMMANDS.groupByPeer]: () => network.group('peer'),
      [COMMANDS.browsePeer]: (...args: unknown[]) => network.browse(peersOf(rowsOf(args))),
      [COMMANDS.pingPeer]: (...args: unknown[]) => network.ping(peersOf(rowsOf(args))),
      [COMMANDS.startTracker]: () => actions.startTracker(),
      [COMMANDS.stopTracker]: () => actions.stopTracker(),
      [COMMANDS.connectOpen]: () => actions.connectOpen(),
      [COMMANDS.join]: () => invitations.join(),
      [COMMANDS.copyInvite]: () => invitations.copyInvite(),
      [COMMANDS.saveInvite]: () => invitations.saveInvite(),
      [COMMANDS.renewInvite]: () => invitations.renewInvite(),
      [COMMANDS.leave]: () => session.leave(),
      [COMMANDS.pauseTransfer]: (...args: unknown[]) => transfers.pause(transfersOf(args)),
      [COMMANDS.resumeTransfer]: (...args: unknown[]) => transfers.resume(transfersOf(args)),
      [COMMANDS.cancelTransfer]: (...args: unknown[]) => transfers.cancel(transfersOf(args)),
      [COMMANDS.retryTransfer]: (...args: unknown[]) => transfers.retry(transfersOf(args)),
      [COMMANDS.revealTransfer]: (...args: unknown[]) => transfers.reveal(transfersOf(args)),
      [COMMANDS.offerTransfer]: (...args: unknown[]) => transfers.offer(transfersOf(args)),
      [COMMANDS.clearTransfers]: () => transfers.clear(),
      [COMMANDS.refreshNetwork]: () => dependencies.engine.calls.refreshNetwork(),
      [COMMANDS.showMore]: (id: unknown) => network.showMore(id),
      [COMMANDS.showMenu]: () => actions.showMenu(),
      [COMMANDS.showLog]: () => dependencies.showLog(),
    } as const;
    for (const id of Object.values(COMMANDS)) this.register(runner.register(id, handlers[id]));
  }

  private async unpublish(args: readonly unknown[]): Promise<void> {
    const { publishing, engine } = this.dependencies;
    const chosen = rowsOf(args);
    const rows = chosen.filter(isPublishedFile);
    const uris = chosen.filter((one) => one instanceof vscode.Uri);
    if (rows.length > 0) return publishing.unpublish(rows.map(({ name }) => name));
    const names =
      uris.length > 0 ? await publishing.namesOf(uris) : await pickPublishedFiles(engine);
    return publishing.unpublish(names);
  }

  private async fetch(args: readonly unknown[]): Promise<void> {
    const { fetching, engine, session, logger } = this.dependencies;
    const rows = networkFilesOf(args);
    if (rows.length > 0) return fetching.fetch(rows);
    if (!session.isConnected) throw new PeershelfError('NOT_CONNECTED', 'nothing to choose from');
    const file = await pickNetworkFile(engine, logger);
    return file === undefined ? undefined : fetching.fetch([file]);
  }

  private async fetchTo(args: readonly unknown[]): Promise<void> {
    const [file] = networkFilesOf(args);
    if (file !== undefined) await this.dependencies.fetching.fetchTo(file);
  }
}

/**
 * What a menu was opened on. Explorer and trees pass the row and then the whole selection; an editor
 * tab passes an object as the second argument, which is none.
 */
function selectionOf([row, selection]: readonly unknown[]): unknown[] {
  if (Array.isArray(selection) && selection.length > 0) return selection as unknown[];
  return row === undefined ? [] : [row];
}

/**
 * The rows of a tree that a command was called on; none for the command palette, which passes nothing.
 *
 * @throws LIST_CHANGED for a row that VS Code no longer knows: it forgets all of them for a moment
 *   while it draws a tree again, and then passes `undefined`.
 */
function rowsOf(args: readonly unknown[]): unknown[] {
  const rows = selectionOf(args).filter((row) => row !== undefined && row !== null);
  if (rows.length === 0 && args.length > 0)
    throw new PeershelfError('LIST_CHANGED', 'the row was being drawn again');
  return rows;
}

/**
 * The chosen files, or the one in the active editor.
 * @throws NO_FILE_CHOSEN when there is none; LIST_CHANGED for a row that VS Code no longer knows, for
 *   which nothing else may be published.
 */
function urisOf(args: readonly unknown[]): vscode.Uri[] {
  const chosen = selectionOf(args).filter((one) => one instanceof vscode.Uri);
  if (chosen.length > 0) return chosen;
  // A source control view passes each chosen row as an argument of its own.
  const changed = args.filter(isResourceState).map(({ resourceUri }) => resourceUri);
  if (changed.length > 0) return changed;
  if (args.length > 0 && args.every((one) => one === undefined || one === null))
    throw new PeershelfError('LIST_CHANGED', 'the row was being drawn again');
  const active = activeUri();
  if (active !== undefined) return [active];
  throw new PeershelfError('NO_FILE_CHOSEN', 'there is no active file');
}

/** The file of the active tab; of a comparison the side that can be edited. */
function activeUri(): vscode.Uri | undefined {
  const input = vscode.window.tabGroups.activeTabGroup.activeTab?.input;
  if (
    input instanceof vscode.TabInputText ||
    input instanceof vscode.TabInputCustom ||
    input instanceof vscode.TabInputNotebook
  )
    return input.uri;
  if (input instanceof vscode.TabInputTextDiff || input instanceof vscode.TabInputNotebookDiff)
    return input.modified;
  return vscode.window.activeTextEditor?.document.uri;
}

/** One after the other, for the rows that a command was called on. */
async function each(
  args: readonly unknown[],
  act: (file: NetworkFile) => Promise<void>,
): Promise<void> {
  for (const file of networkFilesOf(args)) await act(file);
}

function networkFilesOf(args: readonly unknown[]): NetworkFile[] {
  return rowsOf(args).flatMap((node) => (isFileNode(node) ? [node.file] : []));
}

function transfersOf(args: readonly unknown[]): Transfer[] {
  return rowsOf(args).flatMap((node) => (isTransferNode(node) ? [node.transfer] : []));
}

function isTransferNode(value: unknown): value is { readonly transfer: Transfer } {
  return typeof value === 'object' && value !== null && 'transfer' in value;
}

function isResourceState(value: unknown): value is vscode.SourceControlResourceState {
  return (
    typeof value === 'object' &&
    value !== null &&
    'resourceUri' in value &&
    value.resourceUri instanceof vscode.Uri
  );
}

function isFileNode(value: unknown): value is { readonly file: NetworkFile } {
  return typeof value === 'object' && value !== null && 'file' in value;
}

function isPublishedFile(value: unknown): value is PublishedFile {
  return typeof value === 'object' && value !== null && 'publishedAtMs' in value && 'path' in value;
}
