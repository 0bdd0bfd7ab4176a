import * as vscode from 'vscode';
import type { FileSelection, SecretKind } from '../peer/peerApi';
import { foreignText } from './foreignText';
import { formatSize } from './format';
import { secretReason } from './heldBackTexts';
import { ask } from './notifier';

/** More files than somebody has meant who did not look into the folder. */
const MANY_FILES = 100;

/**
 * Whether files that look like secrets are published, too; undefined when nothing is to be. Asks when
 * there are any, and names them.
 */
export async function askAboutSecrets(selection: FileSelection): Promise<boolean | undefined> {
  const { secrets, firstSecrets, files } = selection;
  const [first] = firstSecrets;
  if (secrets === 0) return false;
  const publishAll = vscode.l10n.t('Publish Secrets Too');
  const without = vscode.l10n.t('Publish the Others');
  const message =
    secrets === 1 && first !== undefined
      ? oneSecret(foreignText(first.name), first.kind)
      : vscode.l10n.t('{0} files look like secrets. Publish them?', secrets);
  const hidden = secrets - firstSecrets.length;
  const detail = [
    ...(secrets === 1
      ? []
      : firstSecrets.map(({ name, kind }) => `${foreignText(name)}: ${secretReason(kind)}`)),
    ...(hidden > 0 ? [vscode.l10n.t('and {0} more', hidden)] : []),
    vscode.l10n.t('Everyone in the session could read passwords, tokens or keys in it.'),
  ].join('\n');
  const onlySecrets = secrets === files;
  const chosen = await (onlySecrets
    ? ask(message, detail, publishAll)
    : ask(message, detail, without, publishAll));
  if (chosen === publishAll) return true;
  return chosen === without ? false : undefined;
}

function oneSecret(name: string, kind: SecretKind): string {
  switch (kind) {
    case 'content':
      return vscode.l10n.t('{0} holds a key or a token. Publish it?', name);
    case 'name':
      return vscode.l10n.t(
        '{0} has a name that files with keys or passwords have. Publish it?',
        name,
      );
    case 'mode':
      return vscode.l10n.t('{0} can be read by you only. Publish it?', name);
  }
}

/** Whether so many files are meant. */
export async function confirmMany(selection: FileSelection): Promise<boolean> {
  const { files, totalBytes, names } = selection;
  if (files <= MANY_FILES) return true;
  const publish = vscode.l10n.t('Publish');
  const message = vscode.l10n.t('Publish {0} files ({1})?', files, formatSize(totalBytes));
  const detail = [
    ...names.map((name) => foreignText(name)),
    vscode.l10n.t('and {0} more', files - names.length),
    vscode.l10n.t(
      'What .gitignore, .peershelfignore and the setting peershelf.exclude leave out is not among them.',
    ),
  ].join('\n');
  return (await ask(message, detail, publish)) === publish;
}
