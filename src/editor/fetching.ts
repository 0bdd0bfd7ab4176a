import * as vscode from 'vscode';
import { mapConcurrently } from '../common/concurrency';
import { describeError, PeershelfError } from '../common/errors';
import type { Logger } from '../common/logger';
import { isSameOffer, type Offer } from '../common/offers';
import { type FetchOptions, MAX_PREVIEW_BYTES } from '../peer/peerApi';
import type { Comparing } from './comparing';
import { askAboutConflict, askWhose, askWhoseFolder } from './conflicts';
import {
  askForPlace,
  confirmRisks,
  hasUnsavedChanges,
  placeFor,
  placeForFolder,
  placeIn,
} from './destinations';
import type { Engine } from './engine';
import type { FetchRecord } from './fetchRecord';
import { reportFetch } from './fetchReport';
import {
  type Conflict,
  type Decision,
  type FetchJob,
  FetchOutcome,
  FetchRun,
  type FolderJob,
  type Place,
} from './fetchRun';
import { foreignText } from './foreignText';
import { rowFor, rowsNamed, toWanted, type WantedFile, wishOf } from './wantedFile';
import { withPercent } from './withPercent';
import { hostLabel } from '../protocol/hostLabel';

/** Names that the engine is asked about at once, so that thousands do not wait for each other's answers. */
const NAMES_AT_ONCE = 64;

export interface FetchingDependencies {
  readonly engine: Engine;
  readonly logger: Logger;
  readonly comparing: Comparing;
  readonly record: FetchRecord;
  /** Hears of the paths of what was fetched: files, and folders with all that is in them. */
  readonly onFetched: (paths: readonly string[]) => void;
}

/** What lies below a folder of the network. */
export interface FolderWish {
  /** What the names begin with, `/` at its end. */
  readonly prefix: string;
  /** Only what this host offers; without, the folder's one owner, or whom the user names. */
  readonly hostname?: string | undefined;
}

/** What one operation is about. */
interface Operation {
  readonly files: readonly WantedFile[];
  readonly folders: readonly FolderWish[];
  readonly placeOf: (file: WantedFile) => Promise<Place | undefined>;
  /** The folder of this computer that gets them; without, their own places. */
  readonly target?: vscode.Uri;
}

/**
 * Fetching what others offer, with what must be asked before, shown during and told after. However many
 * files and folders are meant: it is one operation, with one progress and one summary.
 */
export class Fetching {
  constructor(private readonly dependencies: FetchingDependencies) {}

  /** Fetches into the workspace's fetch folder; without a folder, where the user says. */
  async fetch(files: readonly WantedFile[], folders: readonly FolderWish[] = []): Promise<void> {
    const clashing = await this.clashing(files);
    const placeOf = (file: WantedFile): Promise<Place | undefined> =>
      placeFor(file, clashing.has(file));
    await this.run({ files, folders, placeOf });
  }

  /** Fetches one file to where the user says. */
  async fetchTo(file: WantedFile): Promise<void> {
    await this.run({ files: [file], folders: [], placeOf: askForPlace });
  }

  /** Fetches what lies below a folder of the network, under the same path in the fetch folder. */
  async fetchFolder(wish: FolderWish): Promise<void> {
    await this.fetch([], [wish]);
  }

  /** Fetches one file, or all of a folder, into a folder of the workspace. */
  async fetchInto(target: vscode.Uri, wanted: WantedFile | FolderWish): Promise<void> {
    await this.run({
      files: 'prefix' in wanted ? [] : [wanted],
      folders: 'prefix' in wanted ? [wanted] : [],
      placeOf: (file) => Promise.resolve(placeIn(file, target)),
      target,
    });
  }

  private async run(operation: Operation): Promise<void> {
    const { files, folders } = operation;
    const outcome = new FetchOutcome();
    const chosen = await this.chooseFilePlaces(operation, outcome);
    const places = await this.chooseFolderPlaces(operation, outcome);
    if (chosen === undefined || places === undefined) return;
    if (chosen.length + places.length > 0)
      await withPercent(titleOf(files, folders), (options: FetchOptions) =>
        this.createRun(outcome, options).run(chosen, places),
      );
    const { record, onFetched } = this.dependencies;
    await record.add(outcome.single, outcome.folders);
    const gotFolders = outcome.folders.map(({ destination }) => destination);
    onFetched([...outcome.single.map(({ result }) => result.path), ...gotFolders]);
    reportFetch(outcome, files.length === 1 && folders.length === 0, gotFolders[0]);
  }

