import { networkInterfaces } from 'node:os';
import * as vscode from 'vscode';

const LOOPBACK = '127.0.0.1';

interface HostChoice extends vscode.QuickPickItem {
  readonly host: string;
}

/**
 * The one question of starting: who can reach the tracker, and with it the files of this window.
 * Resolves to the address to listen on.
 */
export async function chooseHost(): Promise<string | undefined> {
  const choices: HostChoice[] = [
    {
      label: `$(device-desktop) ${vscode.l10n.t('Only this computer')}`,
      detail: vscode.l10n.t('For trying it out with several windows.'),
      host: LOOPBACK,
    },
    ...networkAddresses().map((host) => ({
      label: `$(globe) ${vscode.l10n.t('My network ({0})', host)}`,
      detail: vscode.l10n.t(
        'Encrypted, and only for who has the invite; the network is told its name. The system may ask whether the firewall shall let it through.',
      ),
      host,
    })),
  ];
  const chosen = await vscode.window.showQuickPick(choices, {
    title: vscode.l10n.t('Start Team Session (Local Tracker)'),
    placeHolder:
      vscode.env.remoteName === undefined
        ? vscode.l10n.t('Who can join?')
        : vscode.l10n.t('Who can join? The tracker would run on the remote machine.'),
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
