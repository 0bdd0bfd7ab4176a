import { type ChildProcess, spawn } from 'node:child_process';
import type { Cleanup } from '../../scripts/host/cleanup';
import { eventually } from './waitFor';

/** A program of ours or of others, run as a user would run it. */
export interface TestProcess {
  readonly child: ChildProcess;
  stdout(): string;
  stderr(): string;
  /** Resolves to the first match of `pattern` in what was printed so far. */
  printed(pattern: RegExp): Promise<RegExpExecArray>;
  /** Resolves to the exit code, or to the signal's name. */
  readonly exited: Promise<number | NodeJS.Signals>;
}

/** Exit of a program of ours after a signal: in order, but on Windows, which has none and ends it at once. */
export function endBy(signal: NodeJS.Signals): number | NodeJS.Signals {
  return process.platform === 'win32' ? signal : 0;
}

/** Starts a process; killed after the test. */
export function startProcess(
  cleanup: Cleanup,
  command: string,
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv; uid?: number; gid?: number } = {},
): TestProcess {
  const child = spawn(command, args, {
    ...options,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const text = { out: '', err: '' };
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text.out += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (text.err += chunk));
  const exited = new Promise<number | NodeJS.Signals>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(code ?? signal ?? 0));
  });
  cleanup.add(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  return {
    child,
    stdout: () => text.out,
    stderr: () => text.err,
    printed: (pattern) =>
      eventually(
        () => pattern.exec(text.out) ?? undefined,
        `${String(pattern)} in ${args.join(' ')}: ${text.out}${text.err}`,
      ),
    exited,
  };
}

/**
 * Starts a process below one that never asks how it has ended, as it happens in a container without
 * an init process: its number stays taken. Both are killed after the test.
 * @returns the number of the process.
 */
export async function startUnreaped(
  cleanup: Cleanup,
  command: string,
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<number> {
  const script = '"$0" "$@" >/dev/null 2>&1 & echo "pid $!"; exec sleep 3600';
  const parent = startProcess(cleanup, 'sh', ['-c', script, command, ...args], options);
  const pid = Number((await parent.printed(/^pid (\d+)\n/u))[1]);
  // Runs before the parent is killed: until then the number cannot be anybody else's.
  cleanup.add(() => process.kill(pid, 'SIGKILL'));
  return pid;
}
