import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { basename, dirname, isAbsolute, join } from 'node:path';
import * as v from 'valibot';
import { describeError } from '../../common/errors';
import type { Logger } from '../../common/logger';
import { processExists } from '../../common/processExists';
import { readJsonFile, writeJsonFile } from '../jsonFile';

const TEMPORARY_NAME = /^\.peershelf-[0-9a-f]{16}\.part$/u;

const recordSchema = v.object({
  pid: v.number(),
  // Only a file that has our kind of name is ever removed, whatever a record says.
  path: v.pipe(
    v.string(),
    v.check((path) => isAbsolute(path) && TEMPORARY_NAME.test(basename(path))),
  ),
});

/** A temporary file that must not outlive its process. */
export interface TemporaryFile {
  readonly path: string;
  /** Removes the file, if it is still there, and its record. */
  release(): void;
}

/**
 * Records of unfinished downloads, one small file each, written before the temporary file exists:
 * what a crash leaves behind is removed at the next start.
 */
export class Leftovers {
  constructor(
    private readonly folder: string,
    private readonly logger: Logger,
  ) {}

  /** A name for a temporary file beside `destination`, recorded. Nothing is there yet. */
  reserve(destination: string): TemporaryFile {
    const id = randomBytes(8).toString('hex');
    const path = join(dirname(destination), `.peershelf-${id}.part`);
    const record = join(this.folder, `${id}.json`);
    mkdirSync(this.folder, { recursive: true });
    writeJsonFile(record, { pid: process.pid, path });
    return {
      path,
      release: () => {
        rmSync(path, { force: true });
        rmSync(record, { force: true });
      },
    };
  }

  /** Removes what processes left behind that are gone. A file that cannot be removed stays recorded. */
  sweep(): void {
    for (const name of this.records()) {
      const record = join(this.folder, name);
      const found = readJsonFile(record, recordSchema, this.logger);
      if (found === undefined || processExists(found.pid)) continue;
      try {
        rmSync(found.path, { force: true });
        rmSync(record, { force: true });
        this.logger.info(`removed the leftover ${found.path}`);
      } catch (error) {
        this.logger.warn(`cannot remove the leftover ${found.path}: ${describeError(error)}`);
      }
    }
  }

  private records(): string[] {
    mkdirSync(this.folder, { recursive: true });
    return readdirSync(this.folder).filter((name) => name.endsWith('.json'));
  }
}
