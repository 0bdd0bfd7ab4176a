import { createHash } from 'node:crypto';
import * as vscode from 'vscode';
import { describeError } from '../common/errors';
import type { Logger } from '../common/logger';

const PLACE_KEY = 'place';
const PLACE = /^[0-9a-f]{32}$/u;
/** Where a server of VS Code keeps a workspace that nobody has saved; the desktop has a scheme for it. */
const UNSAVED_PATH = /\/User\/Workspaces\/Untitled-\d+\.code-workspace$/u;

/**
 * The name of the folder, in the extension's storage, of what belongs to this workspace: 32 hexadecimal
 * digits. It stays the same when VS Code makes another workspace of it, as it does with a second folder and
 * when it is saved: the desktop takes the state of the workspace along. In a browser, which does not, a
 * workspace without a file of its own is at least that of its first folder.
 */
export function workspacePlace(state: vscode.Memento, logger: Logger): string {
  const kept = state.get<unknown>(PLACE_KEY);
  if (typeof kept === 'string' && PLACE.test(kept)) return kept;
  const { workspaceFile, workspaceFolders } = vscode.workspace;
  const isSaved = workspaceFile !== undefined && !isUnsaved(workspaceFile);
  const uri = isSaved ? workspaceFile : workspaceFolders?.[0]?.uri;
  const place = createHash('sha256')
    .update(uri?.toString() ?? 'none')
    .digest('hex')
    .slice(0, 32);
  // An empty window becomes the first workspace that is opened in it, not the other way round.
  if (uri !== undefined) state.update(PLACE_KEY, place).then(undefined, notKept(logger));
  return place;
}

function isUnsaved({ scheme, path }: vscode.Uri): boolean {
  return scheme === 'untitled' || UNSAVED_PATH.test(path);
}

function notKept(logger: Logger): (error: unknown) => void {
  return (error) => logger.warn(`the place of the workspace was not kept: ${describeError(error)}`);
}
