import { existsSync } from 'node:fs';
import * as path from 'node:path';
import {
  chromium,
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  type LaunchOptions,
} from 'playwright-core';
import { ensureBundledChromium, hasBundledChromium } from './bundledChromium';
import type { Log } from './paths';

/** Names a browser to use instead of the one that would be found. */
const BROWSER_VARIABLE = 'PEERSHELF_BROWSER';

/** A page full of editor must not talk to anything but its server. */
const FLAGS = [
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

const UNIX_NAMES = [
  // Without a browser's own windows: a quarter less work for each of the editor's.
  'chromium-headless-shell',
  'google-chrome',
  'google-chrome-stable',
  'chromium',
  'chromium-browser',
  'microsoft-edge',
  'microsoft-edge-stable',
];

/** Path of a Chromium-like browser: named by the user, installed, or fetched on first use. */
export async function ensureBrowser(log: Log): Promise<string> {
  const named = process.env[BROWSER_VARIABLE];
  if (named !== undefined && named !== '') {
    if (!existsSync(named)) {
      throw new Error(`${BROWSER_VARIABLE} names ${named}, which does not exist`);
    }
    return named;
  }
  const installed = candidates().find((file) => existsSync(file));
  if (installed !== undefined) {
    return installed;
  }
  if (hasBundledChromium()) {
    return ensureBundledChromium(log);
  }
  throw new Error(
    `no Chrome, Chromium or Edge was found; install one, or set ${BROWSER_VARIABLE} to its path`,
  );
}

/** Starts a headless browser; options of the caller win. */
export async function launchBrowser(log: Log, options: LaunchOptions = {}): Promise<Browser> {
  const executablePath = options.executablePath ?? (await ensureBrowser(log));
  const args = [...FLAGS, ...rootFlags(), ...(options.args ?? [])];
  return started(executablePath, chromium.launch({ ...options, executablePath, args }));
}

/** Starts a headless browser whose profile, caches included, lies in a folder. */
export async function launchProfile(
  folder: string,
  log: Log,
  options: BrowserContextOptions,
): Promise<BrowserContext> {
  const executablePath = await ensureBrowser(log);
  const args = [...FLAGS, ...rootFlags()];
  return started(
    executablePath,
    chromium.launchPersistentContext(folder, { ...options, executablePath, args }),
  );
}

async function started<T>(executablePath: string, launched: Promise<T>): Promise<T> {
  try {
    return await launched;
  } catch (error) {
    throw new Error(
      `${executablePath} does not start. If a library is missing, install it ` +
        `(Debian: apt-get install libnss3), or set ${BROWSER_VARIABLE} to another browser`,
      { cause: error },
    );
  }
}

/** The sandbox of Chromium refuses to run as root, which is what containers do. */
function rootFlags(): string[] {
  return process.getuid?.() === 0 ? ['--no-sandbox'] : [];
}

function candidates(): string[] {
  if (process.platform === 'win32') {
    return windowsFolders().flatMap((folder) => [
      path.join(folder, 'Google', 'Chrome', 'Application', 'chrome.exe'),
      path.join(folder, 'Microsoft', 'Edge', 'Application', 'msedge.exe'),
      path.join(folder, 'Chromium', 'Application', 'chrome.exe'),
    ]);
  }
  if (process.platform === 'darwin') {
    return ['Google Chrome', 'Chromium', 'Microsoft Edge'].map((name) =>
      path.join('/Applications', `${name}.app`, 'Contents', 'MacOS', name),
    );
  }
  return pathFolders().flatMap((folder) => UNIX_NAMES.map((name) => path.join(folder, name)));
}

function windowsFolders(): string[] {
  return ['ProgramFiles', 'ProgramFiles(x86)', 'LOCALAPPDATA'].flatMap(
    (variable) => process.env[variable] ?? [],
  );
}

function pathFolders(): string[] {
  return (process.env['PATH'] ?? '').split(path.delimiter).filter((folder) => folder !== '');
}
