import { basename, posix } from 'node:path';
import * as vscode from 'vscode';
import { describeError, fromPlainError, PeershelfError } from '../common/errors';
import type { Logger } from '../common/logger';
import type { PublishOutcome, PublishRequest } from '../peer/peerApi';
import { describeDuplicates, MAX_FILES_TO_COMPARE } from './duplicates';
import type { Engine } from './engine';
import { errorMessage } from './errorMessages';
import { describeFailures, type FileFailure } from './failures';
import { foreignText } from './foreignText';
import { notify, notifyWithLog } from './notifier';

type FileToPublish = PublishRequest['files'][number];

export interface PublishingDependencies {
  readonly engine: Engine;
  readonly logger: Logger;
  /** Leads to a session, asking if need be; false when the user did not want one. */
  readonly ensureConnected: () => Promise<boolean>;
}

/** Publishing and taking back, from wherever the user asks for it. */
export class Publishing {
  constructor(private readonly dependencies: PublishingDependencies) {}

  /** Publishes files of the workspace under their relative paths. */
  async publish(uris: readonly vscode.Uri[]): Promise<void> {
    if (!vscode.workspace.isTrusted) throw notTrusted();
    const files: FileToPublish[] = [];
    for (const uri of uris) files.push(toFile(await save(uri)));
    if (files.length === 0 || !(await this.dependencies.ensureConnected())) return;
    const question = await this.findDuplicates(files);
    if (question === undefined) return this.offer(files);
    const run = (): Promise<void> => this.offer(files);
    notify('warning', question, [{ title: vscode.l10n.t('Publish Anyway'), run }]);
  }

  async unpublish(names: readonly string[]): Promise<void> {
    if (names.length === 0) return;
    await this.dependencies.engine.calls.unpublish({ names });
  }

  /** What is published keeps being offered, under the names that go with the new places. */
  async followRenames(
    files: readonly { readonly oldUri: vscode.Uri; readonly newUri: vscode.Uri }[],
  ): Promise<void> {
    // What leaves the workspace is gone from its place, and is taken back like any missing file.
    const renames = files.filter(({ newUri }) => isInWorkspace(newUri));
    if (renames.length === 0) return;
    const outcomes = await this.dependencies.engine.calls.followRenames({
      renames: renames.map(({ oldUri, newUri }) => {
        const { path: to, ...target } = toFile(newUri);
        return { from: oldUri.fsPath, to, ...target };
      }),
    });
    const failures = this.failuresOf(outcomes);
    if (failures.length > 0) reportFailures(outcomes.length - failures.length, failures);
  }

  /** The published names of these files; files that are not published are passed over. */
  async namesOf(uris: readonly vscode.Uri[]): Promise<string[]> {
    const paths = new Set(uris.map((uri) => uri.fsPath));
    // Asked anew: the events of what was published a moment ago may not be here yet.
    const { published } = await this.dependencies.engine.calls.snapshot();
    return published.filter(({ path }) => paths.has(path)).map(({ name }) => name);
  }

  private async offer(files: readonly FileToPublish[]): Promise<void> {
    const outcomes = await this.dependencies.engine.calls.publish({ files });
    const failures = this.failuresOf(outcomes);
    const published = outcomes.filter(({ error }) => error === undefined);
    if (failures.length > 0) reportFailures(published.length, failures);
    else await this.reportPublished(published.map(({ name }) => name));
  }

  /** What to tell before publishing; nothing where that cannot be found out, which forbids nothing. */
  private async findDuplicates(files: readonly FileToPublish[]): Promise<string | undefined> {
    if (files.length > MAX_FILES_TO_COMPARE) return undefined;
    try {
      return describeDuplicates(await this.dependencies.engine.calls.findDuplicates({ files }));
    } catch (error) {
      this.dependencies.logger.debug(`duplicates: ${describeError(error)}`);
      return undefined;
    }
  }

