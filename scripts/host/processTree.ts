import { execFile, execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

const POLL_MS = 25;

/** Environment variable by which everything that one of our processes started is found again. */
export const OWNER_VARIABLE = 'PEERSHELF_TEST_OWNER';

/**
 * Names a new owner below the owner of this process, if it has one: the processes of an owner
 * include those of the owners below it.
 */
export function newOwner(): string {
  const outer = process.env[OWNER_VARIABLE];
  return outer === undefined ? randomUUID() : `${outer}/${randomUUID()}`;
}

/** Whether a process with this id exists (a zombie counts). */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/**
 * Ends a process, all it started, and all that carries `owner` in its environment: a child that
 * was detached, or whose parent is gone, is in nobody's tree any more.
 * Asks politely first and insists after `graceMs`.
 */
export async function endProcessTree(pid: number, owner: string, graceMs: number): Promise<void> {
  if (process.platform === 'win32') {
    await new Promise<void>((resolve) => {
      // Fails when the process is gone, which is what is wanted.
      execFile('taskkill', ['/pid', String(pid), '/T', '/F'], () => resolve());
    });
    return;
  }
  const pids = new Set([...treeOf(pid), ...ownedBy(owner)]);
  signalAll(pids, 'SIGTERM');
  const deadline = Date.now() + graceMs;
  while (someRun(pids) && Date.now() < deadline) {
    await delay(POLL_MS);
  }
  signalAll(new Set([...pids, ...ownedBy(owner)]), 'SIGKILL');
}

/** The same at once and synchronously, for the moment in which this process exits. */
export function killProcessTree(pid: number, owner: string): void {
  if (process.platform === 'win32') {
    try {
      execFileSync('taskkill', ['/pid', String(pid), '/T', '/F'], { stdio: 'ignore' });
    } catch {
      // Gone already.
    }
    return;
  }
  signalAll(new Set([...treeOf(pid), ...ownedBy(owner)]), 'SIGKILL');
}

/**
 * Kills the processes of an owner, but not this one, and resolves when they have ended, or after
 * `graceMs`. On Windows an owner cannot be found: there `exitWithParent` ends its processes.
 */
export async function killOwned(owner: string, graceMs: number): Promise<void> {
  if (process.platform === 'win32') return;
  const deadline = Date.now() + graceMs;
  for (;;) {
    const pids = new Set(ownedBy(owner));
    signalAll(pids, 'SIGKILL');
    if (!someRun(pids) || Date.now() >= deadline) return;
    await delay(POLL_MS);
  }
}

interface ProcessEntry {
  pid: number;
  parent: number;
  zombie: boolean;
}

/** Small Linux images have no `ps`, other systems no `/proc`. */
function listProcesses(): ProcessEntry[] {
  return process.platform === 'linux' ? listOnLinux() : listElsewhere();
}

function listOnLinux(): ProcessEntry[] {
  return numberedFolders().flatMap((pid) => {
    const stat = readProcessFile(pid, 'stat');
    // The name in parentheses may hold anything, so fields count from the last one.
    const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return parent === undefined
      ? []
      : [{ pid: Number(pid), parent: Number(parent), zombie: state === 'Z' }];
  });
}

function listElsewhere(): ProcessEntry[] {
  const table = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,stat='], { encoding: 'utf8' });
  return table
    .trim()
    .split('\n')
    .map((line) => {
      const [pid, parent, state] = line.trim().split(/\s+/);
      return { pid: Number(pid), parent: Number(parent), zombie: state?.startsWith('Z') ?? false };
    });
}

/** A zombie waits for its parent, which may never ask: it must not hold up the end. */
function someRun(pids: ReadonlySet<number>): boolean {
  return listProcesses().some((entry) => pids.has(entry.pid) && !entry.zombie);
}

function treeOf(root: number): number[] {
  const all = listProcesses();
  const found = [root];
  for (const parent of found) {
    found.push(...all.filter((entry) => entry.parent === parent).map((entry) => entry.pid));
  }
  return found;
}

/** Processes that carry `owner`, or an owner below it, in their environment; not this one. */
export function ownedBy(owner: string): number[] {
  const entry = `${OWNER_VARIABLE}=${owner}`;
  const found = process.platform === 'linux' ? ownedOnLinux(entry) : ownedElsewhere(entry);
  return found.filter((pid) => pid !== process.pid);
}

function ownedOnLinux(entry: string): number[] {
  return numberedFolders()
    .filter((pid) =>
      readProcessFile(pid, 'environ')
        .split('\0')
        .some((variable) => variable === entry || variable.startsWith(`${entry}/`)),
    )
    .map(Number);
}

function numberedFolders(): string[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name));
}

function readProcessFile(pid: string, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8');
  } catch {
    return ''; // Gone meanwhile, or someone else's.
  }
}

function ownedElsewhere(entry: string): number[] {
  const table = execFileSync('ps', ['-A', '-E', '-ww', '-o', 'pid=,command='], {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  return table
    .split('\n')
    .filter((line) => line.includes(entry))
    .map((line) => Number.parseInt(line, 10));
}

function signalAll(pids: ReadonlySet<number>, signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch {
      // Gone already.
    }
  }
}
