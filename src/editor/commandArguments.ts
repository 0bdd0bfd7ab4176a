import * as vscode from 'vscode';
import { PeershelfError } from '../common/errors';
import type { NetworkFile, PublishedFile, Transfer } from '../peer/peerApi';
import type { FolderWish } from './fetching';
import type { WantedFile } from './wantedFile';

/**
 * What a menu was opened on. Explorer and trees pass the row and then the whole selection; an editor
 * tab passes an object as the second argument, which is none.
 */
export function selectionOf([row, selection]: readonly unknown[]): unknown[] {
  if (Array.isArray(selection) && selection.length > 0) return selection as unknown[];
  return row === undefined ? [] : [row];
}

/**
 * The rows of a tree that a command was called on; none for the command palette, which passes nothing.
 *
 * @throws LIST_CHANGED for a row that VS Code no longer knows: it forgets all of them for a moment
 *   while it draws a tree again, and then passes `undefined`.
 */
export function rowsOf(args: readonly unknown[]): unknown[] {
  const rows = selectionOf(args).filter((row) => row !== undefined && row !== null);
  if (rows.length === 0 && args.length > 0) throw listChanged();
  return rows;
}

/** For a row that was just being drawn again. */
export function listChanged(): PeershelfError {
  return new PeershelfError('LIST_CHANGED', 'the row was being drawn again');
}

/**
 * The chosen files, or the one in the active editor.
 * @throws NO_FILE_CHOSEN when there is none; LIST_CHANGED for a row that VS Code no longer knows, for
 *   which nothing else may be published.
 */
export function urisOf(args: readonly unknown[]): vscode.Uri[] {
  const chosen = selectionOf(args).filter((one) => one instanceof vscode.Uri);
  if (chosen.length > 0) return chosen;
  // A source control view passes each chosen row as an argument of its own.
  const changed = args.filter(isResourceState).map(({ resourceUri }) => resourceUri);
  if (changed.length > 0) return changed;
  if (args.length > 0 && args.every((one) => one === undefined || one === null))
    throw listChanged();
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
export async function each(
  args: readonly unknown[],
  act: (file: NetworkFile) => Promise<void>,
): Promise<void> {
  for (const file of networkFilesOf(args)) await act(file);
}

/** The files among the chosen rows, with everyone who has them as far as the rows say. */
export function networkFilesOf(args: readonly unknown[]): WantedFile[] {
  return rowsOf(args).flatMap((node) =>
    isFileNode(node) ? [{ ...node.file, sources: node.sources }] : [],
  );
}

/** The folders of the network among the chosen rows. */
export function networkFoldersOf(args: readonly unknown[]): FolderWish[] {
  return rowsOf(args).flatMap((node) =>
    isFolderNode(node) ? [{ prefix: node.folder.prefix, hostname: node.hostname }] : [],
  );
}

export function transfersOf(args: readonly unknown[]): Transfer[] {
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

function isFileNode(
  value: unknown,
): value is { readonly file: NetworkFile; readonly sources?: WantedFile['sources'] } {
  return typeof value === 'object' && value !== null && 'file' in value;
}

function isFolderNode(value: unknown): value is {
  readonly folder: { readonly prefix: string };
  readonly hostname?: string | undefined;
} {
  return typeof value === 'object' && value !== null && 'folder' in value;
}

/** Rows of Published Files by their names, and places in the explorer or of a tab. */
export function publishedOf(args: readonly unknown[]): { names: string[]; uris: vscode.Uri[] } {
  const rows = rowsOf(args);
  return {
    names: rows.flatMap((row) => (isPublishedRow(row) ? [row.published.name] : [])),
    uris: rows.filter((row) => row instanceof vscode.Uri),
  };
}

function isPublishedRow(value: unknown): value is { readonly published: PublishedFile } {
  return typeof value === 'object' && value !== null && 'published' in value;
}
