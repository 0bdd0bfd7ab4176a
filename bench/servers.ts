import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Cleanup } from '../scripts/host/cleanup';
import { spawnOwned } from '../scripts/host/ownedProcess';
import { type HostPort, parseHostPort } from '../src/protocol/address';
import { PROGRAM_ENVIRONMENT, runProgram } from './harness';

export const HOST = '127.0.0.1';
const DEADLINE_MS = 15_000;
/** Short, as some benchmarks count the start. */
const POLL_MS = 5;
const REPOSITORY = join(__dirname, '..');

/** Our tracker, as it is shipped and with its default limits. */
export async function startTracker(cleanup: Cleanup): Promise<HostPort> {
  const program = join(REPOSITORY, 'dist', 'tracker.js');
  const args = [program, '--open', '--port', '0'];
  const [, address = ''] = await start(cleanup, process.execPath, args, {
    ready: /^listening on (\S+)$/u,
  });
  return parseHostPort(address);
}

/** The tracker of a team's session, as its owner starts it; resolves to the file with the invite. */
export async function startTeam(cleanup: Cleanup, folder: string): Promise<string> {
  const inviteFile = join(folder, 'invite.txt');
  const program = join(REPOSITORY, 'dist', 'cli.js');
  const place = ['--port', '0', '--data', folder, '--invite-file', inviteFile];
  await start(cleanup, process.execPath, [program, 'tracker', ...place], {
    ready: /^the invite is in /u,
  });
  return inviteFile;
}

/** The plain tracker of the original system. */
export async function startV1Tracker(cleanup: Cleanup): Promise<HostPort> {
  const port = await freePort();
  const program = join(REPOSITORY, 'test', 'support', 'v1.py');
  await start(cleanup, 'python3', [program, 'tracker', '--port', String(port)]);
  await waitUntilListening({ host: HOST, port });
  return { host: HOST, port };
}

/** Redis without persistence. */
export async function startRedis(cleanup: Cleanup): Promise<HostPort> {
  const port = await freePort();
  const args = ['--port', String(port), '--bind', HOST, '--save', '', '--appendonly', 'no'];
  await start(cleanup, 'redis-server', args, { ready: /Ready to accept connections/u });
  return { host: HOST, port };
}

/** Sets `keys` keys, named as redis-benchmark asks for them, to values of `valueBytes`. */
export async function fillRedis(
  { port }: HostPort,
  keys: number,
  valueBytes: number,
): Promise<void> {
  const value = 'x'.repeat(valueBytes);
  const commands = Array.from({ length: keys }, (_, index) => {
    const key = `key:${String(index).padStart(12, '0')}`;
    return `*3\r\n$3\r\nSET\r\n$${key.length}\r\n${key}\r\n$${valueBytes}\r\n${value}\r\n`;
  });
  const { stdout } = await runProgram('redis-cli', ['-p', String(port), '--pipe'], {
    input: commands.join(''),
  });
  if (!stdout.includes('errors: 0')) throw new Error(`redis-cli: ${stdout}`);
}

export interface StartOptions {
  /** A line that the program prints when it is ready; without it, starting it is enough. */
  readonly ready?: RegExp;
  /** For programs that say nothing there unless something is wrong. */
  readonly showErrors?: boolean;
}

/** Starts a program that ends with `cleanup`; resolves to what its line `ready` matched. */
export async function start(
  cleanup: Cleanup,
  file: string,
  args: readonly string[],
  { ready, showErrors = false }: StartOptions = {},
): Promise<RegExpExecArray | []> {
  const { child, stop } = spawnOwned(file, args, {
    stdio: ['ignore', 'pipe', showErrors ? 'inherit' : 'ignore'],
    env: PROGRAM_ENVIRONMENT,
  });
  cleanup.add(stop);
  if (child.stdout === null) throw new Error('the program has no output');
  const lines = createInterface({ input: child.stdout });
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown): void =>
      reject(new Error(`${file} did not start: is it installed?`, { cause }));
    const timer = setTimeout(fail, DEADLINE_MS, 'not in time');
    child.once('error', fail);
    child.once('exit', fail);
    child.once('spawn', () => ready ?? settle([]));
    lines.on('line', (line) => {
      const match = ready?.exec(line);
      if (match) settle(match);
    });
    const settle = (match: RegExpExecArray | []): void => {
      clearTimeout(timer);
      resolve(match);
    };
  });
}

/** Resolves when connections are accepted there. */
export async function waitUntilListening(address: HostPort): Promise<void> {
  const deadlineMs = performance.now() + DEADLINE_MS;
  while (!(await accepts(address))) {
    if (performance.now() > deadlineMs) throw new Error(`nobody listens on port ${address.port}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

function accepts(address: HostPort): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(address);
    const settle = (isAccepted: boolean): void => {
      socket.destroy();
      resolve(isAccepted);
    };
    socket.once('connect', () => settle(true)).once('error', () => settle(false));
  });
}

/** A port that nobody has at this moment, for programs that cannot choose one themselves. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, HOST, resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}