  private failuresOf(outcomes: readonly PublishOutcome[]): FileFailure[] {
    const failures = outcomes.flatMap(({ name, error }) =>
      error === undefined ? [] : [{ name, error: fromPlainError(error) }],
    );
    for (const { name, error } of failures)
      this.dependencies.logger.warn(`publish ${name}: ${error.message}`);
    return failures;
  }

  private async reportPublished(names: readonly string[]): Promise<void> {
    const [first] = names;
    if (first === undefined) return;
    const { published } = await this.dependencies.engine.calls.snapshot();
    const waits = published.some(({ name, state }) => state === 'pending' && names.includes(name));
    notify('info', names.length > 1 ? manyText(names.length, waits) : oneText(first, waits));
  }
}

function isInWorkspace(uri: vscode.Uri): boolean {
  return uri.scheme === 'file' && vscode.workspace.getWorkspaceFolder(uri) !== undefined;
}

/**
 * The file of a workspace folder with its published name: the relative path, behind the folder's name
 * where there are several folders.
 */
function toFile(uri: vscode.Uri): FileToPublish {
  const folder = vscode.workspace.getWorkspaceFolder(uri);
  if (!isInWorkspace(uri) || folder === undefined)
    throw new PeershelfError('OUTSIDE_FOLDER', `${uri.toString()} is in no workspace folder`, {
      details: { path: basename(uri.path) },
    });
  const relative = posix.relative(folder.uri.path, uri.path);
  const isMultiRoot = (vscode.workspace.workspaceFolders?.length ?? 0) > 1;
  const name = isMultiRoot ? `${folder.name}/${relative}` : relative;
  return { path: uri.fsPath, name, folder: folder.uri.fsPath };
}

/**
 * What others fetch is what lies on the disk: it should be what the user sees. Resolves to the file,
 * which is a new one for an untitled editor.
 */
async function save(uri: vscode.Uri): Promise<vscode.Uri> {
  const isIt = (other: vscode.Uri): boolean => other.toString() === uri.toString();
  if (uri.scheme === 'untitled') return saved(await vscode.workspace.saveAs(uri));
  const { textDocuments, notebookDocuments } = vscode.workspace;
  const document = [...textDocuments, ...notebookDocuments].find((one) => isIt(one.uri));
  if (document?.isDirty === true) return saved((await document.save()) ? uri : undefined);
  const tabs = vscode.window.tabGroups.all.flatMap((group) => group.tabs);
  const isDirtyElsewhere = tabs.some(
    ({ isDirty, input }) => isDirty && input instanceof vscode.TabInputCustom && isIt(input.uri),
  );
  return isDirtyElsewhere ? saved(await vscode.workspace.save(uri)) : uri;
}

function saved(uri: vscode.Uri | undefined): vscode.Uri {
  if (uri === undefined) throw new PeershelfError('CANCELLED', 'the file was not saved');
  return uri;
}

function oneText(name: string, waits: boolean): string {
  return waits
    ? vscode.l10n.t(
        'Published {0}. Others can fetch it when the tracker is back.',
        foreignText(name),
      )
    : vscode.l10n.t('Published {0}. Others can fetch it now.', foreignText(name));
}

function manyText(count: number, waits: boolean): string {
  return waits
    ? vscode.l10n.t('Published {0} files. Others can fetch them when the tracker is back.', count)
    : vscode.l10n.t('Published {0} files.', count);
}

function reportFailures(published: number, failures: readonly FileFailure[]): void {
  const summary = vscode.l10n.t(
    '{0} of {1} files could not be published.',
    failures.length,
    failures.length + published,
  );
  const only = failures.length === 1 && published === 0 ? failures[0] : undefined;
  notifyWithLog('error', only ? errorMessage(only.error) : describeFailures(summary, failures));
}

function notTrusted(): PeershelfError {
  return new PeershelfError('NOT_TRUSTED', 'the workspace is not trusted');
}
