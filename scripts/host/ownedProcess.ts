import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import * as path from 'node:path';
import { pathToFileURL } from 'node:url';
import { endProcessTree, killProcessTree, newOwner, OWNER_VARIABLE } from './processTree';

const STOP_GRACE_MS = 5_000;

/** A program that ends, with everything it started, when it is told to or when we end. */
export interface OwnedProcess {
  readonly child: ChildProcess;
  /** Ends the whole tree. Idempotent. */
  readonly stop: () => Promise<void>;
}

/** Flags of Node that end a script together with us even if we are killed; it needs a stdin pipe. */
export function exitWithParent(script: string): string[] {
  const preload = pathToFileURL(path.join(__dirname, 'exitWithParent.mjs')).href;
  return ['--import', `${preload}?${encodeURIComponent(script)}`];
}

export function spawnOwned(
  file: string,
  args: readonly string[],
  options: SpawnOptions = {},
): OwnedProcess {
  const owner = newOwner();
  const child = spawn(file, args, {
    // A group of its own: Ctrl+C in the terminal is for us, and we stop things in order.
    detached: process.platform !== 'win32',
    windowsHide: true,
    ...options,
    env: { ...(options.env ?? process.env), [OWNER_VARIABLE]: owner },
  });
  const { pid } = child;
  if (pid === undefined) {
    return { child, stop: () => Promise.resolve() }; // The child tells why in its error event.
  }
  const killAtExit = (): void => killProcessTree(pid, owner);
  process.once('exit', killAtExit);
  let stopped: Promise<void> | undefined;
  const end = async (): Promise<void> => {
    await endProcessTree(pid, owner, STOP_GRACE_MS);
    process.off('exit', killAtExit);
  };
  return { child, stop: () => (stopped ??= end()) };
}
