import { statSync } from 'node:fs';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { type NetworkFile, MAX_PREVIEW_BYTES } from '../peer/peerApi';
import { toLocalName } from '../protocol/names';
import { COMMANDS } from './contributions';
import { placeFor } from './destinations';
import type { FetchRecord } from './fetchRecord';
import { foreignText } from './foreignText';
import { formatSize } from './format';
import { notify } from './notifier';
import { toRemoteUri } from './remoteUri';

/** Looking at files of others without fetching them, alone or beside others. */
export class Comparing {
  constructor(private readonly record: Pick<FetchRecord, 'placeOf'>) {}

  /** Opens a file of somebody else, read-only; offers to fetch one that is too large for that. */
  async openRemote(file: NetworkFile): Promise<void> {
    if (isTooLarge(file)) return;
    await vscode.commands.executeCommand('vscode.open', remoteUri(file), { preview: true });
  }

  /** The workspace's file on the left, what the other offers on the right. */
  async compareWithWorkspace(file: NetworkFile): Promise<void> {
    const own = await this.counterpartOf(file);
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
      foreignText(file.displayName),
    );
    await this.compare([file], [vscode.Uri.file(path), remoteUri(file)], title);
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
      foreignText(left.displayName),
      foreignText(baseName(right)),
      foreignText(right.displayName),
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
   * What this workspace has in the place of a network file: the file that it was fetched to, else where
   * it would go, else the one under the same relative path.
   * @throws INVALID_NAME for a name that cannot be one here.
   */
  private async counterpartOf(file: NetworkFile): Promise<string | undefined> {
    const folder = vscode.workspace.workspaceFolders?.find(({ uri }) => uri.scheme === 'file');
    if (folder === undefined) return undefined;
    const parts = toLocalName(file.name, process.platform).split('/');
    return [
      this.record.placeOf(file.name, file.hostname),
      (await placeFor(file))?.destination,
      join(folder.uri.fsPath, ...parts),
    ].find((path) => path !== undefined && isFile(path));
  }
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
