import * as vscode from 'vscode';
import { DisposableBase } from '../common/disposable';
import type { CommandRunner } from './commandRunner';
import { ENGINE_SETTINGS, readPeerSettings } from './configuration';
import { setContext } from './contributions';
import type { Notice } from '../peer/peerApi';
import type { Engine } from './engine';
import { foreignText } from './foreignText';
import type { LocalTracker } from './localTracker';
import { notify, notifyWithLog } from './notifier';
import type { Publishing } from './publishing';
import type { Session } from './session';

/** An engine that ends again this soon is not started again by itself. */
const CRASH_LOOP_MS = 60_000;

export interface StartupDependencies {
  readonly engine: Engine;
  readonly session: Session;
  readonly localTracker: LocalTracker;
  readonly publishing: Publishing;
  readonly runner: CommandRunner;
}

/** What happens by itself: rejoining at the start, when trust is given, and after a crash. */
export class Startup extends DisposableBase {
  private lastCrashMs = Number.NEGATIVE_INFINITY;

  constructor(private readonly dependencies: StartupDependencies) {
    super();
    const { engine, session, localTracker, publishing, runner } = dependencies;
    this.register(
      vscode.workspace.onDidRenameFiles(({ files }) => {
        // Without an engine nothing is published now; what is stored is looked at when it starts.
        if (engine.isRunning) void runner.run('rename', () => publishing.followRenames(files));
      }),
    );
    this.register(
      vscode.workspace.onDidGrantWorkspaceTrust(() => {
        void runner.run('trusted', () => session.renew()).then(() => this.rejoin());
      }),
    );
    this.register(
      vscode.workspace.onDidChangeConfiguration((event) => {
        const isOurs = ENGINE_SETTINGS.some((name) =>
          event.affectsConfiguration(`peershelf.${name}`),
        );
        if (isOurs && engine.isRunning)
          void runner.run('settings', () => engine.calls.configure(readPeerSettings()));
      }),
    );
    this.register(
      localTracker.onDidChange(() => {
        setContext('trackerRunning', localTracker.adopted !== undefined);
      }),
    );
    this.register(engine.onDidCrash(() => this.onCrash()));
    this.register(engine.onDidNotice((notice) => tell(notice)));
  }

  start(): void {
    this.keepTracker();
    this.rejoin();
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
    const { session, runner } = this.dependencies;
    try {
      return session.automatic !== undefined;
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
    const { session, localTracker } = this.dependencies;
    const tracker = session.joinedBefore;
    if (tracker !== undefined) localTracker.adopt(tracker);
  }

  /** Nothing is loaded and nothing is connected when this workspace is in no session. */
  private rejoin(): void {
    const { session, localTracker, runner } = this.dependencies;
    void runner.run('rejoin', async () => {
      const tracker = session.automatic;
      if (tracker === undefined || session.isJoined) return;
      localTracker.adopt(tracker);
      await session.rejoin(tracker);
    });
  }
}

function tell(notice: Notice): void {
  switch (notice.kind) {
    case 'unpublishedMissing':
      tellUnpublished(notice.names);
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
