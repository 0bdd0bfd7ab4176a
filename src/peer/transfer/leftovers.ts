import { randomBytes } from 'node:crypto';
import { readdirSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, isAbsolute, join } from 'node:path';
import * as v from 'valibot';
import type { Clock } from '../../common/clock';
import { describeError, systemCode } from '../../common/errors';
import type { Logger } from '../../common/logger';
import { processExists } from '../../common/processExists';
import { readJsonFile, writeJsonFile } from '../jsonFile';

const TEMPORARY_NAME = /^\.peershelf-[0-9a-f]{16}\.part$/u;

/** A running download writes all the time or is given up: a file untouched for this long is dead. */
const DEAD_AFTER_MS = 3_600_000;

const recordSchema = v.object({
  pid: v.number(),
  window: v.string(),
  // Only a file that has our kind of name is ever removed, whatever a record says.
  path: v.pipe(
    v.string(),
    v.check((path) => isAbsolute(path) && TEMPORARY_NAME.test(basename(path))),
  ),
});

type Leftover = v.InferOutput<typeof recordSchema>;

/** A temporary file that must not outlive its process. */
export interface TemporaryFile {
  readonly path: string;
  /** Removes the file, if it is still there, and its record. */
  release(): void;
}

export interface LeftoversOptions {
  /** Made when it is needed. */
  readonly folder: string;
  /** What this window has recorded before is left over from its engine's crash. */
  readonly windowId: string;
  readonly clock: Clock;
}

/**
 * Records of unfinished downloads, one small file each, written before the temporary file exists:
 * what a crash leaves behind is removed at the next start.
 */
export class Leftovers {
  constructor(
    private readonly options: LeftoversOptions,
    private readonly logger: Logger,
  ) {}

  /** A name for a temporary file beside `destination`, recorded. Nothing is there yet. */
  reserve(destination: string): TemporaryFile {
    const id = randomBytes(8).toString('hex');
    const path = join(dirname(destination), `.peershelf-${id}.part`);
    const record = join(this.options.folder, `${id}.json`);
    writeJsonFile(record, { pid: process.pid, window: this.options.windowId, path });
    return {
      path,
      release: () => {
        rmSync(path, { force: true });
        rmSync(record, { force: true });
      },
    };
  }

  /** Removes what a crash left behind. What cannot be removed stays recorded, and never stops a start. */
  sweep(): void {
    for (const name of this.records()) {
      const record = join(this.options.folder, name);
      try {
        this.sweepOne(record);
      } catch (error) {
        this.logger.warn(`cannot remove the leftover of ${record}: ${describeError(error)}`);
      }
    }
  }

  private sweepOne(record: string): void {
    const found = readJsonFile(record, recordSchema, this.logger);
    if (found === undefined || this.isInUse(found)) return;
    rmSync(found.path, { force: true });
    rmSync(record, { force: true });
    this.logger.info(`removed the leftover ${found.path}`);
  }

  private isInUse({ pid, window, path }: Leftover): boolean {
    const { windowId, clock } = this.options;
    if (window === windowId || !processExists(pid)) return false;
    // The number may belong to another process by now.
    const touchedMs = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
    return touchedMs === undefined || clock.now() - touchedMs < DEAD_AFTER_MS;
  }

  private records(): string[] {
    try {
      return readdirSync(this.options.folder).filter((name) => name.endsWith('.json'));
    } catch (error) {
      if (systemCode(error) !== 'ENOENT')
        this.logger.warn(`cannot look for leftovers: ${describeError(error)}`);
      return [];
    }
  }
}
