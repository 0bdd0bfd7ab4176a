import { homedir } from 'node:os';
import { isAbsolute, join, relative, sep } from 'node:path';
import * as vscode from 'vscode';
import { PeershelfError } from '../common/errors';
import { isRiskyPath } from '../common/riskyPaths';
import type { NetworkFile } from '../peer/peerApi';
import { toLocalName } from '../protocol/names';
import { readSetting } from './contributions';
import { foreignText } from './foreignText';
import { ask, notify } from './notifier';

/** Files that a question names; it says how many more there are. */
const MAX_NAMED = 5;

/** Where a file goes: an absolute path, and the folder that must contain it, if any must. */
export interface Place {
  readonly destination: string;
  readonly folder: string | undefined;
  /** `overwrite` when the user has been asked already. */
  readonly ifExists: 'fail' | 'overwrite';
  /** The path that the user sees, when a file there could make programs run. */
  readonly risk: string | undefined;
}

/**
 * Below the fetch folder under the publisher's path; without a folder, where the user says, or
 * undefined when the user does not.
 * @throws INVALID_NAME, INVALID_ARGUMENT when the setting leads out of the folder.
 */
export async function placeFor(file: NetworkFile): Promise<Place | undefined> {
  const folder = vscode.workspace.workspaceFolders?.find(({ uri }) => uri.scheme === 'file');
  if (folder === undefined) return askForPlace(file);
  const name = toLocalName(file.name, process.platform);
  const root = folder.uri.fsPath;
  const destination = join(root, readFetchFolder(folder), ...name.split('/'));
  return { destination, folder: root, ifExists: 'fail', risk: riskOf(relative(root, destination)) };
}

/** Where the user says; undefined when that is nowhere, or not on a disk. */
export async function askForPlace(file: NetworkFile): Promise<Place | undefined> {
  const name = suggestedName(file.name);
  const folder = vscode.workspace.workspaceFolders?.find(({ uri }) => uri.scheme === 'file')?.uri;
  const target = await vscode.window.showSaveDialog({
    title: vscode.l10n.t('Fetch {0} To', foreignText(file.name)),
    defaultUri: vscode.Uri.joinPath(folder ?? vscode.Uri.file(homedir()), name),
  });
  if (target === undefined) return undefined;
  if (target.scheme !== 'file') {
    notify('error', vscode.l10n.t('Files can only be saved to a disk. Choose another place.'));
    return undefined;
  }
  // The dialog has asked already whether to replace what is there.
  const risk = riskOf(vscode.workspace.asRelativePath(target, false));
  return { destination: target.fsPath, folder: undefined, ifExists: 'overwrite', risk };
}

/** Whether to fetch what could make programs run; asks once for all. */
export async function confirmRisks(
  files: readonly NetworkFile[],
  risks: string[],
): Promise<boolean> {
  const [first] = files;
  if (first === undefined) return true;
  const yes = vscode.l10n.t('Fetch Anyway');
  const message =
    files.length === 1
      ? vscode.l10n.t(
          'Fetch {0} from {1}?',
          foreignText(risks[0] ?? first.name),
          foreignText(first.displayName),
        )
      : vscode.l10n.t('Fetch {0} files that can make programs run?', files.length);
  const detail = vscode.l10n.t(
    'A file at this place can make programs run on this computer. Fetch it only if you trust its publisher.',
  );
  const names = files.length === 1 ? [] : nameSome(files, risks);
  return (await ask(message, [...names, detail].join('\n'), yes)) === yes;
}

/** Whether an editor holds something of this file that the disk does not. */
export function hasUnsavedChanges(path: string): boolean {
  return vscode.workspace.textDocuments.some(
    ({ isDirty, uri }) => isDirty && uri.scheme === 'file' && uri.fsPath === path,
  );
}

/** What to do about other content in the way; undefined to leave it. */
export async function askAboutConflict(
  path: string,
): Promise<'overwrite' | 'keepBoth' | undefined> {
  const overwrite = vscode.l10n.t('Overwrite');
  const keepBoth = vscode.l10n.t('Keep Both');
  const shown = foreignText(vscode.workspace.asRelativePath(path));
  const chosen = await ask(
    hasUnsavedChanges(path)
      ? vscode.l10n.t('{0} has unsaved changes in an editor.', shown)
      : vscode.l10n.t('{0} exists with other content.', shown),
    vscode.l10n.t('Overwriting it cannot be undone.'),
    overwrite,
    keepBoth,
  );
  if (chosen === overwrite) return 'overwrite';
  return chosen === keepBoth ? 'keepBoth' : undefined;
}

/** The last part of the name; what is no file name here is not offered as one. */
function suggestedName(name: string): string {
  try {
    return toLocalName(name.split(/[\\/]/u).at(-1) ?? '', process.platform);
  } catch (error) {
    if (PeershelfError.is(error)) return 'file';
    throw error;
  }
}

function nameSome(files: readonly NetworkFile[], risks: readonly string[]): string[] {
  const named = files
    .slice(0, MAX_NAMED)
    .map(({ name, displayName }, index) =>
      vscode.l10n.t('{0} from {1}', foreignText(risks[index] ?? name), foreignText(displayName)),
    );
  const left = files.length - named.length;
  return left > 0 ? [...named, vscode.l10n.t('and {0} more', left)] : named;
}

function riskOf(path: string): string | undefined {
  const shown = path.split(sep).join('/');
  return isRiskyPath(shown) ? shown : undefined;
}

function readFetchFolder(folder: vscode.WorkspaceFolder): string {
  const setting = readSetting('fetchFolder', folder.uri).trim();
  const leavesFolder = setting.split(/[\\/]/u).includes('..');
  if (!leavesFolder && !isAbsolute(setting) && !/^[a-z]:/iu.test(setting)) return setting;
  throw new PeershelfError('INVALID_ARGUMENT', `peershelf.fetchFolder "${setting}"`);
}
