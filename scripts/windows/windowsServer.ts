import { readFile } from 'node:fs/promises';
import * as path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import {
  linkBuiltinExtensions,
  type RunningServer,
  type Settings,
  windowAddress,
  writeSettings,
} from '../host/vscodeServer';
import type { WindowsServerBuild } from './windowsServerBuild';
import type { Windows, WindowsProcess } from './wine';

const START_TIMEOUT_MS = 120_000;
const INSTALL_TIMEOUT_MS = 120_000;
const POLL_MS = 50;
/** The editor's own extensions that the windows have: reading all of them takes long under Wine. */
const BUILTIN = ['theme-defaults', 'theme-seti'];
const LOOPBACK = '127.0.0.1';

export interface WindowsServerOptions {
  readonly windows: Windows;
  readonly build: WindowsServerBuild;
  /** Path on this computer of the folder for settings, installed extensions and logs. */
  readonly dataDir: string;
  /** Path on this computer of the packed extension to install before the start. */
  readonly vsix: string;
  readonly userSettings: Settings;
  readonly machineSettings: Settings;
  /** Environment of the server and so of its extension hosts. */
  readonly env: Readonly<Record<string, string>>;
}

/**
 * Starts a VS Code server in Windows and resolves when windows can be opened on it, as pages of a
 * browser of this computer.
 */
export async function startWindowsServer(options: WindowsServerOptions): Promise<RunningServer> {
  const { windows, dataDir, vsix } = options;
  const build = { ...options.build, node: windows.node };
  const builtin = path.join(dataDir, 'builtin');
  await writeSettings(options);
  await linkBuiltinExtensions(build, builtin, BUILTIN);
  const logFile = path.join(dataDir, 'server.log');
  const installing = startMain(options, logFile, [
    ...['--install-extension', windows.path(vsix), '--force'],
  ]);
  await ended(installing, logFile);
  const server = startMain(options, logFile, [
    ...['--builtin-extensions-dir', windows.path(builtin)],
    ...['--host', LOOPBACK, '--port', '0', '--telemetry-level', 'off'],
    ...['--without-connection-token', '--accept-server-license-terms'],
  ]);
  try {
    const port = await listening(server, logFile);
    const url = windowAddress.bind(undefined, `${LOOPBACK}:${port}`);
    return { build, dataDir, host: LOOPBACK, port, logFile, url, stop: server.stop };
  } catch (error) {
    await server.stop();
    throw error;
  }
}

function startMain(
  { windows, build, dataDir, env }: WindowsServerOptions,
  outputFile: string,
  args: readonly string[],
): WindowsProcess {
  const data = ['--server-data-dir', windows.path(dataDir)];
  return windows.startNode({ args: [windows.path(build.main), ...data, ...args], outputFile, env });
}

/** @throws with what it printed unless the program ends well, and in time. */
async function ended(program: WindowsProcess, logFile: string): Promise<void> {
  const timer = setTimeout(() => void program.stop(), INSTALL_TIMEOUT_MS);
  const code = await program.exited.finally(() => clearTimeout(timer));
  if (code !== 0) throw await failure(`installing the extension ended with ${code}`, logFile);
}

/** Resolves to the port once the server says that it listens. */
async function listening(server: WindowsProcess, logFile: string): Promise<number> {
  let code: number | string | undefined;
  void server.exited.then(
    (exitCode) => (code = exitCode),
    (error: unknown) => (code = String(error)),
  );
  const deadlineMs = performance.now() + START_TIMEOUT_MS;
  for (;;) {
    const output = await readFile(logFile, 'utf8');
    const port = /Extension host agent listening on (\d+)/u.exec(output)?.[1];
    if (port !== undefined) return Number(port);
    if (code !== undefined) throw await failure(`ended with ${code}`, logFile);
    if (performance.now() > deadlineMs)
      throw await failure(`not listening after ${START_TIMEOUT_MS} ms`, logFile);
    await delay(POLL_MS);
  }
}

async function failure(reason: string, logFile: string): Promise<Error> {
  const output = await readFile(logFile, 'utf8').catch(() => '');
  return new Error(`VS Code server in Windows: ${reason}\n${output.trim()}`);
}
