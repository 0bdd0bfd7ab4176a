import * as vscode from 'vscode';
import { every, systemClock } from '../common/clock';
import { DisposableBase, DisposableSlot } from '../common/disposable';

/** Changes are told together: an installation changes thousands of files. */
const TELL_AFTER_MS = 300;
/**
 * The editor's watcher begins some seconds after the window, leaves out what `files.watcherExclude`
 * names, and hears nothing of what others do on a network drive.
 */
const LOOK_AGAIN_MS = 10_000;
/** Paths that are told one by one; of more, it is told that something has changed. */
const MAX_PATHS = 10_000;

/** Tells which files of the workspace have changed, while somebody wants to know. */
export class WorkspaceFiles extends DisposableBase {
  private readonly watching = this.register(new DisposableSlot());
  private readonly lookingAgain = this.register(new DisposableSlot());
  private readonly timer = this.register(new DisposableSlot());
  private changed = new Set<string>();
  private isAnything = false;
  private isTelling = false;

  /** @param onChange is told absolute paths, or undefined when everything may have changed. */
  constructor(private readonly onChange: (changed: ReadonlySet<string> | undefined) => void) {
    super();
    this.register(vscode.workspace.onDidChangeWorkspaceFolders(() => this.noteAnything()));
    this.register(
      vscode.workspace.onDidChangeConfiguration((event) => {
        if (event.affectsConfiguration('peershelf.fetchFolder')) this.noteAnything();
      }),
    );
  }

  /** What changes while nobody watches is told as anything when somebody does again. */
  watch(isWatching: boolean): void {
    if (!isWatching) {
      this.watching.set(undefined);
      this.lookingAgain.set(undefined);
      return;
    }
    const watcher = vscode.workspace.createFileSystemWatcher('**/*');
    watcher.onDidCreate((uri) => this.note(uri));
    watcher.onDidChange((uri) => this.note(uri));
    watcher.onDidDelete((uri) => this.note(uri));
    this.watching.set(watcher);
    this.lookingAgain.set(every(systemClock, LOOK_AGAIN_MS, () => this.noteAnything()));
    this.noteAnything();
  }

  private note(uri: vscode.Uri): void {
    if (uri.scheme !== 'file') return;
    if (this.changed.size < MAX_PATHS) this.changed.add(uri.fsPath);
    else this.isAnything = true;
    this.tellSoon();
  }

  private noteAnything(): void {
    this.isAnything = true;
    this.tellSoon();
  }

  private tellSoon(): void {
    if (this.isTelling) return;
    this.isTelling = true;
    this.timer.set(systemClock.after(TELL_AFTER_MS, () => this.tell()));
  }

  private tell(): void {
    const { changed, isAnything } = this;
    this.changed = new Set();
    this.isAnything = this.isTelling = false;
    this.onChange(isAnything ? undefined : changed);
  }
}
