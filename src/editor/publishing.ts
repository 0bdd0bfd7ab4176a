import { basename, join, posix, sep } from 'node:path';
import * as vscode from 'vscode';
import { describeError, fromPlainError, PeershelfError } from '../common/errors';
import type { Logger } from '../common/logger';
import type {
  CallOptions,
  DuplicateSummary,
  FetchOptions,
  FindFilesRequest,
  PublishedFile,
  PublishOutcome,
  PublishRequest,
  PublishSummary,
  SelectionWish,
} from '../peer/peerApi';
import { COMMANDS, readSetting } from './contributions';
import { describeDuplicates, offeredInstead } from './duplicates';
import type { Engine } from './engine';
import { errorMessage } from './errorMessages';
import { describeFailures, type FileFailure } from './failures';
import { foreignText } from './foreignText';
import { notify, notifyWithLog } from './notifier';
import { assertOnDisk } from './onDisk';
import { askAboutSecrets, confirmMany } from './publishQuestions';
import { rootName } from './rootNames';
import { rowFor, rowsNamed, toWanted } from './wantedFile';
import { withPercent } from './withPercent';

type FileToPublish = PublishRequest['files'][number];
type PlaceToPublish = FindFilesRequest['places'][number];

export interface PublishingDependencies {
  readonly engine: Engine;
  readonly logger: Logger;
  /** Leads to a session, asking if need be; false when the user did not want one. */
  readonly ensureConnected: () => Promise<boolean>;
}

/** Publishing and taking back, from wherever the user asks for it. */
export class Publishing {
  constructor(private readonly dependencies: PublishingDependencies) {}

  /**
   * Publishes files of the workspace, and those of its folders, under their relative paths.
   * @param forSession until this session ends: the next start does not offer them again.
   */
  async publish(uris: readonly vscode.Uri[], forSession = false): Promise<void> {
    const chosen = await this.ask(uris);
    if (chosen === undefined) return;
    const wish = { ...chosen, forSession };
    const duplicates = await this.findDuplicates(wish);
    const question = duplicates && describeDuplicates(duplicates);
    if (duplicates === undefined || question === undefined) return this.offer(wish);
    const theirs = offeredInstead(duplicates);
    notify('warning', question, [
      { title: vscode.l10n.t('Publish Anyway'), run: () => this.offer(wish) },
      ...(theirs
        ? [{ title: vscode.l10n.t('Fetch Theirs'), run: () => this.fetchTheirs(theirs) }]
        : []),
    ]);
  }

  /** Publishes what the user has fetched: that others offer it as well is known. */
  async publishFetched(uris: readonly vscode.Uri[]): Promise<void> {
    const wish = await this.ask(uris);
    if (wish !== undefined) await this.offer(wish);
  }

  /**
   * Offers what was fetched into the workspace until this session ends, as far as it does not look like
   * a secret. Asks and tells nothing: the user has wished for it, and the view shows it.
   */
  async offerFetched(paths: readonly string[]): Promise<void> {
    if (!vscode.workspace.isTrusted) return;
    const uris = paths.map((path) => vscode.Uri.file(path)).filter(isInWorkspace);
    const places: PlaceToPublish[] = [];
    for (const uri of uris) places.push(await toPlace(uri));
    if (places.length === 0) return;
    const { calls } = this.dependencies.engine;
    const { id } = await calls.findFiles({ places });
    const { failed } = await calls.publishSelection({ id, withSecrets: false, forSession: true });
    this.failuresOf(failed);
  }

  /**
   * Publishes one file of the workspace, saved if need be, without asking or telling anybody: whoever
   * calls has asked. Resolves to its published name, or to undefined for a file that looks like a secret.
   * @throws OUTSIDE_FOLDER, and why it cannot be published.
   */
  async publishQuietly(uri: vscode.Uri, options: CallOptions): Promise<string | undefined> {
    const { calls } = this.dependencies.engine;
    // Before anything is saved that could not be published.
    if (uri.scheme !== 'untitled') toFile(uri);
    const { path, name, folder } = toFile(await save(uri));
    const place = { path, name, folder };
    const { id, secrets, consented } = await calls.findFiles({ places: [place] }, options);
    // Consent was given to be asked no more by the user's own acts, not for whoever acts for them.
    if (secrets + consented > 0) return undefined;
    const { names, failed } = await calls.publishSelection({ id, withSecrets: false }, options);
    const [failure] = this.failuresOf(failed);
    if (failure !== undefined) throw failure.error;
    return names[0] ?? name;
  }

