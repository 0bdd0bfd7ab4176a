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

export interface WorkspaceFilesListener {
  /** Is told absolute paths, or undefined when every file may have changed. */
  readonly onFiles: (changed: ReadonlySet<string> | undefined) => void;
  /** Where files are fetched to, and looked for, is elsewhere now. */
  readonly onPlaces: () => void;
}

/** Tells which files of the workspace have changed, while somebody wants to know. */
export class WorkspaceFiles extends DisposableBase {
  private readonly watching = this.register(new DisposableSlot());
  private readonly timer = this.register(new DisposableSlot());
  private changed = new Set<string>();
  private isAnything = false;
  private isTelling = false;

  constructor(private readonly listener: WorkspaceFilesListener) {
    super();
    this.register(vscode.workspace.onDidChangeWorkspaceFolders(() => listener.onPlaces()));
    this.register(
      vscode.workspace.onDidChangeConfiguration((event) => {
        if (event.affectsConfiguration('peershelf.fetchFolder')) listener.onPlaces();
      }),
    );
  }

  /** What changes while nobody watches is told as anything when somebody does again. */
  watch(isWatching: boolean): void {
    if (!isWatching) {
      this.watching.set(undefined);
      return;
    }
    const watcher = vscode.workspace.createFileSystemWatcher('**/*');
    watcher.onDidCreate((uri) => this.note(uri));
    watcher.onDidChange((uri) => this.note(uri));
    watcher.onDidDelete((uri) => this.note(uri));
    const looking = every(systemClock, LOOK_AGAIN_MS, () => this.noteAnything());
    this.watching.set(vscode.Disposable.from(watcher, looking));
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
    this.listener.onFiles(isAnything ? undefined : changed);
  }
}
