import * as vscode from 'vscode';
import { DisposableBase } from '../common/disposable';
import { PeershelfError } from '../common/errors';
import type { CommandRunner } from './commandRunner';
import { ENGINE_SETTINGS, readPeerSettings } from './configuration';
import { setContext } from './contributions';
import type { HeldBackFile, Notice } from '../peer/peerApi';
import type { Engine } from './engine';
import { errorMessage } from './errorMessages';
import { foreignText } from './foreignText';
import { heldBackText } from './heldBackTexts';
import type { Invitations } from './invitations';
import type { LocalTracker } from './localTracker';
import { notify, notifyWithLog } from './notifier';
import type { Membership, SessionTarget } from './membership';
import type { Publishing } from './publishing';
import type { Session } from './session';

/** An engine that ends again this soon is not started again by itself. */
const CRASH_LOOP_MS = 60_000;

export interface StartupDependencies {
  readonly engine: Engine;
  readonly session: Session;
  readonly membership: Membership;
  readonly invitations: Invitations;
  readonly localTracker: LocalTracker;
  readonly publishing: Publishing;
  readonly runner: CommandRunner;
  /** Sessions in the network are looked for by the engine, which has started anew. */
  readonly lookForSessions: () => void;
}

/** What happens by itself: rejoining at the start, when trust is given, and after a crash. */
export class Startup extends DisposableBase {
  private lastCrashMs = Number.NEGATIVE_INFINITY;

  constructor(private readonly dependencies: StartupDependencies) {
    super();
    const { engine, session, localTracker, publishing, runner, invitations } = dependencies;
    this.register(
      vscode.window.registerUriHandler({
        handleUri: (uri) => runner.run('link', () => invitations.openLink(uri)),
      }),
    );
    this.register(
      vscode.workspace.onDidRenameFiles(({ files }) => {
        // Without an engine nothing is published now; what is stored is looked at when it starts.
        if (engine.isRunning) void runner.run('rename', () => publishing.followRenames(files));
      }),
    );
    this.register(
      vscode.workspace.onDidGrantWorkspaceTrust(() => {
        void runner
          .run('trusted', () => session.renew())
          .then(() => this.rejoin())
          .then(() => dependencies.lookForSessions());
      }),
    );
    const configure = (): void => {
      if (engine.isRunning)
        void runner.run('settings', () => engine.calls.configure(readPeerSettings()));
    };
    this.register(
      vscode.workspace.onDidChangeConfiguration((event) => {
        if (ENGINE_SETTINGS.some((name) => event.affectsConfiguration(`peershelf.${name}`)))
          configure();
      }),
    );
    // Some settings are those of each folder.
    this.register(vscode.workspace.onDidChangeWorkspaceFolders(configure));
    this.register(localTracker.onDidChange(() => this.updateContext()));
    this.register(session.onDidChange(() => this.onSessionChanged()));
    this.register(session.onDidEnd((error) => runner.report('session', error)));
    this.register(engine.onDidCrash(() => this.onCrash()));
    this.register(engine.onDidNotice(tellNotice));
  }

  start(): void {
    this.keepTracker();
    this.rejoin();
  }

  /** The tracker of the session that this window is in stays alive as long as the window. */
  private onSessionChanged(): void {
    const { session, localTracker } = this.dependencies;
    if (session.isConnected && session.team !== undefined) localTracker.adopt(session.team.team);
    this.updateContext();
  }

  private updateContext(): void {
    const { session, localTracker } = this.dependencies;
    const { adopted } = localTracker;
    setContext('trackerRunning', adopted !== undefined);
    setContext('ownsSession', adopted !== undefined && adopted.team === session.team?.team);
  }

  private onCrash(): void {
    const nowMs = performance.now();
    const isRepeated = nowMs - this.lastCrashMs < CRASH_LOOP_MS;
    this.lastCrashMs = nowMs;
    if (isRepeated) {
      notifyWithLog(
        'error',
        vscode.l10n.t(
          'The Peershelf engine ended again. Join the session again, or report it with the log.',
        ),
      );
      return;
    }
    const rejoins = this.hasAutomatic();
    notifyWithLog(
      'error',
      rejoins
        ? vscode.l10n.t('The Peershelf engine ended unexpectedly and is started again.')
        : vscode.l10n.t(
            'The Peershelf engine ended unexpectedly. It starts again with your next action.',
          ),
    );
    if (rejoins) this.rejoin();
  }

  private hasAutomatic(): boolean {
    const { membership, runner } = this.dependencies;
    try {
      return membership.automatic !== undefined;
    } catch (error) {
      runner.report('rejoin', error);
      return false;
    }
  }

  /**
   * A tracker that this workspace has used stays alive over a reload, although the window may not
   * connect by itself: renewing a lease is not connecting.
   */
  private keepTracker(): void {
    const { membership, localTracker } = this.dependencies;
    const joined = membership.joinedBefore;
    if (joined !== undefined && 'team' in joined) localTracker.adopt(joined.team);
  }

  /** Nothing is loaded and nothing is connected when this workspace is in no session. */
  private rejoin(): void {
    const { session, membership, runner } = this.dependencies;
    const recall = async (): Promise<SessionTarget | undefined> => {
      const belonging = membership.automatic;
      if (belonging === undefined || session.isJoined) return undefined;
      return membership.recall(belonging).catch((error: unknown) => {
        if (!PeershelfError.is(error, 'INVITE_FOREIGN')) throw error;
        this.askAboutInviteFile(error);
        return undefined;
      });
    };
    void runner.run('rejoin', () => session.comeBack(recall));
  }

  /** The team of the error is the one that is joined: a file that changes once more is asked about again. */
  private askAboutInviteFile(error: PeershelfError): void {
    const { membership } = this.dependencies;
    const detail = (name: string): string => String(error.details[name]);
    const join = async (): Promise<void> => {
      const foreign = { team: detail('team'), name: detail('session') };
      await membership.acceptInviteFile(detail('path'), foreign);
      this.rejoin();
    };
    notify('warning', errorMessage(error), [{ title: vscode.l10n.t('Join'), run: join }]);
  }
}

/** Shows what the engine has done or found by itself. */
export function tellNotice(notice: Notice): void {
  switch (notice.kind) {
    case 'unpublishedMissing':
      tellUnpublished(notice.names);
      return;
    case 'heldBack':
      tellHeldBack(notice.files);
      return;
    case 'identityChanged':
      notify(
        'warning',
        vscode.l10n.t(
          'Somebody else has the hostname {0} now. Their files are not shown; ask who it is.',
          foreignText(notice.hostname),
        ),
      );
  }
}

/** One message, however many files have changed together. */
function tellHeldBack(files: readonly HeldBackFile[]): void {
  const [first] = files;
  if (first === undefined) return;
  notify(
    'warning',
    files.length === 1
      ? heldBackText(foreignText(first.name), first.reason)
      : vscode.l10n.t(
          '{0} changed files are not published again, {1} among them: they look like secrets now. Published Files says why.',
          files.length,
          foreignText(first.name),
        ),
  );
}

/** One message, however many files were deleted together. */
function tellUnpublished([first, ...others]: readonly string[]): void {
  if (first === undefined) return;
  const name = foreignText(first);
  notify(
    'info',
    others.length === 0
      ? vscode.l10n.t('{0} is gone from its place and is not published any more.', name)
      : vscode.l10n.t(
          '{0} files are gone from their places and are not published any more, {1} among them.',
          others.length + 1,
          name,
        ),
  );
}
