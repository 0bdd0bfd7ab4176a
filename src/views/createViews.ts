import type * as vscode from 'vscode';
import type { Disposable } from '../common/disposable';
import type { Logger } from '../common/logger';
import type { Engine } from '../editor/engine';
import type { NetworkBrowser } from '../editor/networkCommands';
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
  /** Publishes what is dropped; does not reject. */
  readonly publish: (uris: readonly vscode.Uri[]) => Promise<void>;
}

export interface Views {
  readonly browser: NetworkBrowser;
  /** Looks for sessions in the network, if somebody looks at the view that shows them. */
  readonly lookForSessions: () => void;
  /** To be disposed with the extension. */
  readonly all: readonly Disposable[];
}

/** Everything that shows something without being asked. */
export function createViews({ engine, logger, workspaceState, publish }: ViewsDependencies): Views {
  const interest = new NetworkInterest(engine, logger);
  const browser = new NetworkView({ engine, logger, interest, workspaceState });
  const all = [
    new StatusBar(engine),
    browser,
    new PublishedView(engine, new PublishedDrop(publish)),
    new TransfersView(engine),
    new PeersView(engine, interest, logger),
    new FileDecorations(engine),
    new RemoteFileSystem(engine, logger).register(),
  ];
  return { browser, all, lookForSessions: () => browser.lookForSessions() };
}
