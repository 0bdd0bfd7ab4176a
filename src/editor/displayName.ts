import { hostname } from 'node:os';
import * as vscode from 'vscode';
import { userName } from './configuration';
import { readSetting } from './contributions';
import { isGenericUserName } from './genericUserNames';

/** As long as the manifest allows. */
const MAX_LENGTH = 200;

/**
 * Asks once how the user wants to be called, where the machine cannot tell: others would see "root".
 * False when the user did not want to say.
 *
 * @param user name on the machine.
 */
export async function ensureDisplayName(user: string = userName()): Promise<boolean> {
  if (readSetting('displayName').trim() !== '' || !isGenericUserName(user)) return true;
  const name = await vscode.window.showInputBox({
    title: vscode.l10n.t('Your Name'),
    prompt: vscode.l10n.t('Others see it beside your files. It can be changed in the settings.'),
    value: `${user} (${hostname()})`,
    ignoreFocusOut: true,
    validateInput: (value) =>
      value.trim() === '' || value.length > MAX_LENGTH
        ? vscode.l10n.t('Write a name of at most {0} characters.', MAX_LENGTH)
        : undefined,
  });
  if (name === undefined) return false;
  await vscode.workspace
    .getConfiguration('peershelf')
    .update('displayName', name.trim(), vscode.ConfigurationTarget.Global);
  return true;
}
