import { statSync, unlinkSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { type Clock, every } from '../../common/clock';
import { DisposableBase, toDisposable } from '../../common/disposable';
import { PeershelfError } from '../../common/errors';
import { holdsLock, tryLock } from '../../common/lockFile';
import { makeDataFolder, writePrivateFile } from '../../common/privateFiles';

/** Windows of one user on one folder; more are a mistake of a script. */
const MAX_SLOTS = 64;
/** A held lock is touched this often. */
const TOUCH_INTERVAL_MS = 60_000;

const LOCK_NAME = 'lock.json';
/** Its time says when the place became free. */
const RELEASED_NAME = 'released';

/**
 * The place of one window below its workspace's storage: a numbered folder with a live lock, so that
 * windows on the same folder work side by side, and a window that reloads finds its own place again.
 */
export class Slot extends DisposableBase {
  private constructor(
    /** Where this window keeps its own things. */
    readonly folder: string,
    private readonly token: string,
    clock: Clock,
  ) {
    super();
    this.register(every(clock, TOUCH_INTERVAL_MS, () => this.touch()));
    this.register(toDisposable(() => this.unlock()));
  }

  /**
   * Takes the first place that nobody holds.
   * @param window what tells this window from others; a lock that it left behind is its own.
   */
  static acquire(storageFolder: string, clock: Clock, window: string): Slot {
    for (const folder of slotFolders(storageFolder)) {
      makeDataFolder(folder);
      const token = tryLock(join(folder, LOCK_NAME), window, clock);
      if (token !== undefined) return new Slot(folder, token, clock);
    }
    throw new PeershelfError('ALREADY_RUNNING', 'too many windows on this folder', {
      details: { limit: MAX_SLOTS },
    });
  }

  private touch(): void {
    const now = new Date();
    try {
      if (this.isMine()) utimesSync(join(this.folder, LOCK_NAME), now, now);
    } catch {
      // Gone in between, or a folder that cannot be written: the process still shows as alive.
    }
  }

  private unlock(): void {
    if (!this.isMine()) return;
    try {
      writePrivateFile(join(this.folder, RELEASED_NAME), '');
    } finally {
      // On a full disk the place is free, too, and only looks as if it had been for longer.
      unlinkSync(join(this.folder, LOCK_NAME));
    }
  }

  private isMine(): boolean {
    return holdsLock(join(this.folder, LOCK_NAME), this.token);
  }
}

/**
 * The place that became free last comes first: a window that reloads has left it a moment ago, and
 * another one that was closed long before must not be mistaken for it.
 */
function slotFolders(storageFolder: string): string[] {
  const folders = Array.from({ length: MAX_SLOTS }, (_, index) =>
    join(storageFolder, `slot-${index + 1}`),
  );
  const releasedMs = new Map(folders.map((folder) => [folder, releaseTimeMs(folder)]));
  return folders.sort((a, b) => (releasedMs.get(b) ?? 0) - (releasedMs.get(a) ?? 0));
}

function releaseTimeMs(folder: string): number {
  return statSync(join(folder, RELEASED_NAME), { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