  private createRun(outcome: FetchOutcome, options: FetchOptions): FetchRun {
    const { engine, logger } = this.dependencies;
    return new FetchRun(
      {
        ...{ calls: engine.calls, logger, hasUnsavedChanges },
        chooseOwner: async (name, signal) =>
          askWhose(name, await rowsNamed(engine.calls, name), signal),
        chooseFolderOwners: askWhoseFolder,
        decide: (conflict, signal) => this.decide(conflict, signal),
        allowRisky: confirmRisks,
      },
      outcome,
      options,
    );
  }

  /** Files with their places; undefined when the user wants none of it any more. */
  private async chooseFilePlaces(
    { files, placeOf }: Operation,
    outcome: FetchOutcome,
  ): Promise<FetchJob[] | undefined> {
    const jobs: FetchJob[] = [];
    for (const file of files) {
      const place = await this.keepFailure(file.name, outcome, () => placeOf(file));
      if (place === 'failed') continue;
      if (place === undefined && files.length === 1) return undefined;
      if (place === undefined) outcome.skipped += 1;
      else
        jobs.push({
          wish: wishOf(file),
          owner: hostLabel(file),
          sizeBytes: file.sizeBytes || 0,
          place,
        });
    }
    return jobs;
  }

  private async chooseFolderPlaces(
    { folders, target }: Operation,
    outcome: FetchOutcome,
  ): Promise<FolderJob[] | undefined> {
    const jobs: FolderJob[] = [];
    for (const { prefix, hostname } of folders) {
      const place = await this.keepFailure(prefix, outcome, () => placeForFolder(prefix, target));
      if (place === undefined) return undefined;
      const hostnames = hostname === undefined ? undefined : [hostname];
      if (place !== 'failed') jobs.push({ prefix, hostnames, ...place });
    }
    return jobs;
  }

  /** What fails is kept, and the others go on. */
  private async keepFailure<T>(
    name: string,
    outcome: FetchOutcome,
    act: () => Promise<T>,
  ): Promise<T | 'failed'> {
    try {
      return await act();
    } catch (cause) {
      const error = PeershelfError.from(cause);
      this.dependencies.logger.info(`fetch ${name}: ${describeError(error)}`);
      outcome.failures.push({ name, error });
      return 'failed';
    }
  }

  /** Those by whose names others, among them or in the network, mean something else. */
  private async clashing(files: readonly WantedFile[]): Promise<ReadonlySet<WantedFile>> {
    const named = new Map<string, WantedFile[]>();
    for (const file of files) named.set(file.name, [...(named.get(file.name) ?? []), file]);
    const found = new Set<WantedFile>();
    await mapConcurrently([...named], NAMES_AT_ONCE, async ([name, same]) => {
      const rows = await rowsNamed(this.dependencies.engine.calls, name);
      for (const file of same) {
        const isOther = (one: Offer): boolean => !isSameOffer(one, file);
        // What the same host offers by now is no clash: the row that was chosen may be an old one.
        const others = rows.filter(({ sources }) =>
          sources.every(({ hostname }) => hostname !== file.hostname),
        );
        if (same.some(isOther) || others.some(isOther)) found.add(file);
      }
    });
    return found;
  }

  private async decide(conflict: Conflict, signal?: AbortSignal): Promise<Decision | undefined> {
    const { engine, comparing } = this.dependencies;
    const { wish, place } = conflict.job;
    const row = rowFor(await rowsNamed(engine.calls, wish.name), wish);
    const compare =
      row === undefined || row.sizeBytes > MAX_PREVIEW_BYTES
        ? undefined
        : () => comparing.lookAtDifference(place.destination, toWanted(row), signal);
    return askAboutConflict(conflict, compare, signal);
  }
}

function titleOf(files: readonly WantedFile[], folders: readonly FolderWish[]): string {
  const [file] = files;
  const [folder] = folders;
  if (file !== undefined && files.length === 1 && folder === undefined)
    return vscode.l10n.t(
      'Fetching {0} from {1}',
      foreignText(file.name),
      foreignText(hostLabel(file)),
    );
  if (folder !== undefined && folders.length === 1 && file === undefined)
    return vscode.l10n.t('Fetching {0}', foreignText(folder.prefix));
  return folder === undefined
    ? vscode.l10n.t('Fetching {0} files', files.length)
    : vscode.l10n.t('Fetching files and folders');
}
