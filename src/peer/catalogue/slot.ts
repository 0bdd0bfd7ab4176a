import { randomUUID } from 'node:crypto';
import {
  existsSync,
  linkSync,
  readFileSync,
  rmSync,
  statSync,
  unlinkSync,
  utimesSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import * as v from 'valibot';
import { moveFile } from '../../common/busyFile';
import { type Clock, every } from '../../common/clock';
import { DisposableBase, toDisposable } from '../../common/disposable';
import { PeershelfError, systemCode } from '../../common/errors';
import { makePrivateFolder, writePrivateFile } from '../../common/privateFiles';
import { processExists } from '../../common/processExists';

/** Windows of one user on one folder; more are a mistake of a script. */
const MAX_SLOTS = 64;
/** A held lock is touched this often. */
const TOUCH_INTERVAL_MS = 60_000;
/**
 * A lock untouched for this long is not live even if some process has its number by now, or if it
 * was made on another machine that shares the folder.
 */
const STALE_AFTER_MS = 30 * 60_000;

const lockSchema = v.object({
  pid: v.number(),
  machine: v.string(),
  /** Of the window: its engine may end and start again within one process. */
  window: v.string(),
  /** Of this very lock. */
  token: v.string(),
});
type Lock = v.InferOutput<typeof lockSchema>;

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
      makePrivateFolder(folder);
      const lock = { pid: process.pid, machine: hostname(), window, token: randomUUID() };
      if (tryLock(folder, lock, clock)) return new Slot(folder, lock.token, clock);
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
    return readLock(join(this.folder, LOCK_NAME))?.token === this.token;
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

function tryLock(folder: string, lock: Lock, clock: Clock): boolean {
  const path = join(folder, LOCK_NAME);
  if (existsSync(path) && !removeStale(path, lock.window, clock)) return false;
  const candidate = join(folder, `${lock.token}.lock`);
  writePrivateFile(candidate, JSON.stringify(lock));
  try {
    // A link appears whole and only where nothing is; writing in place would show half a lock.
    linkSync(candidate, path);
    return true;
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false;
    // File systems without hard links: create the file only where nothing is.
    return createExclusively(path, lock);
  } finally {
    rmSync(candidate, { force: true });
  }
}

function createExclusively(path: string, lock: Lock): boolean {
  try {
    writePrivateFile(path, JSON.stringify(lock), { flag: 'wx' });
    return true;
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Whether the lock is gone now because its holder is. */
function removeStale(path: string, window: string, clock: Clock): boolean {
  const lock = readLock(path);
  if (lock?.window !== window && isLive(path, lock, clock)) return false;
  const aside = `${path}.${randomUUID()}`;
  try {
    moveFile(path, aside);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return true;
    throw error;
  }
  const taken = readLock(aside);
  unlinkSync(aside);
  if (taken?.token === lock?.token) return true;
  // Between the two steps somebody else removed the stale lock and made a new one: give it back.
  if (taken !== undefined) createExclusively(path, taken);
  return false;
}

function isLive(path: string, lock: Lock | undefined, clock: Clock): boolean {
  const touchedMs = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
  if (touchedMs === undefined || lock === undefined) return false;
  if (clock.now() - touchedMs > STALE_AFTER_MS) return false;
  return lock.machine !== hostname() || processExists(lock.pid);
}

function readLock(path: string): Lock | undefined {
  try {
    const result = v.safeParse(lockSchema, JSON.parse(readFileSync(path, 'utf8')));
    return result.success ? result.output : undefined;
  } catch {
    return undefined; // Gone or half written by a crash: nobody's.
  }
}
