import { networkInterfaces } from 'node:os';
import * as vscode from 'vscode';
import { PeershelfError } from '../common/errors';
import { formatHostPort, type HostPort, isLoopback, parseHostPort } from '../protocol/address';
import { DEFAULT_TRACKER_PORT } from '../protocol/limits';
import { COMMANDS, explicitSetting, readSetting } from './contributions';
import type { Engine } from './engine';
import { foreignText } from './foreignText';
import type { LocalTracker } from './localTracker';
import { ask, notify } from './notifier';
import type { Session } from './session';

const LOOPBACK = '127.0.0.1';

export interface SessionActionsDependencies {
  readonly engine: Engine;
  readonly session: Session;
  readonly localTracker: LocalTracker;
}

/** Starting, joining and leaving, each with at most one question. */
export class SessionActions {
  constructor(private readonly dependencies: SessionActionsDependencies) {}

  /** Starts a tracker on this computer, or joins the one that another window has started. */
  async startTracker(): Promise<void> {
    const { session, localTracker } = this.dependencies;
    const running = localTracker.recorded;
    if (running !== undefined && (await this.joinRunning(running))) return;
    const host = await chooseHost();
    if (host === undefined) return;
    const address = await this.startOn(host);
    if (address === undefined) return;
    await session.join(address);
    const text = formatHostPort(address);
    const copy = {
      title: vscode.l10n.t('Copy Address'),
      run: () => vscode.env.clipboard.writeText(text),
    };
    notify(
      'info',
      isLoopback(host)
        ? vscode.l10n.t('The tracker runs at {0}, for this computer only.', text)
        : vscode.l10n.t(
            'The tracker runs at {0}. Others connect with "Connect to Open Tracker…".',
            text,
          ),
      [copy],
    );
  }

  async stopTracker(): Promise<void> {
    const { session, localTracker } = this.dependencies;
    const tracker = localTracker.adopted ?? localTracker.recorded;
    if (tracker === undefined) {
      notify('info', vscode.l10n.t('No tracker runs on this computer.'));
      return;
    }
    const isOurs = session.isAt(tracker);
    if (!(await confirmStop(isOurs ? await this.countOthers() : undefined))) return;
    if (isOurs) await session.leave();
    await localTracker.stop();
    notify('info', vscode.l10n.t('The local tracker was stopped.'));
  }

  async connectOpen(): Promise<void> {
    const { session, localTracker } = this.dependencies;
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
    if (text === undefined) return;
    const tracker = parseHostPort(text, DEFAULT_TRACKER_PORT);
    await session.join(tracker);
    localTracker.adopt(tracker);
    notify('info', vscode.l10n.t('Connected to {0}.', foreignText(formatHostPort(tracker))));
  }

  /** Whether the window is in a session, after asking for one if it was not. */
  async ensureConnected(): Promise<boolean> {
    const { session } = this.dependencies;
    await session.settled();
    // Also while the tracker is away: what is published is offered when it is back.
    if (session.isJoined) return true;
    const start = vscode.l10n.t('Start Team Session (Local Tracker)');
    const connect = vscode.l10n.t('Connect to Open Tracker…');
    const chosen = await vscode.window.showQuickPick([start, connect], {
      title: vscode.l10n.t('Publish to Network'),
      placeHolder: vscode.l10n.t('This window is not connected. How do you want to share?'),
      ignoreFocusOut: true,
    });
    if (chosen === start) await this.startTracker();
    else if (chosen === connect) await this.connectOpen();
    return session.isConnected;
  }

