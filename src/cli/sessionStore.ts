import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Command } from 'commander';
import { PeershelfError } from '../common/errors';
import { readSecretFile, writeSecretFile } from '../common/secretFile';
import {
  createSessionRecord,
  formatSessionRecord,
  parseSessionRecord,
  type SessionRecord,
} from '../peer/team/sessionRecord';

const DEFAULT_SESSION = 'Peershelf';

/** Options of the commands that keep the keys of a session. */
export interface SessionRecordOptions {
  readonly session: string;
  readonly data?: string;
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
