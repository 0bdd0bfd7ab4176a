import * as vscode from 'vscode';
import { PeershelfError } from '../common/errors';
import type { Logger } from '../common/logger';
import { notConnected } from '../peer/peerApi';
import { networkFilesOf, networkFoldersOf, selectionOf } from './commandArguments';
import type { Comparing } from './comparing';
import type { Engine } from './engine';
import type { Fetching } from './fetching';
import type { FetchRecord } from './fetchRecord';
import { foreignText } from './foreignText';
import { type NetworkChoice, NetworkPick, type NetworkPickOptions } from './networkPick';
import type { Session } from './session';

export interface FetchCommandsDependencies {
  readonly engine: Engine;
  readonly session: Pick<Session, 'settled'>;
  readonly logger: Logger;
  readonly fetching: Fetching;
  readonly comparing: Comparing;
  readonly record: FetchRecord;
}

/** The commands that fetch, from wherever they are called. */
export class FetchCommands {
  constructor(private readonly dependencies: FetchCommandsDependencies) {}

  /** The chosen rows of a tree as one operation; without any, what the user picks. */
  async fetch(args: readonly unknown[]): Promise<void> {
    const { fetching } = this.dependencies;
    const files = networkFilesOf(args);
    const folders = networkFoldersOf(args);
    if (files.length + folders.length > 0) return fetching.fetch(files, folders);
    const choice = await this.pick({ title: vscode.l10n.t('Fetch from Network') });
    if (choice !== undefined) await this.follow(choice);
  }

  async fetchTo(args: readonly unknown[]): Promise<void> {
    const [file] = networkFilesOf(args);
    if (file !== undefined) await this.dependencies.fetching.fetchTo(file);
  }

  /** Into the folder of the explorer that the command was called on. @throws NO_FILE_CHOSEN. */
  async fetchHere(args: readonly unknown[]): Promise<void> {
    const target = selectionOf(args.slice(0, 1)).find((one) => one instanceof vscode.Uri);
    if (target === undefined) throw new PeershelfError('NO_FILE_CHOSEN', 'no folder was chosen');
    const shown = foreignText(vscode.workspace.asRelativePath(target));
    const choice = await this.pick({
      title: vscode.l10n.t('Fetch into {0}', shown),
      acts: ['open', 'compare'],
    });
    if (choice?.kind === 'fetch') await this.dependencies.fetching.fetchInto(target, choice.file);
    else if (choice?.kind === 'folder')
      await this.dependencies.fetching.fetchInto(target, choice.folder);
    else if (choice !== undefined) await this.follow(choice);
  }

  private async pick(options: NetworkPickOptions): Promise<NetworkChoice | undefined> {
    const { engine, session } = this.dependencies;
    await session.settled('connected');
    const { connection } = engine.state;
    if (connection.kind !== 'connected') throw notConnected(connection);
    return new NetworkPick(this.dependencies, options).choose();
  }

  private async follow(choice: NetworkChoice): Promise<void> {
    const { fetching, comparing } = this.dependencies;
    switch (choice.kind) {
      case 'fetch':
        return fetching.fetch([choice.file]);
      case 'folder':
        return fetching.fetchFolder(choice.folder);
      case 'fetchTo':
        return fetching.fetchTo(choice.file);
      case 'open':
        return comparing.openRemote([choice.file]);
      case 'compare':
        return comparing.compareWithWorkspace(choice.file);
    }
  }
}
