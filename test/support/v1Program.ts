import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { formatHostPort, type HostPort } from '../../src/protocol/address';
import type { Cleanup } from './cleanup';

const PROGRAM = join(__dirname, 'v1.py');
const DEADLINE_MS = 10_000;

export interface ProgramResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the original program to its end, such as `['call', 'LIST']`. */
export async function runV1(
  cleanup: Cleanup,
  args: readonly string[],
  tracker?: HostPort,
): Promise<ProgramResult> {
  const child = start(cleanup, withTracker(args, tracker));
  const output = { stdout: '', stderr: '' };
  child.stdout?.on('data', (text: string) => (output.stdout += text));
  child.stderr?.on('data', (text: string) => (output.stderr += text));
  const [code] = (await once(child, 'close', { signal: AbortSignal.timeout(DEADLINE_MS) })) as [
    number,
  ];
  return { code, ...output };
}

/** One request of the original client; resolves to the reply, as JSON. */
export async function callV1(
  cleanup: Cleanup,
  tracker: HostPort,
  action: string,
  data: object = {},
): Promise<unknown> {
  const { code, stdout, stderr } = await runV1(
    cleanup,
    ['call', action, JSON.stringify(data)],
    tracker,
  );
  if (code !== 0) throw new Error(`v1.py call ${action} failed: ${stderr}`);
  return JSON.parse(stdout);
}

/** Starts the original publisher; resolves to its first line, which is the reply to REGISTER. */
export async function shareV1(
  cleanup: Cleanup,
  tracker: HostPort,
  publisher: { readonly hostname: string; readonly port: number; readonly files: readonly string[] },
): Promise<string> {
  const { hostname, port, files } = publisher;
  return firstLine(start(cleanup, withTracker(['share', hostname, String(port), ...files], tracker)));
}

/** Starts the original tracker on a port; resolves when it listens. */
export async function startTrackerV1(cleanup: Cleanup, port: number): Promise<void> {
  // It says nothing when it is ready, so its socket is started from here and announced.
  const announce = [
    'import runpy, socket, sys',
    'create = socket.create_server',
    'def announced(*args, **named):',
    '    server = create(*args, **named)',
    '    print("ready", flush=True)',
    '    return server',
    'socket.create_server = announced',
    'sys.argv = sys.argv[1:]',
    'runpy.run_path(sys.argv[0], run_name="__main__")',
  ].join('\n');
  const child = spawnPython(cleanup, ['-c', announce, PROGRAM, 'tracker', '--port', String(port)]);
  await firstLine(child);
}

function withTracker(args: readonly string[], tracker: HostPort | undefined): readonly string[] {
  return tracker === undefined ? args : [...args, '--tracker', formatHostPort(tracker)];
}

function start(cleanup: Cleanup, args: readonly string[]): ChildProcess {
  return spawnPython(cleanup, [PROGRAM, ...args]);
}

function spawnPython(cleanup: Cleanup, args: readonly string[]): ChildProcess {
  const python = process.platform === 'win32' ? 'python' : 'python3';
  const child = spawn(python, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout.setEncoding('utf8');
  child.stderr.setEncoding('utf8');
  cleanup.add(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const closed = once(child, 'close');
    child.kill('SIGKILL');
    await closed;
  });
  return child;
}

async function firstLine(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error('the program has no output');
  const lines = createInterface({ input: child.stdout });
  const signal = AbortSignal.timeout(DEADLINE_MS);
  const ended = once(child, 'exit', { signal }).then(([code]) => {
    throw new Error(`the program ended with ${String(code)} before its first line`);
  });
  const line = once(lines, 'line', { signal }).then(([text]) => text as string);
  ended.catch(() => undefined); // Only the first of the two matters.
  return Promise.race([line, ended]);
}
