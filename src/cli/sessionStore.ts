import { createHash, randomUUID } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { Command } from 'commander';
import { systemClock } from '../common/clock';
import { PeershelfError } from '../common/errors';
import { holdsLock, tryLock } from '../common/lockFile';
import { PRIVATE_FOLDER_MODE } from '../common/privateFiles';
import { readSecretFile, writeSecretFile } from '../common/secretFile';
import {
  createSessionRecord,
  formatSessionRecord,
  parseSessionRecord,
  type SessionRecord,
} from '../peer/team/sessionRecord';

const DEFAULT_SESSION = 'Peershelf';

/** Time to wait for another command of the owner, which talks with the tracker or asks its user. */
const LOCK_DEADLINE_MS = 60_000;
const LOCK_POLL_MS = 100;

/** Options of the commands that keep the keys of a session. */
export interface SessionRecordOptions {
  readonly session: string;
  readonly data?: string;
}

/** A session that is kept in a folder. */
export interface SessionPlace {
  readonly folder: string;
  readonly session: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Replaces what is kept of a session: before its statement is sent, so that a crash loses no key.
 * @throws INVALID_ARGUMENT for a record that could not be read again; the kept one stays.
 */
export function keepSessionRecord(folder: string, record: SessionRecord): void {
  const text = formatSessionRecord(record);
  parseSessionRecord(text);
  writeSecretFile(fileOf(folder, record.name), text, 'replace');
}

/**
 * Keeps a record that comes from elsewhere.
 * @throws SESSION_KEYS_KEPT where one of that name is.
 */
export function addSessionRecord(folder: string, record: SessionRecord): void {
  const kept = writeSecretFile(fileOf(folder, record.name), formatSessionRecord(record), 'keep');
  if (kept === undefined) return;
  throw new PeershelfError('SESSION_KEYS_KEPT', 'there are keys of that name', {
    details: { session: record.name },
  });
}

/**
 * Runs a task that reads what is kept of a session, signs and keeps more, while no other program on this
 * computer does: of two at once, one would replace the key that the tracker has just taken.
 * @throws OWNER_BUSY when another one does not end in time; CANCELLED.
 */
export async function withSessionLock<T>(
  { folder, session, signal }: SessionPlace,
  task: () => Promise<T>,
): Promise<T> {
  const path = `${fileOf(folder, session)}.lock`;
  const deadlineMs = systemClock.monotonic() + LOCK_DEADLINE_MS;
  const holder = randomUUID();
  mkdirSync(folder, { recursive: true, mode: PRIVATE_FOLDER_MODE });
  let token = tryLock(path, holder, systemClock);
  while (token === undefined) {
    if (systemClock.monotonic() > deadlineMs)
      throw new PeershelfError('OWNER_BUSY', 'another command does not end', {
        details: { session },
      });
    await setTimeout(LOCK_POLL_MS, undefined, { signal });
    token = tryLock(path, holder, systemClock);
  }
  try {
    return await task();
  } finally {
    // One that was held for so long that another program has taken over is that program's.
    if (holdsLock(path, token)) rmSync(path, { force: true });
  }
}

export function addSessionRecordOptions(command: Command): Command {
  return command
    .option('--session <name>', 'name of the session', DEFAULT_SESSION)
    .option('--data <folder>', 'where what is secret of the session is kept');
}

/**
 * The session of this name, which this user owns.
 * @throws SESSION_KEYS_MISSING when it is not kept in the folder.
 */
export function readSessionRecord(folder: string, name: string): SessionRecord {
  const stored = readSecretFile(fileOf(folder, name));
  if (stored !== undefined) return parseSessionRecord(stored);
  throw new PeershelfError('SESSION_KEYS_MISSING', 'its keys are not in the folder', {
    details: { session: name },
  });
}

/** The session of this name in a folder, a new one when there is none. */
export async function loadSessionRecord(folder: string, name: string): Promise<SessionRecord> {
  const file = fileOf(folder, name);
  const stored = readSecretFile(file);
  if (stored !== undefined) return parseSessionRecord(stored);
  const record = await createSessionRecord(name, new Date());
  // Of two that are started at the same time, both have the session that came first.
  const kept = writeSecretFile(file, formatSessionRecord(record), 'keep');
  return kept === undefined ? record : parseSessionRecord(kept);
}

function fileOf(folder: string, name: string): string {
  const key = createHash('sha256').update(name).digest('hex').slice(0, 32);
  return join(folder, `session-${key}.json`);
}
