import { isAbsolute, join, relative, sep } from 'node:path';
import * as vscode from 'vscode';
import { describeError, PeershelfError } from '../common/errors';
import type { Logger } from '../common/logger';
import type { FetchRequest, FetchResult, NetworkFile, TransferProgress } from '../peer/peerApi';
import { toLocalName } from '../protocol/names';
import { readSetting } from './contributions';
import type { Engine } from './engine';
import { errorMessage } from './errorMessages';
import { foreignText } from './foreignText';
import { ask, notify, notifyWithLog } from './notifier';
import { isRiskyPath } from './riskyPaths';

/** Where a file goes: an absolute path, and the folder that must contain it, if any must. */
interface Place {
  readonly destination: string;
  readonly folder: string | undefined;
  /** `overwrite` when the user has been asked already. */
  readonly ifExists: 'fail' | 'overwrite';
}

type Report = (progress: TransferProgress) => void;

/** Fetching files of others, with what must be asked before, shown during and told after. */
export class Fetching {
  constructor(
    private readonly engine: Engine,
    private readonly logger: Logger,
  ) {}

  /** Fetches into the workspace's fetch folder; without a folder, where the user says. */
  async fetch(files: readonly NetworkFile[]): Promise<void> {
    const jobs: { file: NetworkFile; place: Place }[] = [];
    for (const file of files) {
      const place = await this.place(file, files.length === 1);
      if (place !== undefined) jobs.push({ file, place });
    }
    if (jobs.length === 0) return;
    const results: FetchResult[] = [];
    for (const { file, place } of jobs) {
      const result = await this.fetchWithProgress(file, place, files.length === 1);
      if (result !== undefined) results.push(result);
    }
    reportFetched(results);
  }

  /** Fetches one file to where the user says. */
  async fetchTo(file: NetworkFile): Promise<void> {
    const place = await askForPlace(file);
    if (place === undefined) return;
    const result = await this.fetchWithProgress(file, place, true);
    if (result !== undefined) reportFetched([result]);
  }

  /** As {@link choosePlace}; undefined, too, when it failed as one of several and was reported. */
  private async place(file: NetworkFile, isAlone: boolean): Promise<Place | undefined> {
    try {
      return await choosePlace(file);
    } catch (error) {
      this.passOver(file, error, isAlone);
      return undefined;
    }
  }

  /** Undefined when the user skipped it, or when it failed as one of several and was reported. */
  private async fetchWithProgress(
    file: NetworkFile,
    place: Place,
    isAlone: boolean,
  ): Promise<FetchResult | undefined> {
    try {
      return await this.fetchAskingOnConflict(file, place);
    } catch (error) {
      this.passOver(file, error, isAlone);
      return undefined;
    }
  }

  /** One of several that fails is reported and does not keep the others from being fetched. */
  private passOver(file: NetworkFile, error: unknown, isAlone: boolean): void {
    const failure = PeershelfError.from(error);
    if (isAlone || failure.code === 'CANCELLED') throw failure;
    this.logger.error(`fetch ${file.name}: ${describeError(failure)}`);
    notifyWithLog('error', `${foreignText(file.name)}: ${errorMessage(failure)}`);
  }

  private async fetchAskingOnConflict(
    file: NetworkFile,
    place: Place,
  ): Promise<FetchResult | undefined> {
    const { name, hostname } = file;
    const request = { name, hostname, ...place };
    // The save dialog has asked about the file, but does not know what an editor holds of it.
    if (place.ifExists === 'fail' || !hasUnsavedChanges(place.destination))
      try {
        return await this.run(file, request);
      } catch (error) {
        if (!PeershelfError.is(error, 'DESTINATION_EXISTS')) throw error;
      }
    const ifExists = await askWhatToDo(place.destination);
    return ifExists === undefined ? undefined : this.run(file, { ...request, ifExists });
  }

  private async run(file: NetworkFile, request: FetchRequest): Promise<FetchResult> {
    const title = vscode.l10n.t(
      'Fetching {0} from {1}',
      foreignText(file.name),
      foreignText(file.displayName),
    );
    return vscode.window.withProgress(
      { location: vscode.ProgressLocation.Notification, title, cancellable: true },
      async (progress, token) => {
        const controller = new AbortController();
        const subscription = token.onCancellationRequested(() => controller.abort());
        try {
          return await this.engine.calls.fetch(request, {
            signal: controller.signal,
            onProgress: percentReport(progress),
          });
        } finally {
          subscription.dispose();
        }
      },
    );
  }
}

