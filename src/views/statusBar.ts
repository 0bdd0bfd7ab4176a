import * as vscode from 'vscode';
import { DisposableBase } from '../common/disposable';
import { fromPlainError } from '../common/errors';
import { formatHostPort } from '../protocol/address';
import type { ConnectionState, NetworkSummary, Transfer } from '../peer/peerApi';
import { COMMANDS } from '../editor/contributions';
import type { Engine } from '../editor/engine';
import { errorMessage } from '../editor/errorMessages';
import { foreignText } from '../editor/foreignText';
import { formatSize } from '../editor/format';

type Connected = Extract<ConnectionState, { readonly kind: 'connected' }>;

/** As much of a session's name as the status bar has room for. */
const MAX_SESSION_NAME_LENGTH = 30;

/** One item that says how this window stands, and leads to what can be done. */
export class StatusBar extends DisposableBase {
  private readonly item: vscode.StatusBarItem;

  constructor(private readonly engine: Engine) {
    super();
    this.item = this.register(
      vscode.window.createStatusBarItem('peershelf.status', vscode.StatusBarAlignment.Left, 10),
    );
    this.item.name = 'Peershelf';
    this.item.command = COMMANDS.showMenu;
    this.register(engine.onDidChange((part) => part !== 'published' && this.update()));
    this.update();
    this.item.show();
  }

  private update(): void {
    const { icon, text, tooltip } = this.describe();
    this.item.text = `$(${icon}) ${text}`;
    this.item.tooltip = tooltip;
    this.item.accessibilityInformation = { label: `Peershelf: ${text}. ${tooltip}` };
    this.item.backgroundColor =
      icon === 'warning' ? new vscode.ThemeColor('statusBarItem.warningBackground') : undefined;
  }

  private describe(): { icon: string; text: string; tooltip: string } {
    const { connection, network } = this.engine.state;
    switch (connection.kind) {
      case 'disconnected':
        return {
          icon: 'debug-disconnect',
          text: 'Peershelf',
          tooltip: vscode.l10n.t('Not connected. Click to start or join.'),
        };
      case 'connecting':
        return {
          icon: 'sync~spin',
          text: vscode.l10n.t('Connecting'),
          tooltip: foreignText(formatHostPort(connection.tracker)),
        };
      case 'waiting':
        return {
          icon: 'warning',
          text:
            connection.error.code === 'TRACKER_UNREACHABLE'
              ? vscode.l10n.t('Tracker not reached')
              : vscode.l10n.t('Not connected'),
          tooltip: errorMessage(fromPlainError(connection.error)),
        };
      case 'connected': {
        if (connection.problem !== undefined)
          return {
            icon: 'warning',
            text: vscode.l10n.t('Nothing can be offered'),
            tooltip: errorMessage(fromPlainError(connection.problem)),
          };
        const { team } = connection;
        const session = describeSession(team, describePeers(network));
        const running = this.engine.state.transfers.filter(({ state }) => state === 'running');
        if (running.length > 0)
          return {
            icon: 'arrow-swap',
            text: describeProgress(running),
            tooltip: [...countTransfers(running), session, ...describeConnection(connection)].join(
              '\n',
            ),
          };
        return {
          icon: team === undefined ? 'unlock' : 'broadcast',
          text: session,
          tooltip: describeConnection(connection).join('\n'),
        };
      }
    }
  }
}

/** How far all that is fetched is, if anything is, and the speed of everything. */
function describeProgress(running: readonly Transfer[]): string {
  const sum = (of: (transfer: Transfer) => number, transfers = running): number =>
    transfers.reduce((all, transfer) => all + of(transfer), 0);
  const speed = vscode.l10n.t('{0}/s', formatSize(sum(({ bytesPerSecond }) => bytesPerSecond)));
  const downloads = running.filter(isDownload);
  const totalBytes = sum((transfer) => transfer.totalBytes, downloads);
  if (totalBytes === 0) return speed;
  const percent = Math.floor((sum(({ bytes }) => bytes, downloads) / totalBytes) * 100);
  return `${percent} % · ${speed}`;
}

function countTransfers(running: readonly Transfer[]): string[] {
  const fetched = running.filter(isDownload).length;
  const sent = running.length - fetched;
  return [
    ...(fetched > 0 ? [vscode.l10n.t('Fetching: {0}', fetched)] : []),
    ...(sent > 0 ? [vscode.l10n.t('Sending: {0}', sent)] : []),
  ];
}

function isDownload({ direction }: Transfer): boolean {
  return direction === 'download';
}

/** The name of the team's session; of an open one, that it is open. */
function describeSession(team: string | undefined, peers: string): string {
  return team === undefined
    ? vscode.l10n.t('{0} (open)', peers)
    : vscode.l10n.t('{0}: {1}', foreignText(team, MAX_SESSION_NAME_LENGTH), peers);
}

function describeConnection({ team, tracker, hostname }: Connected): string[] {
  const address = foreignText(formatHostPort(tracker));
  const lines =
    team === undefined
      ? [
          vscode.l10n.t('Open session at {0}', address),
          vscode.l10n.t('Open: not encrypted, for trusted networks only'),
        ]
      : [
          vscode.l10n.t('Team session {0}, tracker at {1}', foreignText(team), address),
          vscode.l10n.t('Encrypted, for members only'),
        ];
  return [...lines, vscode.l10n.t('This window is {0}', foreignText(hostname))];
}

/** Before the tracker was asked the first time nobody knows how many there are. */
function describePeers({ peers, refreshedAtMs }: NetworkSummary): string {
  if (refreshedAtMs === undefined) return vscode.l10n.t('Connected');
  return peers === 1 ? vscode.l10n.t('1 other peer') : vscode.l10n.t('{0} other peers', peers);
}
