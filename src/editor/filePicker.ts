import * as vscode from 'vscode';
import type { PublishedFile } from '../peer/peerApi';
import type { Engine } from './engine';
import { foreignText } from './foreignText';
import { formatSize } from './format';

/** Lets the user choose among the files that this window offers. */
export async function pickPublishedFiles(engine: Engine): Promise<string[]> {
  const items = engine.state.published.map((file) => ({
    label: foreignText(file.name),
    description: formatSize(file.sizeBytes),
    file,
  }));
  const chosen: readonly { readonly file: PublishedFile }[] | undefined =
    await vscode.window.showQuickPick(items, {
      title: vscode.l10n.t('Unpublish from Network'),
      placeHolder:
        items.length === 0
          ? vscode.l10n.t('Nothing is published from this window.')
          : vscode.l10n.t('Choose what others shall not see any more'),
      canPickMany: true,
    });
  return (chosen ?? []).map(({ file }) => file.name);
}