  /** What can be done now, behind the status bar item. */
  async showMenu(): Promise<void> {
    const { session, localTracker } = this.dependencies;
    const entries: { label: string; command: string }[] = [];
    const add = (label: string, command: string): void => void entries.push({ label, command });
    if (session.isConnected)
      add(`$(cloud-download) ${vscode.l10n.t('Fetch from Network…')}`, COMMANDS.fetch);
    if (session.isJoined)
      add(`$(debug-disconnect) ${vscode.l10n.t('Leave Team Session')}`, COMMANDS.leave);
    if (!session.isConnected) {
      add(
        `$(broadcast) ${vscode.l10n.t('Start Team Session (Local Tracker)')}`,
        COMMANDS.startTracker,
      );
      add(`$(plug) ${vscode.l10n.t('Connect to Open Tracker…')}`, COMMANDS.connectOpen);
    }
    if (localTracker.adopted !== undefined)
      add(`$(debug-stop) ${vscode.l10n.t('Stop Local Tracker')}`, COMMANDS.stopTracker);
    add(`$(output) ${vscode.l10n.t('Show Log')}`, COMMANDS.showLog);
    const chosen = await vscode.window.showQuickPick(entries, { title: 'Peershelf' });
    if (chosen !== undefined) await vscode.commands.executeCommand(chosen.command);
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
  private async joinRunning(tracker: HostPort): Promise<boolean> {
    const { session, localTracker } = this.dependencies;
    try {
      if (!session.isConnected || !session.isAt(tracker)) await session.join(tracker);
    } catch (error) {
      // Whatever answers, or does not, is no tracker of ours; only the user can want none at all.
      if (PeershelfError.is(error, 'CANCELLED')) throw error;
      return false;
    }
    localTracker.adopt(tracker);
    notify(
      'info',
      vscode.l10n.t(
        'Joined the tracker that runs on this computer already, at {0}.',
        foreignText(formatHostPort(tracker)),
      ),
    );
    return true;
  }

  /**
   * On the port that the user has set, else that of the last time, so that addresses stay valid; on a
   * free one if the user wants. Undefined when another window was faster: then that one is joined.
   */
  private async startOn(host: string): Promise<HostPort | undefined> {
    const { localTracker } = this.dependencies;
    const port =
      explicitSetting('trackerPort') ?? localTracker.lastPort ?? readSetting('trackerPort');
    try {
      return await localTracker.start(host, port);
    } catch (error) {
      if (!PeershelfError.is(error, 'PORT_IN_USE')) throw error;
    }
    const { recorded } = localTracker;
    if (recorded !== undefined && (await this.joinRunning(recorded))) return undefined;
    const useFree = vscode.l10n.t('Use a Free Port');
    const chosen = await ask(
      vscode.l10n.t('Port {0} is in use by another program.', port),
      vscode.l10n.t('The tracker can use any free port instead; others then connect to that one.'),
      useFree,
    );
    if (chosen !== useFree) throw new PeershelfError('CANCELLED', 'no other port wanted');
    return localTracker.start(host, 0);
  }
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

interface HostChoice extends vscode.QuickPickItem {
  readonly host: string;
}

/** The one question of starting: who can reach the tracker, and with it the files of this window. */
async function chooseHost(): Promise<string | undefined> {
  const choices: HostChoice[] = [
    {
      label: `$(device-desktop) ${vscode.l10n.t('Only this computer')}`,
      detail: vscode.l10n.t('For trying it out with several windows.'),
      host: LOOPBACK,
    },
    ...networkAddresses().map((host) => ({
      label: `$(globe) ${vscode.l10n.t('My network ({0})', host)}`,
      detail: vscode.l10n.t(
        'Open: everyone in it can fetch what is published. A firewall may ask.',
      ),
      host,
    })),
  ];
  const remote = vscode.env.remoteName;
  const chosen = await vscode.window.showQuickPick(choices, {
    title: vscode.l10n.t('Start Team Session (Local Tracker)'),
    placeHolder:
      remote === undefined
        ? vscode.l10n.t('Who can join? The session is open: not encrypted, for trusted networks.')
        : vscode.l10n.t(
            'Who can join? The tracker would run on the remote machine, as an open session.',
          ),
    ignoreFocusOut: true,
  });
  return chosen?.host;
}

/** Addresses of this computer in its networks; link-local IPv6 ones need a zone that others lack. */
function networkAddresses(): string[] {
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal, address }) => !internal && !address.toLowerCase().startsWith('fe80:'))
    .map(({ address }) => address);
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