/** Turns byte counts into the steps that VS Code adds up. */
function percentReport(progress: vscode.Progress<{ message: string; increment: number }>): Report {
  let shown = 0;
  return ({ bytes, totalBytes }) => {
    const percent = totalBytes === 0 ? 100 : Math.floor((bytes / totalBytes) * 100);
    progress.report({ message: `${percent} %`, increment: Math.max(0, percent - shown) });
    shown = Math.max(shown, percent);
  };
}

/** Below the fetch folder under the publisher's path; undefined when the user did not want it there. */
async function choosePlace(file: NetworkFile): Promise<Place | undefined> {
  const folder = vscode.workspace.workspaceFolders?.find(({ uri }) => uri.scheme === 'file');
  if (folder === undefined) return askForPlace(file);
  const name = toLocalName(file.name, process.platform);
  const root = folder.uri.fsPath;
  const destination = join(root, readFetchFolder(folder), ...name.split('/'));
  const inFolder = relative(root, destination).split(sep).join('/');
  if (isRiskyPath(inFolder) && !(await confirmRisky(inFolder, file))) return undefined;
  return { destination, folder: root, ifExists: 'fail' };
}

/** @throws INVALID_ARGUMENT when the setting leads out of the folder. */
function readFetchFolder(folder: vscode.WorkspaceFolder): string {
  const setting = readSetting('fetchFolder', folder.uri).trim();
  const leavesFolder = setting.split(/[\\/]/u).includes('..');
  if (!leavesFolder && !isAbsolute(setting) && !/^[a-z]:/iu.test(setting)) return setting;
  throw new PeershelfError('INVALID_ARGUMENT', `peershelf.fetchFolder "${setting}"`);
}

async function askForPlace(file: NetworkFile): Promise<Place | undefined> {
  const name = suggestedName(file.name);
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
  const target = await vscode.window.showSaveDialog({
    title: vscode.l10n.t('Fetch {0} To', foreignText(file.name)),
    defaultUri: folder === undefined ? vscode.Uri.file(name) : vscode.Uri.joinPath(folder, name),
  });
  if (target === undefined) return undefined;
  if (target.scheme !== 'file') {
    notify('error', vscode.l10n.t('Files can only be saved to a disk. Choose another place.'));
    return undefined;
  }
  // The dialog has asked already whether to replace what is there.
  return { destination: target.fsPath, folder: undefined, ifExists: 'overwrite' };
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

function hasUnsavedChanges(path: string): boolean {
  return vscode.workspace.textDocuments.some(
    ({ isDirty, uri }) => isDirty && uri.scheme === 'file' && uri.fsPath === path,
  );
}

async function confirmRisky(path: string, file: NetworkFile): Promise<boolean> {
  const yes = vscode.l10n.t('Fetch Anyway');
  const message = vscode.l10n.t(
    'Fetch {0} from {1}?',
    foreignText(path),
    foreignText(file.displayName),
  );
  const detail = vscode.l10n.t(
    'A file at this place can make programs run on this computer. Fetch it only if you trust its publisher.',
  );
  return (await ask(message, detail, yes)) === yes;
}

async function askWhatToDo(path: string): Promise<'overwrite' | 'keepBoth' | undefined> {
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

function reportFetched(results: readonly FetchResult[]): void {
  const [first] = results;
  if (first === undefined) return;
  const uri = vscode.Uri.file(first.path);
  const open = {
    title: vscode.l10n.t('Open'),
    run: () => vscode.commands.executeCommand('vscode.open', uri),
  };
  if (results.length > 1) {
    notify('info', vscode.l10n.t('Fetched {0} files.', results.length));
    return;
  }
  const shown = foreignText(vscode.workspace.asRelativePath(uri));
  const owner = foreignText(first.displayName);
  if (first.outcome === 'alreadyThere')
    notify('info', vscode.l10n.t('{0} is here already, with the same content.', shown), [open]);
  else if (first.changedSincePublished)
    notify(
      'info',
      vscode.l10n.t('Fetched {0} from {1}. It has changed since it was published.', shown, owner),
      [open],
    );
  else notify('info', vscode.l10n.t('Fetched {0} from {1}.', shown, owner), [open]);
}
