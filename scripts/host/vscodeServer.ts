import { execFile, type ChildProcess } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdir, readFile, symlink } from 'node:fs/promises';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { linkExtensions, writeJson } from './linkedExtensions';
import { exitWithParent, spawnOwned, type OwnedProcess } from './ownedProcess';
import type { Log } from './paths';
import type { ServerBuild } from './serverBuild';
import { uriPath } from './uriPath';

const START_TIMEOUT_MS = 60_000;
const KEPT_OUTPUT = 4_000;

/** What would only disturb: update checks, greetings and network traffic of the editor itself. */
export const QUIET_SETTINGS: Settings = {
  'chat.disableAIFeatures': true,
  'extensions.autoCheckUpdates': false,
  'extensions.autoUpdate': false,
  'extensions.ignoreRecommendations': true,
  'git.openRepositoryInParentFolders': 'never',
  'remote.autoForwardPorts': false,
  'telemetry.telemetryLevel': 'off',
  'typescript.disableAutomaticTypeAcquisition': true,
  'workbench.enableExperiments': false,
  'workbench.reduceMotion': 'on',
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'workbench.startupEditor': 'none',
  'workbench.tips.enabled': false,
};

export type Settings = Readonly<Record<string, unknown>>;

export interface VsCodeServerOptions {
  build: ServerBuild;
  /** Holds settings, installed extensions and logs; survives a restart on the same folder. */
  dataDir: string;
  /** Address to listen on. Loopback is exempt from proxy settings, other addresses are not. */
  host?: string;
  /** 0, the default, takes a free one. */
  port?: number;
  /** Display language; takes effect when a language pack for it is among `linked`. */
  locale?: string;
  /** Packed extensions to install before the start, as a user would. */
  vsix?: readonly string[];
  /** Folders of built extensions that count as installed without being packed. */
  linked?: readonly string[];
  /** Names of the only extensions of the editor itself to have; all of them unless given. */
  builtin?: readonly string[];
  /**
   * Lets windows run extensions from source and tests inside the extension host.
   * Windows of such a server differ from those of a user: nobody is asked for trust, the newest
   * build draws no notifications, and dialogs are refused while tests run.
   */
  development?: boolean;
  /** Environment of the server and so of its extension hosts; `undefined` removes a variable. */
  env?: Readonly<Record<string, string | undefined>>;
  /** User settings: those of scope `application`, `window` and `resource`. */
  userSettings?: Settings;
  /** Settings of the machine that the server runs on: those of scope `machine`. */
  machineSettings?: Settings;
  log: Log;
}

export interface WindowOptions {
  /** Folders of extensions to run from source; needs a server in development mode. */
  extensions?: readonly string[];
  /** Script whose exported `run()` is called inside the extension host. */
  testsPath?: string;
  /** Further pairs for the workbench. */
  payload?: readonly (readonly [string, string])[];
}

export interface RunningServer {
  readonly build: ServerBuild;
  readonly dataDir: string;
  readonly host: string;
  readonly port: number;
  /** File with everything the server printed. */
  readonly logFile: string;
  /** Address of a window on a folder, a `.code-workspace` file, or nothing. */
  url(folder: string | undefined, options?: WindowOptions): string;
  /** Ends the server and everything it started. Idempotent. */
  stop(): Promise<void>;
}

