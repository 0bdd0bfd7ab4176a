import type * as vscode from 'vscode';
import type { Disposable } from '../common/disposable';
import type { Event } from '../common/events';
import type { Logger } from '../common/logger';
import type { Engine } from '../editor/engine';
import type { NetworkBrowser } from '../editor/networkCommands';
import type { NetworkFile } from '../peer/peerApi';
import { FileDecorations } from './fileDecorations';
import { NetworkInterest } from './networkInterest';
import { NetworkView } from './networkView';
import { PeersView } from './peersView';
import { PublishedDrop } from './publishedDrop';
import { PublishedView } from './publishedView';
import { RemoteFileSystem } from './remoteFileSystem';
import { StatusBar } from './statusBar';
import { TransfersView } from './transfersView';

export interface ViewsDependencies {
  readonly engine: Engine;
  readonly logger: Logger;
  readonly workspaceState: vscode.Memento;
  /** Where a network file may be in this workspace, the likeliest place first. */
  readonly placesOf: (file: NetworkFile) => Promise<string[]>;
  /** Fires with the names of what was fetched. */
  readonly onDidFetch: Event<ReadonlySet<string>>;
  /** Publishes what is dropped; does not reject. */
  readonly publish: (uris: readonly vscode.Uri[]) => Promise<void>;
}

export interface Views {
  readonly browser: NetworkBrowser;
  /** Shows more rows where the row with this id stands for those that are left out. */
  readonly showMore: (id: string) => void;
  /** Looks for sessions in the network, if somebody looks at the view that shows them. */
  readonly lookForSessions: () => void;
  /** To be disposed with the extension. */
  readonly all: readonly Disposable[];
}

/** Everything that shows something without being asked. */
export function createViews({ publish, ...dependencies }: ViewsDependencies): Views {
  const { engine, logger } = dependencies;
  const interest = new NetworkInterest(engine, logger);
  const browser = new NetworkView({ ...dependencies, interest });
  const lists = [
    browser,
    new PublishedView(engine, new PublishedDrop(publish)),
    new TransfersView(engine),
    new PeersView(engine, interest, logger),
  ];
  const all = [
    ...lists,
    new StatusBar(engine),
    new FileDecorations(engine),
    new RemoteFileSystem(engine, logger).register(),
  ];
  // The row tells by its id which of them it is in.
  const showMore = (id: string): void => lists.forEach((list) => list.showMore(id));
  return { browser, showMore, all, lookForSessions: () => browser.lookForSessions() };
}
