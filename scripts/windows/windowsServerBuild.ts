import { mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import * as path from 'node:path';
import { installOnce } from '../host/npmInstall';
import type { Log } from '../host/paths';
import { ensureServerBuild, SERVER_VERSIONS, type ServerBuild } from '../host/serverBuild';

/** The newest build needs a Node that does not start under Wine 8. */
const VERSION = SERVER_VERSIONS.oldest;

/** Folder watcher of this build, for Windows; its version is that of the `@parcel/watcher` beside it. */
const WATCHER = '@parcel/watcher-win32-x64';
const WATCHER_VERSION = '2.5.1';

/**
 * Native module of the server that the package for Linux lacks for Windows, and a stand-in for it: no value
 * is found, so that the server takes its defaults.
 */
const REGISTRY = '@vscode/windows-registry';
const REGISTRY_STAND_IN = `'use strict';
exports.GetStringRegKey = () => undefined;
exports.GetDWORDRegKey = () => undefined;
`;

/** A VS Code server for a Windows Node; `main` is a path on this computer. */
export type WindowsServerBuild = Omit<ServerBuild, 'node'>;

/**
 * Makes the oldest supported VS Code server ready for Windows on first use. It consists of links into
 * the build for this system, which Windows programs see as plain files and folders, and of the modules
 * that differ.
 */
export async function ensureWindowsServerBuild(log: Log): Promise<WindowsServerBuild> {
  const { main: linuxMain, version, vscodeVersion } = await ensureServerBuild(VERSION, log);
  const source = path.resolve(linuxMain, '../..');
  const folder = await installOnce({
    name: `vscode-server-${VERSION}-under-wine`,
    packages: [`${WATCHER}@${WATCHER_VERSION}`],
    // The package is for Windows only, and says so.
    flags: ['--force'],
    prepare: (temporary) => assemble(source, temporary),
    log,
  });
  const main = path.join(folder, 'server', path.relative(source, linuxMain));
  return { version, vscodeVersion, main };
}

async function assemble(source: string, folder: string): Promise<void> {
  const server = path.join(folder, 'server');
  const modules = path.join(server, 'node_modules');
  const scopes = new Set([WATCHER, REGISTRY].map((name) => path.dirname(name)));
  await linkEntries(source, server, new Set(['node_modules']));
  await linkEntries(path.join(source, 'node_modules'), modules, scopes);
  for (const scope of scopes)
    await linkEntries(path.join(source, 'node_modules', scope), path.join(modules, scope));
  await placeWatcher(folder, modules);
  await placeRegistry(path.join(modules, REGISTRY));
}

async function placeWatcher(folder: string, modules: string): Promise<void> {
  const manifest = await readFile(path.join(modules, '@parcel/watcher/package.json'), 'utf8');
  const { version } = JSON.parse(manifest) as { version: string };
  if (version !== WATCHER_VERSION)
    throw new Error(`the server has @parcel/watcher ${version}, not ${WATCHER_VERSION}`);
  await link(path.join(folder, 'node_modules', WATCHER), path.join(modules, WATCHER));
}

async function placeRegistry(folder: string): Promise<void> {
  await rm(folder, { force: true });
  await mkdir(folder);
  await writeFile(path.join(folder, 'package.json'), '{ "main": "index.js" }\n');
  await writeFile(path.join(folder, 'index.js'), REGISTRY_STAND_IN);
}

/** Makes `to` a folder with a link to each entry of `from`. */
async function linkEntries(
  from: string,
  to: string,
  leaveOut: ReadonlySet<string> = new Set(),
): Promise<void> {
  await mkdir(to, { recursive: true });
  for (const name of await readdir(from))
    if (!leaveOut.has(name)) await link(path.join(from, name), path.join(to, name));
}

/** Links are relative, so that the cache can be moved. */
async function link(target: string, file: string): Promise<void> {
  await symlink(path.relative(path.dirname(file), target), file);
}
