import * as vscode from 'vscode';
import { describeError, PeershelfError } from '../common/errors';
import type { Logger } from '../common/logger';
import type { FetchRequest, FetchResult, NetworkFile } from '../peer/peerApi';
import {
  askAboutConflict,
  askForPlace,
  confirmRisks,
  hasUnsavedChanges,
  type Place,
  placeFor,
} from './destinations';
import type { Engine } from './engine';
import { describeFailures, type FileFailure } from './failures';
import { foreignText } from './foreignText';
import { notify, type NotificationAction, notifyWithLog } from './notifier';
import { percentReport } from './withPercent';

interface Job {
  readonly file: NetworkFile;
  readonly place: Place;
}

/** What came of several files; a cancellation ends the rest, but not what is here already. */
interface Outcome {
  readonly results: FetchResult[];
  readonly failures: FileFailure[];
}

/** Fetching files of others, with what must be asked before, shown during and told after. */
export class Fetching {
  constructor(
    private readonly engine: Engine,
    private readonly logger: Logger,
  ) {}

  /** Fetches into the workspace's fetch folder; without a folder, where the user says. */
  async fetch(files: readonly NetworkFile[]): Promise<void> {
    await this.fetchAll(files, placeFor);
  }

  /** Fetches one file to where the user says. */
  async fetchTo(file: NetworkFile): Promise<void> {
    await this.fetchAll([file], askForPlace);
  }

  private async fetchAll(
    files: readonly NetworkFile[],
    choosePlace: (file: NetworkFile) => Promise<Place | undefined>,
  ): Promise<void> {
    const outcome: Outcome = { results: [], failures: [] };
    const jobs: Job[] = [];
    const wishes = files.map((file) => ({ file }));
    await this.forEach(wishes, outcome.failures, async ({ file }) => {
      const place = await choosePlace(file);
      if (place !== undefined) jobs.push({ file, place });
    });
    await this.forEach(await withoutUnwantedRisks(jobs), outcome.failures, async (job) => {
      const result = await this.fetchAskingOnConflict(job);
      if (result !== undefined) outcome.results.push(result);
    });
    report(outcome, files.length);
  }

  /** One after the other; a failure is kept and the next one goes on, cancelling ends them all. */
  private async forEach<T extends { readonly file: NetworkFile }>(
    items: readonly T[],
    failures: FileFailure[],
    act: (item: T) => Promise<void>,
  ): Promise<void> {
    for (const item of items) {
      try {
        await act(item);
      } catch (error) {
        const failure = PeershelfError.from(error);
        const { name } = item.file;
        this.logger.info(`fetch ${name}: ${describeError(failure)}`);
        if (failure.code === 'CANCELLED') return;
        failures.push({ name, error: failure });
      }
    }
  }

  private async fetchAskingOnConflict({ file, place }: Job): Promise<FetchResult | undefined> {
    const { name, hostname } = file;
    const { destination, folder, ifExists } = place;
    const request = { name, hostname, destination, folder, ifExists };
    // The save dialog has asked about the file, but does not know what an editor holds of it.
    if (ifExists === 'fail' || !hasUnsavedChanges(destination))
      try {
        return await this.run(file, request);
      } catch (error) {
        if (!PeershelfError.is(error, 'DESTINATION_EXISTS')) throw error;
      }
    const wish = await askAboutConflict(destination);
    return wish === undefined ? undefined : this.run(file, { ...request, ifExists: wish });
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

/** Without those that could make programs run, unless the user wants them. */
async function withoutUnwantedRisks(jobs: readonly Job[]): Promise<readonly Job[]> {
  const risky = jobs.filter(({ place }) => place.risk !== undefined);
  const isFine = await confirmRisks(
    risky.map(({ file }) => file),
    risky.map(({ place }) => place.risk ?? ''),
  );
  return isFine ? jobs : jobs.filter((job) => !risky.includes(job));
}

/** At most one notification. @throws the failure when there was one file only. */
function report({ results, failures }: Outcome, total: number): void {
  const [failure] = failures;
  const [first] = results;
  if (failure !== undefined && total === 1) throw failure.error;
  if (failure !== undefined) {
    const summary = vscode.l10n.t('{0} of {1} files could not be fetched.', failures.length, total);
    notifyWithLog('error', describeFailures(summary, failures));
  } else if (results.length > 1)
    notify('info', vscode.l10n.t('Fetched {0} files.', results.length), actionsFor(first, false));
  else if (first !== undefined) notify('info', describeResult(first), actionsFor(first, true));
}

function describeResult(result: FetchResult): string {
  const shown = foreignText(vscode.workspace.asRelativePath(result.path));
  const owner = foreignText(result.displayName);
  if (result.outcome === 'alreadyThere')
    return vscode.l10n.t('{0} is here already, with the same content.', shown);
  if (result.changedSincePublished)
    return vscode.l10n.t(
      'Fetched {0} from {1}. It has changed since it was published.',
      shown,
      owner,
    );
  return vscode.l10n.t('Fetched {0} from {1}.', shown, owner);
}

/** The explorer shows what lies in the workspace only. */
function actionsFor(result: FetchResult | undefined, withOpen: boolean): NotificationAction[] {
  if (result === undefined) return [];
  const uri = vscode.Uri.file(result.path);
  const action = (title: string, command: string): NotificationAction => ({
    title,
    run: () => vscode.commands.executeCommand(command, uri),
  });
  const isInWorkspace = vscode.workspace.getWorkspaceFolder(uri) !== undefined;
  return [
    ...(withOpen ? [action(vscode.l10n.t('Open'), 'vscode.open')] : []),
    ...(isInWorkspace ? [action(vscode.l10n.t('Reveal'), 'revealInExplorer')] : []),
  ];
}
