import * as vscode from 'vscode';
import { PeershelfError } from '../common/errors';
import { formatHostPort, isLoopback, parseHostPort } from '../protocol/address';
import { DEFAULT_TRACKER_PORT, MAX_SESSION_NAME_BYTES } from '../protocol/limits';
import { readPeerSettings } from './configuration';
import { COMMANDS, explicitSetting, readSetting } from './contributions';
import { ensureDisplayName } from './displayName';
import type { Engine } from './engine';
import { foreignText } from './foreignText';
import { chooseHost } from './hostChoice';
import type { Invitations } from './invitations';
import type { TeamTarget } from './invites';
import type { LocalTracker, RunningTracker } from './localTracker';
import type { Membership } from './membership';
import { ask, notify } from './notifier';
import type { OwnSession } from './ownSession';
import type { Session } from './session';
import { tellOffered } from './tellOffered';
import { pickSessionAction } from './sessionMenu';

/** As much of a user's name as goes into the name of a session, which has a limit in bytes. */
const MAX_NAME_CHARACTERS = 40;

export interface SessionActionsDependencies {
  readonly engine: Engine;
  readonly session: Session;
  readonly membership: Membership;
  readonly localTracker: LocalTracker;
  readonly ownSession: OwnSession;
  readonly invitations: Invitations;
}

/** Starting, connecting and stopping, each with at most one question. */
export class SessionActions {
  constructor(private readonly dependencies: SessionActionsDependencies) {}

  /** Starts a team's session on this computer, or joins the one that another window has started. */
  async startTracker(): Promise<void> {
    const { session, localTracker, invitations } = this.dependencies;
    const running = localTracker.recorded;
    if (running !== undefined && (await this.joinRunning(running))) return;
    const host = await chooseHost();
    if (host === undefined || !(await ensureDisplayName())) return;
    const target = await this.startOn(host);
    if (target === undefined) return;
    await session.join(target);
    const name = foreignText(target.name);
    notify(
      'info',
      isLoopback(host)
        ? vscode.l10n.t('The session {0} runs, for this computer only.', name)
        : vscode.l10n.t('The session {0} runs. Send the invite to your team.', name),
      [invitations.copyAction()],
    );
    tellOffered(await session.offered());
  }

  async stopTracker(): Promise<void> {
    const { session, localTracker } = this.dependencies;
    const tracker = localTracker.adopted ?? localTracker.recorded;
    if (tracker === undefined) {
      notify('info', vscode.l10n.t('No tracker runs on this computer.'));
      return;
    }
    const isOurs = session.team?.team === tracker.team;
    if (!(await confirmStop(isOurs ? await this.countOthers() : undefined))) return;
    // The keys stay, so that the invite is valid when it is started again.
    if (isOurs) await session.detach();
    await localTracker.stop();
    notify('info', vscode.l10n.t('The local tracker was stopped.'));
  }

  async connectOpen(): Promise<void> {
    const { session } = this.dependencies;
    const text = await vscode.window.showInputBox({
      title: vscode.l10n.t('Connect to Open Tracker'),
      prompt: vscode.l10n.t(
        'Address of the tracker. An open session is not encrypted: use it on networks that you trust.',
      ),
      placeHolder: '192.168.1.5:9000',
      value: readSetting('tracker'),
      ignoreFocusOut: true,
      validateInput: (value) =>
        isAddress(value) ? undefined : vscode.l10n.t('Write host:port, such as 192.168.1.5:9000.'),
    });
    if (text === undefined || !(await ensureDisplayName())) return;
    const tracker = parseHostPort(text, DEFAULT_TRACKER_PORT);
    await session.join({ tracker });
    notify(
      'info',
      vscode.l10n.t(
        'Connected to {0}. The session is open: not encrypted.',
        foreignText(formatHostPort(tracker)),
      ),
    );
    tellOffered(await session.offered());
  }

  /** Whether the window is in a session, after asking for one if it was not. */
  async ensureConnected(): Promise<boolean> {
    const { engine, session, membership } = this.dependencies;
    await session.settled('joined');
    // Also while the tracker is away: what is published is offered when it is back.
    if (session.isJoined) return true;
    await pickSessionAction(
      {
        title: vscode.l10n.t('Publish to Network'),
        placeHolder: vscode.l10n.t('This window is not connected. How do you want to share?'),
      },
      {
        known: membership.known,
        rejoin: (team) => this.dependencies.invitations.rejoin(team),
        // None is no failure: there are other ways.
        found: engine.calls.findSessions().catch(() => []),
        joinFound: (found) => this.dependencies.invitations.joinFound(found),
        start: () => this.startTracker(),
        join: () => this.dependencies.invitations.join(),
        connectOpen: () => this.connectOpen(),
      },
    );
    return session.isConnected;
  }

