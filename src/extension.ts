import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { liveDisposables } from './common/disposable';
import { createLogger } from './common/logger';
import { tellActivationFailure } from './editor/activationFailure';
import { AgentTools } from './editor/agentTools';
import { CommandRunner } from './editor/commandRunner';
import { Commands } from './editor/commands';
import { engineOptions } from './editor/configuration';
import { createFetching } from './editor/createFetching';
import { Engine } from './editor/engine';
import { Invitations } from './editor/invitations';
import { Keyring } from './editor/keyring';
import { LocalTracker } from './editor/localTracker';
import { Membership } from './editor/membership';
import { NetworkCommands } from './editor/networkCommands';
import { onActionFailed } from './editor/notifier';
import { createOutput } from './editor/output';
import { OwnSession } from './editor/ownSession';
import { Publishing } from './editor/publishing';
import { RemovingMembers } from './editor/removingMembers';
import { Session } from './editor/session';
import { SessionActions } from './editor/sessionActions';
import { Startup } from './editor/startup';
import { TransferActions } from './editor/transferActions';
import { workspacePlace } from './editor/workspacePlace';
import { createViews } from './views/createViews';

/** What must end in order, after `context.subscriptions`: see `deactivate`. */
let stopEngine: (() => Promise<void>) | undefined;

/** What tests inside the host may ask about this copy of the code. */
export interface TestFacts {
  readonly liveDisposables: () => number;
}

/** Other extensions are given nothing. */
export function activate(context: vscode.ExtensionContext): TestFacts | undefined {
  try {
    build(context);
    const isTest = context.extensionMode === vscode.ExtensionMode.Test;
    return isTest ? { liveDisposables } : undefined;
  } catch (error) {
    tellActivationFailure(error);
    throw error;
  }
}

function build(context: vscode.ExtensionContext): void {
  const output = createOutput();
  const logger = createLogger(output.sink);
  const bundle = (name: string): string => join(context.extensionPath, 'dist', name);
  const windowId = randomUUID();
  const { workspaceState, globalState, globalStorageUri } = context;
  const place = workspacePlace(workspaceState, logger);
  const storageFolder = join(globalStorageUri.fsPath, 'workspaces', place);
  const engine = new Engine({
    bundle: bundle('engine.js'),
    options: () => engineOptions({ storageFolder, windowId, hashWorker: bundle('hashWorker.js') }),
    log: output.sink,
  });
  stopEngine = async () => {
    await engine.stop();
    engine.dispose();
    output.dispose();
  };
  const keyring = new Keyring(context.secrets, () => engine.calls.createIdentity());
  const membership = new Membership({ workspaceState, globalState, keyring });
  const session = new Session({ engine, membership, keyring });
  const localTracker = new LocalTracker({
    bundle: bundle('tracker.js'),
    folder: join(context.globalStorageUri.fsPath, 'tracker'),
    logger: logger.child('tracker'),
  });
  const ownSession = new OwnSession({ engine, keyring, localTracker, session, logger });
  const invitations = new Invitations({ engine, session, membership, ownSession });
  const sessionActions = new SessionActions({
    ...{ engine, session, membership, localTracker, ownSession, invitations },
  });
  const publishing = new Publishing({
    engine,
    logger,
    ensureConnected: () => sessionActions.ensureConnected(),
  });
  const runner = new CommandRunner(logger);
  const { fetching, comparing, offering, record } = createFetching({
    ...{ engine, session, logger, publishing, runner, store: workspaceState },
  });
  const views = createViews({
    ...{ engine, logger, workspaceState },
    placesOf: (file) => comparing.placesOf(file),
    onDidFetch: record.onDidAdd,
    publish: (uris) => runner.run('drop', () => publishing.publish(uris)),
  });
  onActionFailed((title, error) => runner.report(title, error));
  const transfers = new TransferActions({
    ...{ engine, publishing },
    onFetched: (paths) => offering.onFetched(paths),
  });
  const commands = new Commands({
    runner,
    engine,
    session,
    sessionActions,
    invitations,
    publishing,
    ...{ fetching, comparing, offering },
    transfers,
    network: new NetworkCommands(engine, views.browser),
    removing: new RemovingMembers({ engine, session, ownSession, invitations }),
    showMore: views.showMore,
    showLog: () => output.show(),
  });
  const startup = new Startup({
    ...{ engine, session, membership, localTracker, invitations, publishing, runner },
    lookForSessions: views.lookForSessions,
  });
  context.subscriptions.push(
    ...[startup, commands, ...views.all, localTracker, session, offering, transfers],
    new AgentTools({ engine, session, publishing, logger }).register(),
  );
  startup.start();
}

/** Says goodbye to the tracker and ends the worker, within the time that VS Code gives. */
export async function deactivate(): Promise<void> {
  await stopEngine?.();
  stopEngine = undefined;
}
