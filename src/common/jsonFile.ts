import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { randomUUID } from 'node:crypto';
import * as v from 'valibot';
import { moveFile, retryWhileBusy } from './busyFile';
import { describeError, fromReadError, fromWriteError, systemCode } from './errors';
import type { Logger } from './logger';
import { PRIVATE_FOLDER_MODE, writePrivateFile } from './privateFiles';

/**
 * Reads a file of ours. Undefined when there is none yet, or when it is damaged: then it is put
 * aside as `….damaged`, so that nothing is lost, and the log says so.
 * @throws FILE_UNREADABLE, and FOLDER_NOT_WRITABLE where a damaged one cannot be put aside.
 */
export function readJsonFile<T>(
  path: string,
  schema: v.GenericSchema<unknown, T>,
  logger: Logger,
): T | undefined {
  let text: string;
  try {
    text = retryWhileBusy(() => readFileSync(path, 'utf8'));
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw fromReadError(error, path);
  }
  try {
    return v.parse(schema, withoutMark(JSON.parse(text)));
  } catch (error) {
    logger.warn(`${path} is damaged and put aside: ${describeError(error)}`);
    putAside(path);
    return undefined;
  }
}

function putAside(path: string): void {
  try {
    moveFile(path, `${path}.damaged`);
  } catch (error) {
    throw fromWriteError(error, dirname(path));
  }
}

/**
 * An object by the names of others, as pairs. Not a record of the library: that leaves out names such
 * as `constructor`, which are names like any other here.
 */
export function pairsOf<T>(
  value: v.GenericSchema<unknown, T>,
): v.GenericSchema<unknown, [string, T][]> {
  return v.pipe(
    v.custom<object>((input) => typeof input === 'object' && input !== null),
    v.transform((input): [string, unknown][] => Object.entries(input)),
    v.array(v.tuple([v.string(), value])),
  );
}

/**
 * Member that tells a file of ours also under another name and in another folder. No key in our files is
 * spelled so: host names and published names have no `//`.
 */
export const JSON_MARK = { '//peershelf': 'data of Peershelf, not to be shared' } as const;

function withoutMark(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const marks: ReadonlySet<string> = new Set(Object.keys(JSON_MARK));
  return Object.fromEntries(Object.entries(value).filter(([key]) => !marks.has(key)));
}

/**
 * Replaces a file of ours whole, for its user alone: a reader or a crash sees the old or the new one, never a part.
 * @throws DISK_FULL, FOLDER_NOT_WRITABLE; the old file stays.
 */
export function writeJsonFile(path: string, value: object): void {
  const temporary = `${path}.${randomUUID()}.new`;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: PRIVATE_FOLDER_MODE });
    writePrivateFile(temporary, JSON.stringify({ ...JSON_MARK, ...value }));
    moveFile(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw fromWriteError(error, dirname(path));
  }
}