  /** What can be done now, behind the status bar item. */
  async showMenu(): Promise<void> {
    const { session, membership, localTracker, invitations } = this.dependencies;
    const entries: { label: string; run: () => unknown }[] = [];
    const add = (icon: string, title: string, command: string): void => {
      const run = (): unknown => vscode.commands.executeCommand(command);
      entries.push({ label: `$(${icon}) ${title}`, run });
    };
    if (session.isConnected)
      add('cloud-download', vscode.l10n.t('Fetch from Network…'), COMMANDS.fetch);
    if (session.team !== undefined) {
      add('copy', vscode.l10n.t('Copy Invite'), COMMANDS.copyInvite);
      add('save', vscode.l10n.t('Save Invite File…'), COMMANDS.saveInvite);
      if (localTracker.adopted?.team === session.team.team)
        add('key', vscode.l10n.t('New Invite (others must join again)'), COMMANDS.renewInvite);
    }
    if (session.belongs)
      add('debug-disconnect', vscode.l10n.t('Leave Team Session'), COMMANDS.leave);
    if (!session.isConnected) {
      for (const { team, name } of membership.known)
        if (team !== session.team?.team)
          entries.push({
            label: `$(history) ${vscode.l10n.t('Rejoin {0}', foreignText(name))}`,
            run: () => invitations.rejoin(team),
          });
      const start = vscode.l10n.t('Start Team Session (Local Tracker)');
      add('broadcast', start, COMMANDS.startTracker);
      add('mail', vscode.l10n.t('Join Team Session…'), COMMANDS.join);
      add('plug', vscode.l10n.t('Connect to Open Tracker…'), COMMANDS.connectOpen);
    }
    if (localTracker.adopted !== undefined)
      add('debug-stop', vscode.l10n.t('Stop Local Tracker'), COMMANDS.stopTracker);
    add('output', vscode.l10n.t('Show Log'), COMMANDS.showLog);
    const chosen = await vscode.window.showQuickPick(entries, { title: 'Peershelf' });
    await chosen?.run();
  }

  /** Others in the session of this window, or undefined when the tracker does not say. */
  private async countOthers(): Promise<number | undefined> {
    const { calls } = this.dependencies.engine;
    try {
      await calls.refreshNetwork();
      return (await calls.snapshot()).network.peers;
    } catch {
      return undefined;
    }
  }

  /** False when no tracker answers there: then the recorded one is gone, whatever the record says. */
  private async joinRunning(running: RunningTracker): Promise<boolean> {
    const { session, ownSession, invitations } = this.dependencies;
    const target = await ownSession.sessionOf(running);
    if (target === undefined) return this.leaveStranger();
    const isThere = session.isConnected && session.team?.team === target.team;
    try {
      if (!isThere) await session.join(target);
    } catch (error) {
      // Whatever answers, or does not, is no tracker of ours; only the user can want none at all.
      if (PeershelfError.is(error, 'CANCELLED')) throw error;
      return false;
    }
    notify(
      'info',
      vscode.l10n.t(
        'Joined the session {0}, which runs on this computer already.',
        foreignText(target.name),
      ),
      [invitations.copyAction()],
    );
    tellOffered(await session.offered());
    return true;
  }

  /** A tracker runs here whose session is not known in this place. False when it was stopped. */
  private async leaveStranger(): Promise<boolean> {
    const stop = vscode.l10n.t('Stop It');
    const chosen = await ask(
      vscode.l10n.t('A session runs on this computer whose keys are not kept here.'),
      vscode.l10n.t('Join it with its invite instead, or stop it and start another one.'),
      stop,
    );
    if (chosen !== stop) throw new PeershelfError('CANCELLED', 'the running session stays');
    await this.dependencies.localTracker.stop();
    return false;
  }

  /**
   * On the port that the user has set, else that of the last time, so that invites stay valid; on a
   * free one if the user wants. Undefined when another window was faster: then that one is joined.
   */
  private async startOn(host: string): Promise<TeamTarget | undefined> {
    const { localTracker, ownSession } = this.dependencies;
    const wanted = explicitSetting('trackerPort') || localTracker.last?.port;
    const port = wanted ?? readSetting('trackerPort');
    const start = (on: number): Promise<TeamTarget> =>
      ownSession.start({ host, port: on }, newSessionName());
    try {
      return await start(port);
    } catch (error) {
      if (!PeershelfError.is(error, 'PORT_IN_USE')) throw error;
    }
    const { recorded } = localTracker;
    if (recorded !== undefined && (await this.joinRunning(recorded))) return undefined;
    // Whoever has set 0 has said so already.
    if (readSetting('trackerPort') !== 0) await askForFreePort(port);
    return start(0);
  }
}

/** @throws CANCELLED when the user wants no other port. */
async function askForFreePort(port: number): Promise<void> {
  const useFree = vscode.l10n.t('Use a Free Port');
  const chosen = await ask(
    vscode.l10n.t('Port {0} is in use by another program.', port),
    vscode.l10n.t(
      'The tracker can use any free port instead; invites that others have then lead nowhere.',
    ),
    useFree,
  );
  if (chosen !== useFree) throw new PeershelfError('CANCELLED', 'no other port wanted');
}

/** What a session is called whose name nobody was asked for. */
function newSessionName(): string {
  const user = foreignText(readPeerSettings().displayName, MAX_NAME_CHARACTERS);
  const letters = Array.from(user);
  for (; letters.length > 0; letters.pop()) {
    const name = vscode.l10n.t("{0}'s session", letters.join(''));
    if (Buffer.byteLength(name) <= MAX_SESSION_NAME_BYTES) return name;
  }
  return 'Peershelf';
}

/** Asks when others use the tracker, or when nobody knows whether they do. */
async function confirmStop(others: number | undefined): Promise<boolean> {
  if (others === 0) return true;
  const message =
    others === undefined
      ? vscode.l10n.t('Stop the tracker? Others may be using it.')
      : others === 1
        ? vscode.l10n.t('Stop the tracker? 1 other is connected.')
        : vscode.l10n.t('Stop the tracker? {0} others are connected.', others);
  const detail = vscode.l10n.t(
    'Nobody can find or fetch files in this session until it runs again.',
  );
  const stop = vscode.l10n.t('Stop Tracker');
  return (await ask(message, detail, stop)) === stop;
}

function isAddress(text: string): boolean {
  try {
    parseHostPort(text, DEFAULT_TRACKER_PORT);
    return true;
  } catch (error) {
    if (PeershelfError.is(error)) return false;
    throw error;
  }
}
