import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Cleanup } from '../../scripts/host/cleanup';
import { formatHostPort, type HostPort } from '../../src/protocol/address';
import type { ProgramOptions } from './hurry';
import { startProcess, startUnreaped, type TestProcess } from './startProcess';

export const CLI = join(__dirname, '../../dist/cli.js');

/** One user of the command line: where the commands run, and where what they remember lies. */
export interface CommandLineUser {
  readonly folder: string;
  readonly data: string;
}

/** Starts one command as a process of its own; killed after the test. */
export function startCommand(
  cleanup: Cleanup,
  user: CommandLineUser,
  ...args: string[]
): TestProcess {
  return startPrepared(cleanup, user, [], ...args);
}

/** As `startCommand`, with what else a program of a test is started with. */
export function startPrepared(
  cleanup: Cleanup,
  user: CommandLineUser,
  prepared: readonly ProgramOptions[],
  ...args: string[]
): TestProcess {
  const { cwd, env } = settingsOf(user);
  return startProcess(
    cleanup,
    process.execPath,
    [...prepared.flatMap(({ nodeOptions }) => nodeOptions), CLI, ...args],
    { cwd, env: Object.assign({}, env, ...prepared.map((one) => one.env)) as NodeJS.ProcessEnv },
  );
}

/** As `startCommand`, below a process that never asks how it has ended. @returns its number. */
export async function startUnreapedCommand(
  cleanup: Cleanup,
  user: CommandLineUser,
  ...args: string[]
): Promise<number> {
  return startUnreaped(cleanup, process.execPath, [CLI, ...args], settingsOf(user));
}

function settingsOf({ folder, data }: CommandLineUser): {
  cwd: string;
  env: NodeJS.ProcessEnv;
} {
  return { cwd: folder, env: { XDG_DATA_HOME: data, LOCALAPPDATA: data, HOME: data } };
}

/** Publishes one file and resolves when it is served; `port` is another one at every start. */
export async function startSharing(
  cleanup: Cleanup,
  user: CommandLineUser,
  share: { path: string; tracker: HostPort; hostname: string; more?: readonly string[] },
): Promise<{ process: TestProcess; port: number }> {
  const { path, tracker, hostname, more = [] } = share;
  const process = startCommand(
    cleanup,
    user,
    ...['share', path, '--tracker', formatHostPort(tracker), '--port', '0'],
    ...['--hostname', hostname, ...more],
  );
  const [, port] = await Promise.race([
    process.printed(/serving on \S+:(\d+)\n/u),
    process.exited.then((code) => {
      throw new Error(`the publisher has ended with ${code}: ${process.stderr()}`);
    }),
  ]);
  return { process, port: Number(port) };
}

/** The parts of `fetch --json` that say what was transferred. */
export interface FetchReport {
  readonly outcome: string;
  readonly receivedBytes: number;
  readonly keptBytes: number;
  readonly sources: readonly string[];
}

export function readReport(fetching: TestProcess): FetchReport {
  return JSON.parse(fetching.stdout()) as FetchReport;
}

/** Data folder of the command line of a user. */
export function dataFolder({ data }: CommandLineUser): string {
  return process.platform === 'win32' ? join(data, 'peershelf', 'Data') : join(data, 'peershelf');
}

/** Where a user's command line keeps its records of unfinished downloads. */
export function leftoversFolder(user: CommandLineUser): string {
  return join(dataFolder(user), 'cli', 'leftovers');
}

/** Names of everything that unfinished downloads have left, records first. */
export function leftoversOf(user: CommandLineUser, records = leftoversFolder(user)): string[] {
  const list = (folder: string): string[] => (existsSync(folder) ? readdirSync(folder) : []);
  return [...list(records), ...list(user.folder).filter((name) => name.endsWith('.part'))];
}

/** Numbers of the pieces that the journals in a folder of records name, whole lines only. */
export function journaledPieces(records: string): Set<number> {
  const names = existsSync(records) ? readdirSync(records) : [];
  const texts = names
    .filter((name) => name.endsWith('.pieces'))
    .map((name) => {
      try {
        return readFileSync(join(records, name), 'latin1');
      } catch {
        return ''; // Gone since, as its download has ended.
      }
    });
  return new Set(
    texts.flatMap((text) =>
      text
        .slice(0, text.lastIndexOf('\n') + 1)
        .split('\n')
        .slice(0, -1)
        .map(Number),
    ),
  );
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