/** Starts a VS Code server and resolves when windows can be opened on it. */
export async function startVsCodeServer(options: VsCodeServerOptions): Promise<RunningServer> {
  const { build, dataDir, host = '127.0.0.1' } = options;
  await writeSettings(options);
  if (options.linked !== undefined) {
    await linkExtensions(dataDir, options.linked);
  }
  if (options.builtin !== undefined) {
    await linkBuiltinExtensions(build, builtinFolder(dataDir), options.builtin);
  }
  for (const vsix of options.vsix ?? []) {
    await installExtension(options, vsix);
  }
  const logFile = path.join(dataDir, 'server.log');
  const { child, stop } = spawnServer(options, host);
  try {
    const port = await waitUntilListening(child, logFile);
    const url = windowAddress.bind(undefined, `${host}:${port}`);
    return { build, dataDir, host, port, logFile, url, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Installs a packed extension for a data folder, the way `code --install-extension` does. */
export async function installExtension(
  options: Pick<VsCodeServerOptions, 'build' | 'dataDir' | 'log'>,
  vsix: string,
): Promise<void> {
  const { build, dataDir, log } = options;
  log(`installing ${path.basename(vsix)}`);
  const args = [build.main, '--install-extension', vsix, '--force', '--server-data-dir', dataDir];
  await promisify(execFile)(build.node, args, { timeout: START_TIMEOUT_MS });
}

/** Where extensions of the editor itself are, when not all of them are wanted. */
function builtinFolder(dataDir: string): string {
  return path.join(dataDir, 'builtin');
}

/** Fills a folder with some of the editor's own extensions. */
export async function linkBuiltinExtensions(
  build: Pick<ServerBuild, 'main'>,
  folder: string,
  names: readonly string[],
): Promise<void> {
  const all = path.join(path.dirname(build.main), '..', 'extensions');
  await mkdir(folder, { recursive: true });
  for (const name of names)
    await symlink(path.join(all, name), path.join(folder, name), 'junction');
}

function spawnServer(options: VsCodeServerOptions, host: string): OwnedProcess {
  const { build, dataDir, port = 0, locale, builtin, env } = options;
  const args = ['--host', host, '--port', String(port), '--server-data-dir', dataDir];
  args.push('--without-connection-token', '--accept-server-license-terms');
  args.push('--telemetry-level', 'off');
  if (builtin !== undefined) {
    args.push('--builtin-extensions-dir', builtinFolder(dataDir));
  }
  if (options.development === true) {
    args.push('--enable-smoke-test-driver');
  }
  if (locale !== undefined) {
    args.push('--locale', locale);
  }
  return spawnOwned(build.node, [...exitWithParent(build.main), build.main, ...args], {
    env: serverEnvironment(env),
    stdio: ['pipe', 'pipe', 'pipe'],
  });
}

/** Variables of npm, of tsx, of an editor around us and of our own would leak into the extension host. */
function serverEnvironment(extra: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(
    ([name]) =>
      !/^(npm_|PEERSHELF_|VSCODE_|ELECTRON_|NODE_OPTIONS$|NODE_PATH$|ESBUILD_|TSX_)/.test(name),
  );
  return { ...Object.fromEntries(inherited), ...extra };
}

/** Writes the settings of a server's data folder. */
export async function writeSettings(
  options: Pick<VsCodeServerOptions, 'dataDir' | 'userSettings' | 'machineSettings'>,
): Promise<void> {
  const { dataDir, userSettings, machineSettings } = options;
  await writeJson(path.join(dataDir, 'data', 'User', 'settings.json'), {
    ...QUIET_SETTINGS,
    ...userSettings,
  });
  await writeJson(machineSettingsFile(dataDir), machineSettings ?? {});
}

/** Changes settings of the machine that a server runs on; its windows take them over at once. */
export async function changeMachineSettings(
  { dataDir }: Pick<RunningServer, 'dataDir'>,
  changes: Settings,
): Promise<void> {
  const file = machineSettingsFile(dataDir);
  const settings = JSON.parse(await readFile(file, 'utf8')) as Settings;
  await writeJson(file, { ...settings, ...changes });
}

function machineSettingsFile(dataDir: string): string {
  return path.join(dataDir, 'data', 'Machine', 'settings.json');
}

/** Resolves with the port once the server says that it listens. */
function waitUntilListening(child: ChildProcess, logFile: string): Promise<number> {
  const file = createWriteStream(logFile, { flags: 'a' });
  let output = '';
  return new Promise((resolve, reject) => {
    const fail = (reason: string): void => {
      reject(new Error(`VS Code server: ${reason}\n${output.trim()}`));
    };
    const timer = setTimeout(
      () => fail(`not listening after ${START_TIMEOUT_MS} ms`),
      START_TIMEOUT_MS,
    );
    const read = (data: Buffer): void => {
      file.write(data);
      output = (output + data.toString()).slice(-KEPT_OUTPUT);
      const port = /Extension host agent listening on (\d+)/.exec(output)?.[1];
      if (port !== undefined) {
        clearTimeout(timer);
        resolve(Number(port));
      }
    };
    child.stdout?.on('data', read);
    child.stderr?.on('data', read);
    child.on('error', (error) => fail(error.message));
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      file.end();
      fail(`ended with ${signal ?? code}`);
    });
  });
}

/** Address of a window of the server at `authority`: see `RunningServer.url`. */
export function windowAddress(
  authority: string,
  folder: string | undefined,
  options: WindowOptions = {},
): string {
  const remote = (file: string): string =>
    `vscode-remote://${authority}${encodeURI(uriPath(file))}`;
  const payload: (readonly [string, string])[] = [
    ...(options.extensions ?? []).map(
      (extension) => ['extensionDevelopmentPath', remote(extension)] as const,
    ),
    ...(options.testsPath === undefined
      ? []
      : [['extensionTestsPath', remote(options.testsPath)] as const]),
    ...(options.payload ?? []),
  ];
  const query = new URLSearchParams(target(folder));
  if (payload.length > 0) {
    query.set('payload', JSON.stringify(payload));
  }
  return `http://${authority}/?${query.toString()}`;
}

function target(folder: string | undefined): Record<string, string> {
  if (folder === undefined) {
    return { ew: 'true' };
  }
  const kind = folder.endsWith('.code-workspace') ? 'workspace' : 'folder';
  return { [kind]: uriPath(folder) };
}
