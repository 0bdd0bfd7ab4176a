import { type FSWatcher, statSync, watch } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../common/clock';
import {
  type Disposable,
  DisposableBase,
  DisposableSlot,
  toDisposable,
} from '../common/disposable';
import { describeError } from '../common/errors';
import { Emitter } from '../common/events';
import type { Logger } from '../common/logger';

/** Systems give a user some thousand watches, which every program shares. */
export const MAX_WATCHED_FOLDERS = 256;
/** An editor that saves makes several changes at once. */
const DEBOUNCE_MS = 200;
/** More changes than this at once are told as changes of their folders. */
const MAX_PENDING_PATHS = 1_000;

export interface WatchListener {
  /** The name of what changed in the folder, where the system says it. */
  readonly onChange: (name: string | undefined) => void;
  readonly onError: (error: unknown) => void;
}

/** Begins to watch the entries of a folder. @throws what the system says. */
export type WatchFolder = (folder: string, listener: WatchListener) => Disposable;

export interface FolderWatcherDependencies {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly watchFolder?: WatchFolder | undefined;
}

/**
 * Watches the entries of some folders, not what lies deeper. It is no more than a hint: a folder that
 * cannot be watched is only named in the log, as somebody looks at the files now and then anyway.
 */
export class FolderWatcher extends DisposableBase {
  private readonly watched = new Map<string, Disposable>();
  private readonly changed = new Set<string>();
  private isTold = true;
  private hasWarned = false;
  private readonly timer = this.register(new DisposableSlot());
  private readonly changeEmitter = this.register(new Emitter<ReadonlySet<string>>());

  /** Fires with the paths that changed, soon after; a folder's own path stands for all in it. */
  readonly onDidChange = this.changeEmitter.event;

  constructor(private readonly dependencies: FolderWatcherDependencies) {
    super();
    this.register(toDisposable(() => this.watch(new Set())));
  }

  /** Watches these folders, the first of them when there are many, and no others any more. */
  watch(folders: ReadonlySet<string>): void {
    const wanted = new Set([...folders].slice(0, MAX_WATCHED_FOLDERS));
    for (const folder of [...this.watched.keys()]) if (!wanted.has(folder)) this.drop(folder);
    for (const folder of wanted) if (!this.watched.has(folder)) this.begin(folder);
  }

  private begin(folder: string): void {
    const { watchFolder = watchByName } = this.dependencies;
    try {
      const watching = watchFolder(folder, {
        onChange: (name) => this.note(folder, name),
        onError: (error) => {
          this.drop(folder);
          this.onFailed(folder, error);
        },
      });
      this.watched.set(folder, watching);
    } catch (error) {
      this.onFailed(folder, error);
    }
  }

  private drop(folder: string): void {
    this.watched.get(folder)?.dispose();
    this.watched.delete(folder);
  }

  private note(folder: string, name: string | undefined): void {
    const isMany = this.changed.size >= MAX_PENDING_PATHS;
    this.changed.add(name === undefined || isMany ? folder : join(folder, name));
    // A watch stays with a folder that is deleted or moved away: it must not stand for its place.
    if (!isFolder(folder)) {
      this.drop(folder);
      this.changed.add(folder);
    }
    if (!this.isTold) return;
    this.isTold = false;
    this.timer.set(this.dependencies.clock.after(DEBOUNCE_MS, () => this.tell()));
  }

  private tell(): void {
    const paths = new Set(this.changed);
    this.changed.clear();
    this.isTold = true;
    this.changeEmitter.fire(paths);
  }

  /** Once as a warning: where one fails for want of watches, the others do too. */
  private onFailed(folder: string, error: unknown): void {
    const level = this.hasWarned ? 'debug' : 'warn';
    this.hasWarned = true;
    this.dependencies.logger[level](`cannot watch ${folder}: ${describeError(error)}`);
  }
}

function isFolder(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  } catch {
    return false; // Not to be entered any more: as good as gone.
  }
}

function watchByName(folder: string, { onChange, onError }: WatchListener): Disposable {
  // Not persistent: what is published alone keeps no process alive.
  const watcher: FSWatcher = watch(folder, { persistent: false });
  watcher.on('change', (_kind, name) => onChange(typeof name === 'string' ? name : undefined));
  watcher.on('error', onError);
  return toDisposable(() => watcher.close());
}
