import { randomUUID } from 'node:crypto';
import { existsSync, linkSync, readFileSync, rmSync, statSync, unlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import * as v from 'valibot';
import { moveFile } from './busyFile';
import type { Clock } from './clock';
import { systemCode } from './errors';
import { writePrivateFile } from './privateFiles';
import { processExists } from './processExists';

/**
 * A lock untouched for this long is not live even if some process has its number by now, or if it
 * was made on another machine that shares the folder.
 */
const STALE_AFTER_MS = 30 * 60_000;

const lockSchema = v.object({
  pid: v.number(),
  machine: v.string(),
  /** Of the holder: an engine may end and start again within one process. */
  window: v.string(),
  /** Of this very lock. */
  token: v.string(),
});
type Lock = v.InferOutput<typeof lockSchema>;

/**
 * Makes a file the lock of this process, unless a live process holds it.
 * @param window what tells the holder from others; a lock that it left behind is its own.
 * @returns token of the lock; undefined while somebody else holds it.
 */
export function tryLock(path: string, window: string, clock: Clock): string | undefined {
  if (existsSync(path) && !removeStale(path, window, clock)) return undefined;
  const lock: Lock = { pid: process.pid, machine: hostname(), window, token: randomUUID() };
  return create(path, lock) ? lock.token : undefined;
}

/** Whether the lock is still the one of this token. */
export function holdsLock(path: string, token: string): boolean {
  return readLock(path)?.token === token;
}

function create(path: string, lock: Lock): boolean {
  const candidate = `${path}.${lock.token}.new`;
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
