import * as vscode from 'vscode';
import { DisposableBase } from '../common/disposable';
import { pathKey } from '../common/pathKey';
import type { Engine } from '../editor/engine';
import type { PublishedFile } from '../peer/peerApi';
import { parseNetworkUri, type RowState } from './networkUri';

/** Of more changes at once, VS Code asks for everything that it shows anyway. */
const MAX_TOLD = 1_000;

/** Marks at the edge of rows: in the explorer what is published, in Network Files what is here already. */
export class FileDecorations extends DisposableBase implements vscode.FileDecorationProvider {
  private readonly changeEmitter = this.register(
    new vscode.EventEmitter<vscode.Uri[] | undefined>(),
  );
  /** By address, as `keyOf` writes it. */
  private published = new Map<string, PublishedFile['state']>();

  readonly onDidChangeFileDecorations = this.changeEmitter.event;

  constructor(private readonly engine: Engine) {
    super();
    this.register(vscode.window.registerFileDecorationProvider(this));
    this.register(
      engine.onDidChange((part) => {
        if (part === 'published') this.update();
      }),
    );
    this.update();
  }

  provideFileDecoration(uri: vscode.Uri): vscode.FileDecoration | undefined {
    const row = parseNetworkUri(uri);
    if (row !== undefined) return decorateRow(row);
    const state = this.published.get(keyOf(uri));
    return state === undefined ? undefined : decoratePublished(state);
  }

  private update(): void {
    const before = this.published;
    this.published = new Map(
      this.engine.state.published.map(({ path, state }) => [keyOf(vscode.Uri.file(path)), state]),
    );
    const changed = new Set<string>();
    for (const [uri, state] of this.published) if (before.get(uri) !== state) changed.add(uri);
    for (const uri of before.keys()) if (!this.published.has(uri)) changed.add(uri);
    if (changed.size > MAX_TOLD) this.changeEmitter.fire(undefined);
    else if (changed.size > 0)
      this.changeEmitter.fire([...changed].map((uri) => vscode.Uri.parse(uri, true)));
  }
}

/** The explorer may spell a path in another way than it was published. */
function keyOf(uri: vscode.Uri): string {
  return uri.with({ path: pathKey(uri.path) }).toString();
}

/** The words are for screen readers and whoever points at the row. */
function decoratePublished(state: PublishedFile['state']): vscode.FileDecoration | undefined {
  switch (state) {
    case 'offered':
      return new vscode.FileDecoration('P', vscode.l10n.t('Published'));
    case 'pending':
      return new vscode.FileDecoration('P', vscode.l10n.t('Published, waiting for the tracker'));
    case 'changed':
      return new vscode.FileDecoration(
        'P≠',
        vscode.l10n.t('Changed since published'),
        new vscode.ThemeColor('list.warningForeground'),
      );
    case 'missing':
      return undefined; // The explorer does not show what is not there.
  }
}

function decorateRow({ mark, isAway = false }: RowState): vscode.FileDecoration | undefined {
  const away = isAway ? new vscode.ThemeColor('disabledForeground') : undefined;
  switch (mark) {
    case 'same':
      return new vscode.FileDecoration('✓', vscode.l10n.t('The same in this workspace'), away);
    case 'different':
      return new vscode.FileDecoration(
        '≠',
        vscode.l10n.t('Different in this workspace'),
        away ?? new vscode.ThemeColor('gitDecoration.modifiedResourceForeground'),
      );
    case 'new':
    case 'sameSize':
    case 'unread':
    case undefined:
      return isAway ? new vscode.FileDecoration(undefined, undefined, away) : undefined;
  }
}
