import { statSync } from 'node:fs';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { PeershelfError } from '../common/errors';
import { onAbort } from '../common/abort';
import { DisposableStore } from '../common/disposable';
import { type NetworkFile, MAX_PREVIEW_BYTES } from '../peer/peerApi';
import { toLocalName } from '../protocol/names';
import { COMMANDS } from './contributions';
import { placeFor } from './destinations';
import type { FetchRecord } from './fetchRecord';
import { foreignText } from './foreignText';
import { formatSize } from './format';
import { notify } from './notifier';
import { toRemoteUri } from './remoteUri';
import { rootName } from './rootNames';
import { hostLabel } from '../protocol/hostLabel';

/** Looking at files of others without fetching them, alone or beside others. */
export class Comparing {
  constructor(private readonly record: Pick<FetchRecord, 'placeOf'>) {}

  /** Opens files of others, read-only; offers to fetch one that is too large for that. */
  async openRemote(files: readonly NetworkFile[]): Promise<void> {
    // The tab of a preview is taken by the next one.
    const options = { preview: files.length === 1 };
    for (const file of files)
      if (!isTooLarge(file))
        await vscode.commands.executeCommand('vscode.open', remoteUri(file), options);
  }

  /** The workspace's file on the left, what the other offers on the right. */
  async compareWithWorkspace(file: NetworkFile): Promise<void> {
    const own = (await this.counterpartsOf(file)).find(isFile);
    if (own === undefined) {
      notify('info', vscode.l10n.t('This workspace has no file {0}.', foreignText(file.name)));
      return;
    }
    await this.compareWith(own, file);
  }

  /** A file of this computer on the left, what the other offers on the right. */
  async compareWith(path: string, file: NetworkFile): Promise<void> {
    const title = vscode.l10n.t(
      '{0} (workspace ↔ {1})',
      foreignText(baseName(file)),
      foreignText(hostLabel(file)),
    );
    await this.compare([file], [vscode.Uri.file(path), remoteUri(file)], title);
  }

  /**
   * As `compareWith`, and resolves when the user has seen enough: says so, or closes the comparison.
   * @param signal ends the wait.
   */
  async lookAtDifference(path: string, file: NetworkFile, signal?: AbortSignal): Promise<void> {
    await this.compareWith(path, file);
    const remote = remoteUri(file).toString();
    const shown = foreignText(vscode.workspace.asRelativePath(path));
    await new Promise<void>((resolve) => {
      const lifetime = new DisposableStore();
      const end = (): void => {
        lifetime.dispose();
        resolve();
      };
      lifetime.add(vscode.window.tabGroups.onDidChangeTabs(() => isCompared(remote) || end()));
      lifetime.add(onAbort(signal, end));
      const message = vscode.l10n.t('Look at the difference, then decide about {0}.', shown);
      notify('info', message, [{ title: vscode.l10n.t('Decide…'), run: end }]);
    });
  }

  /** Two files of others beside each other. */
  async compareSelected(files: readonly NetworkFile[]): Promise<void> {
    const [left, right] = files;
    if (left === undefined || right === undefined || files.length !== 2) {
      notify('info', vscode.l10n.t('Select two files to compare them.'));
      return;
    }
    const title = vscode.l10n.t(
      '{0} of {1} ↔ {2} of {3}',
      foreignText(baseName(left)),
      foreignText(hostLabel(left)),
      foreignText(baseName(right)),
      foreignText(hostLabel(right)),
    );
    await this.compare([left, right], [remoteUri(left), remoteUri(right)], title);
  }

  private async compare(
    files: readonly NetworkFile[],
    uris: readonly vscode.Uri[],
    title: string,
  ): Promise<void> {
    if (files.some(isTooLarge)) return;
    await vscode.commands.executeCommand('vscode.diff', ...uris, title);
  }

  /**
   * Where this workspace may have a network file, the likeliest place first: where it was fetched to,
   * where it would be, also before somebody else's came under its name, and under its relative path.
   * None for a name that cannot be one here, and without a folder.
   */
  async placesOf(file: NetworkFile): Promise<string[]> {
    try {
      return await this.counterpartsOf(file);
    } catch (error) {
      if (PeershelfError.is(error)) return [];
      throw error;
    }
  }

  /** @throws INVALID_NAME for a name that cannot be one here, INVALID_ARGUMENT for the fetch folder. */
  private async counterpartsOf(file: NetworkFile): Promise<string[]> {
    const folders = vscode.workspace.workspaceFolders?.filter(({ uri }) => uri.scheme === 'file');
    if (folders === undefined || folders.length === 0) return [];
    return [
      this.record.placeOf(file),
      file.clashes === true ? (await placeFor(file, true))?.destination : undefined,
      (await placeFor(file))?.destination,
      samePathIn(folders, file.name),
    ].filter((path) => path !== undefined);
  }
}

/** The same relative path; among several folders the first part of a name is the folder's. */
function samePathIn(folders: readonly vscode.WorkspaceFolder[], name: string): string | undefined {
  const [first] = folders;
  const parts = toLocalName(name, process.platform).split('/');
  const names = folders.map(({ name: own }) => own);
  const named =
    folders.length > 1
      ? folders.find((_, index) => rootName(names, index) === parts[0])
      : undefined;
  if (named !== undefined) return join(named.uri.fsPath, ...parts.slice(1));
  return first === undefined ? undefined : join(first.uri.fsPath, ...parts);
}

/** Whether an editor still shows this file of somebody else beside another one. */
function isCompared(remote: string): boolean {
  return vscode.window.tabGroups.all
    .flatMap(({ tabs }) => tabs)
    .some(
      ({ input }) =>
        (input instanceof vscode.TabInputTextDiff ||
          input instanceof vscode.TabInputNotebookDiff) &&
        input.modified.toString() === remote,
    );
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

/** Says so when it is, with the way that remains. */
function isTooLarge(file: NetworkFile): boolean {
  if (file.sizeBytes <= MAX_PREVIEW_BYTES) return false;
  notify(
    'info',
    vscode.l10n.t(
      '{0} ({1}) is too large to be opened without fetching it.',
      foreignText(file.name),
      formatSize(file.sizeBytes),
    ),
    [
      {
        title: vscode.l10n.t('Fetch'),
        run: () => vscode.commands.executeCommand(COMMANDS.fetch, { file }),
      },
    ],
  );
  return true;
}

/** @throws INVALID_NAME for a name that would mislead whoever reads it. */
function remoteUri(file: NetworkFile): vscode.Uri {
  toLocalName(file.name, process.platform);
  return toRemoteUri(file);
}

function baseName({ name }: NetworkFile): string {
  return name.split('/').at(-1) ?? name;
}
