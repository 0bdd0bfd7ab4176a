import * as vscode from 'vscode';
import { COMMANDS } from '../../src/editor/contributions';
import { formatHostPort, type HostPort } from '../../src/protocol/address';
import { eventually } from './waitFor';

/** Connects the extension of this extension host to an open tracker, as a user does. */
export async function connectHost(tracker: HostPort): Promise<void> {
  const settings = vscode.workspace.getConfiguration('peershelf');
  await settings.update('port', '0', vscode.ConfigurationTarget.Global);
  await settings.update('tracker', formatHostPort(tracker), vscode.ConfigurationTarget.Global);
  await vscode.extensions.getExtension('peershelf.peershelf')?.activate();
  // The input box offers the address of the setting: accepting it is enough.
  const connecting = vscode.commands.executeCommand(COMMANDS.connectOpen);
  await eventually(async () => {
    await vscode.commands.executeCommand('workbench.action.acceptSelectedQuickOpenItem');
    return Promise.race([connecting, Promise.resolve('waiting')]).then(
      (state) => state !== 'waiting' || undefined,
    );
  }, 'connected');
}
