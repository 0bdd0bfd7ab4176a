import { performance } from 'node:perf_hooks';
import * as vscode from 'vscode';
import type { NetworkPeer } from '../peer/peerApi';
import { listChanged } from './commandArguments';
import type { Engine } from './engine';
import { foreignText } from './foreignText';
import { formatMoment } from './format';
import { notify, tellInDetail } from './notifier';
import { fullHostLabel, hostLabel } from '../protocol/hostLabel';
import { shortFingerprint } from '../protocol/shortFingerprint';

/** Peers that one message names. */
const MAX_PINGED = 10;

/** The view of the network, as commands drive it. */
export interface NetworkBrowser {
  /** What is shown is what matches this; empty for everything. */
  readonly filter: string;
  setFilter(filter: string): void;
  /** Remembered for this workspace. */
  group(grouping: 'peer' | 'folder'): Promise<void>;
  /** Groups by peer, without a filter, and selects this one; false when it is not listed there. */
  revealPeer(hostname: string): Promise<boolean>;
}

/** What users do with the views of the network, apart from its files. */
export class NetworkCommands {
  constructor(
    private readonly engine: Engine,
    private readonly browser: NetworkBrowser,
  ) {}

  /** Asks for a filter; an empty one shows everything again. */
  async filter(): Promise<void> {
    const text = await vscode.window.showInputBox({
      title: vscode.l10n.t('Filter Network Files'),
      prompt: vscode.l10n.t('Only names and owners with all of these words'),
      value: this.browser.filter,
    });
    if (text !== undefined) this.browser.setFilter(text.trim());
  }

  clearFilter(): void {
    this.browser.setFilter('');
  }

  async group(grouping: 'peer' | 'folder'): Promise<void> {
    await this.browser.group(grouping);
  }

  /** Shows what a peer offers. */
  async browse([peer]: readonly NetworkPeer[]): Promise<void> {
    if (peer === undefined) return;
    const { hostname } = peer;
    if (await this.browser.revealPeer(hostname)) return;
    // It offers nothing, or too many are listed before it.
    const { files } = await this.engine.calls.networkFiles({ hostname, limit: 1 });
    if (files.length > 0) this.browser.setFilter(hostname);
    else notify('info', vscode.l10n.t('{0} offers no files now.', foreignText(hostLabel(peer))));
  }

  /** Asks the tracker whether it knows these peers, and says how long that took. */
  async ping(peers: readonly NetworkPeer[]): Promise<void> {
    const results = [];
    for (const peer of peers.slice(0, MAX_PINGED)) results.push(await this.pingOne(peer));
    if (results.length > 0) notify('info', results.join(' '));
  }

  /** Shows the fingerprints of this user and of another one, to be read out to each other. */
  async compareFingerprint([peer]: readonly NetworkPeer[]): Promise<void> {
    if (peer === undefined) return;
    const { displayName, hostname } = peer;
    const name = foreignText(fullHostLabel({ displayName, hostname }));
    const { ownIdentity } = await this.engine.calls.snapshot();
    if (peer.identity === undefined || ownIdentity === undefined) {
      notify(
        'info',
        vscode.l10n.t('There are no fingerprints in an open session: nobody is proven there.'),
      );
      return;
    }
    const message =
      peer.identity === ownIdentity
        ? vscode.l10n.t('{0} is another window of yours: its fingerprint is your own.', name)
        : vscode.l10n.t('Compare fingerprints with {0}.', name);
    const detail = [
      vscode.l10n.t('Yours: {0}', shortFingerprint(ownIdentity)),
      vscode.l10n.t('Theirs: {0}', shortFingerprint(peer.identity)),
      vscode.l10n.t(
        'Read both codes to each other, by telephone or face to face. If both of you see the same two codes, this is the person you are talking to.',
      ),
    ].join('\n');
    await tellInDetail(message, detail);
  }

  private async pingOne(pinged: NetworkPeer): Promise<string> {
    const { hostname } = pinged;
    const startMs = performance.now();
    const isKnown = await this.engine.calls.ping({ hostname });
    const tookMs = Math.max(1, Math.round(performance.now() - startMs));
    const name = foreignText(hostLabel(pinged));
    // The tracker keeps those for a while whose connection has ended.
    const peer = (await this.engine.calls.networkPeers()).find((one) => one.hostname === hostname);
    if (!isKnown || peer === undefined)
      return vscode.l10n.t(
        '{0} is not there any more. The tracker answered in {1} ms.',
        name,
        tookMs,
      );
    if (peer.state === 'online')
      return vscode.l10n.t('{0} is online. The tracker answered in {1} ms.', name, tookMs);
    const since = formatMoment(Date.now() - peer.sinceAgeMs);
    return vscode.l10n.t(
      '{0} is away since {1}. The tracker answered in {2} ms.',
      ...[name, since, tookMs],
    );
  }
}

/** @throws LIST_CHANGED when rows are asked for and there are none. */
export function peersOf(rows: readonly unknown[]): NetworkPeer[] {
  const peers = rows.flatMap((row) => (isPeerRow(row) ? [row.peer] : []));
  if (peers.length === 0) throw listChanged();
  return peers;
}

function isPeerRow(value: unknown): value is { readonly peer: NetworkPeer } {
  if (typeof value !== 'object' || value === null || !('peer' in value)) return false;
  return typeof value.peer === 'object';
}
