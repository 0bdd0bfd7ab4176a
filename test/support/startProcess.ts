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