  /**
   * Offers what published files hold now, as they were published: nobody is asked what was answered
   * then, but about secrets that have come into them since. Files that have not changed are passed over.
   */
  async publishAgain({ names, uris }: { names: string[]; uris: vscode.Uri[] }): Promise<void> {
    if (!vscode.workspace.isTrusted) throw notTrusted();
    const meant = new Set([...names, ...(await this.namesOf(uris))]);
    const { calls } = this.dependencies.engine;
    const { published } = await calls.snapshot();
    const files = published.filter(({ name, state }) => meant.has(name) && state === 'changed');
    for (const forSession of [false, true]) {
      const places: PlaceToPublish[] = [];
      for (const file of files)
        if (file.forSession === forSession) places.push(await toPublishedPlace(file));
      if (places.length === 0) continue;
      const selection = await calls.findFiles({ places });
      const withSecrets = await askAboutSecrets(selection);
      if (withSecrets === undefined) continue;
      await this.offer({ id: selection.id, withSecrets, forSession, anew: true });
    }
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
    if (failures.length > 0)
      reportFailures(outcomes.length - failures.length, { failures, count: failures.length });
  }

  /** The published names of these files and of those in these folders; others are passed over. */
  async namesOf(uris: readonly vscode.Uri[]): Promise<string[]> {
    const paths = uris.map((uri) => uri.fsPath);
    // Asked anew: the events of what was published a moment ago may not be here yet.
    const { published } = await this.dependencies.engine.calls.snapshot();
    const isMeant = (path: string): boolean =>
      paths.some((chosen) => path === chosen || path.startsWith(chosen + sep));
    return published.filter(({ path }) => isMeant(path)).map(({ name }) => name);
  }

  /** What is to be published of these, after asking where need be; undefined for nothing. */
  private async ask(uris: readonly vscode.Uri[]): Promise<SelectionWish | undefined> {
    if (!vscode.workspace.isTrusted) throw notTrusted();
    const places: PlaceToPublish[] = [];
    for (const uri of uris) places.push(await toPlace(uri));
    if (places.length === 0 || !(await this.dependencies.ensureConnected())) return undefined;
    const title = vscode.l10n.t('Looking for files to publish');
    const selection = await withPercent(title, ({ signal }) =>
      this.dependencies.engine.calls.findFiles({ places }, { signal }),
    );
    const withSecrets = await askAboutSecrets(selection);
    if (withSecrets === undefined || !(await confirmMany(selection))) return undefined;
    return { id: selection.id, withSecrets };
  }

  private async offer(wish: SelectionWish): Promise<void> {
    const title = vscode.l10n.t('Publishing');
    const summary = await withPercent(title, (options: FetchOptions) =>
      this.dependencies.engine.calls.publishSelection(wish, options),
    );
    const failures = this.failuresOf(summary.failed);
    if (failures.length > 0)
      reportFailures(summary.published, { failures, count: summary.failedCount });
    else
      reportPublished(summary, this.dependencies.engine.state.reachability.kind === 'unreachable');
  }

  private async fetchTheirs({ name, hostname }: { name: string; hostname: string }): Promise<void> {
    const rows = await rowsNamed(this.dependencies.engine.calls, name);
    const row = rowFor(rows, { name, hostname });
    if (row === undefined)
      throw new PeershelfError('NOT_FOUND', `${name} is not offered`, { details: { name } });
    const file = { ...toWanted(row), hostname };
    await vscode.commands.executeCommand(COMMANDS.fetch, { file, sources: row.sources });
  }

