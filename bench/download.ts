import { rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { assertSameFile, warmMemory } from './files';
import { type Contender, megabytesPerSecond, runProgram, type Series, timed } from './harness';
import { type Command, fetchCommand, type Session } from './sharing';

export interface DownloadOptions {
  readonly name: string;
  /** What is fetched; what has arrived is compared with it outside the clock. */
  readonly source: string;
  /** File that it is fetched to; removed after each turn. */
  readonly output: string;
  /** Made anew before each turn, outside the clock. */
  readonly command: () => Command;
  /** Reads from its output how many seconds the program says it took. */
  readonly readSeconds?: (stdout: string) => number;
}

/**
 * A program that fetches one file. What counts is its whole run, from its start until it has ended
 * and the file is there.
 */
export class Download implements Contender {
  readonly unit = 'MB/s';
  private readonly own: number[] = [];

  constructor(private readonly options: DownloadOptions) {}

  get name(): string {
    return this.options.name;
  }

  async measure(): Promise<number> {
    const { source, output, command, readSeconds } = this.options;
    const sizeBytes = statSync(source).size;
    const { file, args, env = {} } = command();
    warmMemory(dirname(output), 2 * sizeBytes);
    let stdout = '';
    const seconds = await timed(async () => ({ stdout } = await runProgram(file, args, { env })));
    assertSameFile(source, output);
    rmSync(output);
    if (readSeconds !== undefined)
      this.own.push(megabytesPerSecond(sizeBytes, readSeconds(stdout)));
    return megabytesPerSecond(sizeBytes, seconds);
  }

  /** What the program says of itself, without the turn that warms up. */
  get ownSeries(): Series {
    return { name: `${this.name}, by its own clock`, unit: this.unit, values: this.own.slice(1) };
  }
}

export interface CliDownloadOptions {
  readonly name: string;
  readonly session: Session;
  /** A published file; its base name is its published name. */
  readonly source: string;
  /** Folder for everything that the fetching program writes. */
  readonly folder: string;
}

/** Our command line, fetching. */
export function cliDownload({ name, session, source, folder }: CliDownloadOptions): Download {
  const output = join(folder, `${name.replace(/\W+/gu, '-')}.got`);
  const home = `${output}-home`;
  const published = source.slice(source.lastIndexOf('/') + 1);
  return new Download({
    name,
    source,
    output,
    command: () => fetchCommand({ session, name: published, output, home, options: ['--json'] }),
    readSeconds,
  });
}

/** What the command line says of a fetch. */
interface CliResult {
  readonly durationMs: number;
  readonly keptBytes: number;
}

function readSeconds(stdout: string): number {
  const { durationMs, keptBytes } = JSON.parse(stdout) as CliResult;
  if (keptBytes > 0) throw new Error(`${keptBytes} bytes did not come over the network`);
  return durationMs / 1000;
}
