import { toDisposable } from '../../src/common/disposable';
import type { WatchFolder, WatchListener } from '../../src/peer/folderWatcher';

/** Stands for the system's watches: a test says what they tell. */
export class FakeWatch {
  private readonly listeners = new Map<string, WatchListener>();
  /** Folders that cannot be watched. */
  readonly refused = new Set<string>();

  readonly watchFolder: WatchFolder = (folder, listener) => {
    if (this.refused.has(folder)) throw new Error('ENOSPC: no space left for watches');
    this.listeners.set(folder, listener);
    return toDisposable(() => this.listeners.delete(folder));
  };

  get folders(): string[] {
    return [...this.listeners.keys()];
  }

  change(folder: string, name?: string): void {
    this.listeners.get(folder)?.onChange(name);
  }

  fail(folder: string): void {
    this.listeners.get(folder)?.onError(new Error('EIO'));
  }
}
