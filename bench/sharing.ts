import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Cleanup } from '../scripts/host/cleanup';
import { homeEnvironment } from '../scripts/host/homeEnvironment';
import { spawnOwned } from '../scripts/host/ownedProcess';
import { formatHostPort, type HostPort } from '../src/protocol/address';
import { PROGRAM_ENVIRONMENT } from './harness';
import { freePort, HOST, waitUntilListening } from './servers';

/** Enough to hash several gigabytes on a slow machine. */
const DEADLINE_MS = 120_000;

export const CLI = join(__dirname, '../dist/cli.js');
export const V1 = join(__dirname, '../test/support/v1.py');

/** What names a session to a user: the tracker of an open one, or a file with the invite of a team. */
export type Session = HostPort | { readonly inviteFile: string };

export interface SharingOptions {
  readonly session: Session;
  readonly paths: readonly string[];
  /** Folder for what the program remembers: nobody may profit from what another one has hashed. */
  readonly home: string;
  /** Further options of the command line. */
  readonly options?: readonly string[];
}

/** Shares by our command line until `cleanup`; resolves to the process number. */
export async function startSharing(cleanup: Cleanup, sharing: SharingOptions): Promise<number> {
  const { session, paths, home, options = [] } = sharing;
  const place = ['--port', '0', ...sessionOptions(session)];
  const args = [CLI, 'share', ...paths, ...place, ...options];
  const { child, stop } = spawnOwned(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...PROGRAM_ENVIRONMENT, ...homeEnvironment(home) },
  });
  cleanup.add(stop);
  const output = child.stdout;
  if (output === null) throw new Error('the program has no output');
  await new Promise<void>((resolve, reject) => {
    const fail = (why: string): void =>
      reject(new Error(`${['share', ...paths, ...options].join(' ')} did not start: ${why}`));
    const timer = setTimeout(fail, DEADLINE_MS, 'not in time');
    child.once('exit', (code) => {
      clearTimeout(timer);
      fail(`it ended with ${code}`);
    });
    createInterface({ input: output }).on('line', (line) => {
      if (!line.startsWith('serving on ')) return;
      clearTimeout(timer);
      resolve();
    });
  });
  return child.pid ?? 0;
}

export interface CliFetchOptions {
  readonly session: Session;
  readonly name: string;
  readonly output: string;
  readonly home: string;
  readonly options?: readonly string[];
}

/** A program to run, and its environment. */
export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
}

/** How our command line fetches, as a user who has never fetched anything. */
export function fetchCommand(fetching: CliFetchOptions): Command {
  const { session, name, output, home, options = [] } = fetching;
  rmSync(home, { recursive: true, force: true });
  const place = [...sessionOptions(session), '--output', output];
  return {
    file: process.execPath,
    args: [CLI, 'fetch', name, ...place, ...options],
    env: homeEnvironment(home),
  };
}

function sessionOptions(session: Session): readonly string[] {
  return 'inviteFile' in session
    ? ['--invite-file', session.inviteFile]
    : ['--tracker', formatHostPort(session)];
}

/** Shares a file by the program of the original system until `cleanup`. */
export async function startV1Sharing(
  cleanup: Cleanup,
  tracker: HostPort,
  file: string,
): Promise<void> {
  const port = await freePort();
  const args = [V1, 'share', 'old', `${port}`, file, '--tracker', formatHostPort(tracker)];
  const { stop } = spawnOwned('python3', args, { stdio: 'ignore' });
  cleanup.add(stop);
  await waitUntilListening({ host: HOST, port });
}