  /** What to tell before publishing; nothing where that cannot be found out, which forbids nothing. */
  private async findDuplicates(wish: SelectionWish): Promise<DuplicateSummary | undefined> {
    try {
      const title = vscode.l10n.t('Comparing with what others offer');
      return await withPercent(title, (options: FetchOptions) =>
        this.dependencies.engine.calls.compareSelection(wish, options),
      );
    } catch (error) {
      if (PeershelfError.is(error, 'CANCELLED')) throw error;
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
}

function isInWorkspace(uri: vscode.Uri): boolean {
  return uri.scheme === 'file' && vscode.workspace.getWorkspaceFolder(uri) !== undefined;
}

/**
 * The file of a workspace folder with its published name: the relative path, behind the folder's name
 * where there are several folders.
 */
function toFile(uri: vscode.Uri): FileToPublish {
  assertOnDisk(uri);
  const folder = vscode.workspace.getWorkspaceFolder(uri);
  if (!isInWorkspace(uri) || folder === undefined)
    throw new PeershelfError('OUTSIDE_FOLDER', `${uri.toString()} is in no workspace folder`, {
      details: { path: basename(uri.path) },
    });
  const relative = posix.relative(folder.uri.path, uri.path);
  const folders = vscode.workspace.workspaceFolders ?? [];
  const root = rootName(
    folders.map((one) => one.name),
    folder.index,
  );
  // The workspace folder itself has no name where it is the only one.
  const name = root === '' ? relative : posix.join(root, relative);
  return { path: uri.fsPath, name, folder: folder.uri.fsPath };
}

/** A file, saved if need be, or a folder with what its settings leave out. */
async function toPlace(uri: vscode.Uri): Promise<PlaceToPublish> {
  // Before anything is saved that could not be published.
  if (uri.scheme !== 'untitled') toFile(uri);
  if (!(await isFolder(uri))) return toFile(await save(uri));
  const place = toFile(uri);
  const fetchFolder = readSetting('fetchFolder', uri).trim();
  const root = place.folder ?? place.path;
  return {
    ...place,
    exclude: readSetting('exclude', uri),
    // What others have published is not published again because it lies in a folder.
    leaveOut: fetchFolder === '' ? [] : [join(root, fetchFolder)],
  };
}

/** A published file, saved if need be, under the name that it has. */
async function toPublishedPlace({ name, path }: PublishedFile): Promise<PlaceToPublish> {
  const uri = await save(vscode.Uri.file(path));
  return { path, name, folder: vscode.workspace.getWorkspaceFolder(uri)?.uri.fsPath };
}

async function isFolder(uri: vscode.Uri): Promise<boolean> {
  if (uri.scheme === 'untitled') return false;
  try {
    return ((await vscode.workspace.fs.stat(uri)).type & vscode.FileType.Directory) !== 0;
  } catch {
    return false; // Publishing it says what is wrong with it.
  }
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

function reportPublished(summary: PublishSummary, isUnreachable: boolean): void {
  const { names, published, isPending } = summary;
  const [first] = names;
  if (first === undefined) {
    notify('info', vscode.l10n.t('There is no file to publish there.'));
    return;
  }
  if (isUnreachable && !isPending) {
    notify(
      'warning',
      published > 1
        ? vscode.l10n.t(
            'Published {0} files, but others cannot reach this computer. Published Files says what to do.',
            published,
          )
        : vscode.l10n.t(
            'Published {0}, but others cannot reach this computer. Published Files says what to do.',
            foreignText(first),
          ),
    );
    return;
  }
  notify('info', published > 1 ? manyText(published, isPending) : oneText(first, isPending));
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

function reportFailures(
  published: number,
  { failures, count }: { failures: readonly FileFailure[]; count: number },
): void {
  const summary = vscode.l10n.t(
    '{0} of {1} files could not be published.',
    count,
    count + published,
  );
  const only = count === 1 && published === 0 ? failures[0] : undefined;
  notifyWithLog('error', only ? errorMessage(only.error) : describeFailures(summary, failures));
}

function notTrusted(): PeershelfError {
  return new PeershelfError('NOT_TRUSTED', 'the workspace is not trusted');
}
