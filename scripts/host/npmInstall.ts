import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import * as path from 'node:path';
import { CACHE, type Log } from './paths';
import { isAlive } from './processTree';

const NPM_TIMEOUT_MS = 10 * 60_000;
const MARKER = 'complete.json';

/** Scripts stay off: nothing needs one, and npm 12 blocks them anyway. */
const NPM_FLAGS = [
  '--ignore-scripts',
  '--engine-strict=false',
  '--no-audit',
  '--no-fund',
  '--no-save',
  '--no-progress',
  '--loglevel=error',
];

export interface CachedInstall {
  /** Folder name below the cache. */
  name: string;
  /** Exact `package@version` specifications. */
  packages: string[];
  /** More flags of `npm install`. */
  flags?: string[];
  /** Further work in the new folder before it counts as complete. */
  prepare?: (folder: string) => Promise<void>;
  log: Log;
}

/**
 * Installs packages into a folder of the cache once and returns that folder.
 *
 * The work happens in a temporary sibling that is renamed at the end, so an interrupted install
 * leaves nothing that looks complete, and of two processes at once the first rename wins.
 */
export async function installOnce(install: CachedInstall): Promise<string> {
  const target = path.join(CACHE, install.name);
  if (await isComplete(target, install.packages)) {
    return target;
  }
  await mkdir(CACHE, { recursive: true });
  await removeAbandoned();
  install.log(`installing ${install.packages.join(', ')} (first use)`);
  const temporary = path.join(CACHE, temporaryName());
  try {
    await mkdir(temporary);
    await writeFile(path.join(temporary, 'package.json'), '{ "private": true }\n');
    await npmInstall(temporary, [...(install.flags ?? []), ...install.packages]);
    await install.prepare?.(temporary);
    await writeFile(path.join(temporary, MARKER), markerText(install.packages));
    await publish(temporary, target, install.packages);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
  return target;
}

/** Runs `npm install` in a folder, quietly; what it printed is in the error when it fails. */
export function npmInstall(folder: string, args: string[]): Promise<void> {
  const all = ['install', '--prefix', folder, ...NPM_FLAGS, ...args];
  return run(npmCommand(all), folder);
}

interface NpmCommand {
  file: string;
  args: string[];
  shell: boolean;
}

/** Under `npm run` the npm that runs us is known; otherwise the one on the path is taken. */
function npmCommand(args: string[]): NpmCommand {
  const cli = process.env['npm_execpath'];
  if (cli?.endsWith('npm-cli.js')) {
    return { file: process.execPath, args: [cli, ...args], shell: false };
  }
  if (process.platform === 'win32') {
    // Node refuses to start .cmd files without a shell, and the shell splits at spaces.
    return { file: 'npm.cmd', args: args.map((arg) => `"${arg}"`), shell: true };
  }
  return { file: 'npm', args, shell: false };
}

function run(command: NpmCommand, cwd: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command.file, command.args, {
      cwd,
      shell: command.shell,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: NPM_TIMEOUT_MS,
    });
    const output: string[] = [];
    child.stdout.on('data', (data: Buffer) => output.push(data.toString()));
    child.stderr.on('data', (data: Buffer) => output.push(data.toString()));
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (code === 0) {
        resolve();
      } else {
        reject(
          new Error(`npm install failed (${signal ?? code}) in ${cwd}\n${output.join('').trim()}`),
        );
      }
    });
  });
}

function markerText(packages: string[]): string {
  return JSON.stringify({ packages });
}

async function isComplete(target: string, packages: string[]): Promise<boolean> {
  try {
    return (await readFile(path.join(target, MARKER), 'utf8')) === markerText(packages);
  } catch {
    // Absent or unreadable means: install it again.
    return false;
  }
}

async function publish(temporary: string, target: string, packages: string[]): Promise<void> {
  try {
    await rename(temporary, target);
  } catch (error) {
    if (await isComplete(target, packages)) {
      return; // Another process was faster; the caller throws ours away.
    }
    // An older set of packages is in the way. Moved aside first: removing takes a while.
    const old = path.join(CACHE, temporaryName());
    await rename(target, old).catch(() => {
      throw error;
    });
    await rename(temporary, target);
    await rm(old, { recursive: true, force: true });
  }
}

/** Common prefix of the paths of unfinished installs of this process. */
export function unfinishedInstalls(): string {
  return path.join(CACHE, `.installing-${process.pid}-`);
}

function temporaryName(): string {
  return `${path.basename(unfinishedInstalls())}${randomBytes(4).toString('hex')}`;
}

/** Removes what interrupted installs of processes that are gone left behind. */
async function removeAbandoned(): Promise<void> {
  for (const name of await readdir(CACHE)) {
    const owner = /^\.installing-(\d+)-/.exec(name)?.[1];
    if (owner !== undefined && !isAlive(Number(owner))) {
      await rm(path.join(CACHE, name), { recursive: true, force: true });
    }
  }
}
