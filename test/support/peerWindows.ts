import { mkdir, writeFile } from 'node:fs/promises';
import * as path from 'node:path';
import type { BrowserContext } from 'playwright-core';
import { Cleanup } from '../../scripts/host/cleanup';
import { homeEnvironment } from '../../scripts/host/homeEnvironment';
import { REPOSITORY } from '../../scripts/host/paths';
import { ensureServerBuild, SERVER_VERSIONS, type BuildName } from '../../scripts/host/serverBuild';
import { BUILD_VARIABLE } from '../../scripts/host/testReport';
import {
  startVsCodeServer,
  type RunningServer,
  type Settings,
  type VsCodeServerOptions,
} from '../../scripts/host/vscodeServer';
import { formatHostPort, type HostPort } from '../../src/protocol/address';
import { buildFixture } from './fixture/build';
import { buildLanguagePack } from './languagePack';
import { SharedBrowser, type Seat } from './sharedBrowser';
import { Workbench } from './workbench';

/** How a folder that was never opened before is met. */
const TRUST_SETTINGS = {
  /** Everything counts as trusted, and nobody is asked. */
  given: { 'security.workspace.trust.enabled': false },
  /** Restricted mode until `Workbench.trustFolder`. */
  restricted: { 'security.workspace.trust.startupPrompt': 'never' },
  /** A dialog asks at the start. */
  asked: { 'security.workspace.trust.startupPrompt': 'always' },
} as const;

/** So that windows and test runs side by side do not meet. */
const FREE_PORTS = { 'peershelf.port': '0', 'peershelf.trackerPort': 0 };

export interface PeerOptions {
  /** `given` unless said otherwise. */
  trust?: keyof typeof TRUST_SETTINGS;
  /** The open tracker to connect to. */
  tracker?: HostPort;
  /** Files in the workspace at the start, by relative path. */
  files?: Readonly<Record<string, string | Uint8Array>>;
  userSettings?: Settings;
  machineSettings?: Settings;
  env?: VsCodeServerOptions['env'];
  /** Display language; an empty language pack for it is made. */
  locale?: string;
  /** Address to listen on; loopback unless said otherwise. */
  host?: string;
  /** Further folders of extensions to have installed. */
  linked?: readonly string[];
  /** Has the fixture extension installed, too. */
  fixture?: boolean;
  /** A packed extension to install; without it the one built in the repository is linked. */
  vsix?: string;
  /** The workspace to open instead of a new temporary folder; it is not removed. */
  workspace?: string;
}

export interface WindowsOptions {
  /** Taken from the environment of the test run unless given. */
  build?: BuildName;
  /** Names of the only extensions of the editor itself to have; all of them unless given. */
  builtin?: readonly string[];
}

/** One user: a server with data and home of its own, a workspace, and a window on it. */
export interface PeerWindow {
  readonly name: string;
  readonly workspace: string;
  readonly server: RunningServer;
  readonly workbench: Workbench;
}

/** Several users side by side on this computer. */
export class PeerWindows {
  /** Every window, in the order of their opening; also those that are closed. */
  readonly opened: OpenedWindow[] = [];

  /** Starts nothing yet; what is started then is ended by `cleanup`. */
  constructor(
    private readonly options: WindowsOptions = {},
    private readonly cleanup: Cleanup = new Cleanup(),
  ) {}

  /** Starts a server for one more user and opens a window. */
  async add(name: string, options: PeerOptions = {}): Promise<PeerWindow> {
    const version = SERVER_VERSIONS[this.options.build ?? currentBuild()];
    const build = await ensureServerBuild(version, report);
    const { builtin } = this.options;
    const folder = await this.cleanup.temporaryFolder(`peershelf-${name.toLowerCase()}-`);
    const workspace = options.workspace ?? path.join(folder, 'workspace');
    if (options.workspace === undefined) await writeFiles(workspace, options.files ?? {});
    const linked = await extensionFolders(folder, options);
    const seat = await testBrowser.take();
    this.cleanup.add(() => testBrowser.giveBack(seat));
    const server = await startOnSeat(seat, {
      build,
      ...serverOptions(name, folder, options),
      linked,
      ...(builtin === undefined ? {} : { builtin }),
    });
    this.cleanup.add(() => server.stop());
    const workbench = await this.openWindow({ name, context: seat.context, server }, workspace);
    return { name, workspace, server, workbench };
  }

  /** Adds two users at the same time. */
  async addAliceAndBob(
    forAlice: PeerOptions = {},
    forBob: PeerOptions = {},
  ): Promise<[alice: PeerWindow, bob: PeerWindow]> {
    const added = [this.add('Alice', forAlice), this.add('Bob', forBob)] as const;
    // Both have come to an end, also when one fails: only then can everything be closed.
    await Promise.allSettled(added);
    return Promise.all(added);
  }

  /** One more window of a user, on the same or another folder, with the same storage. */
  async addWindow(peer: PeerWindow, folder: string = peer.workspace): Promise<Workbench> {
    const { name, server } = peer;
    return this.openWindow({ name, server, context: peer.workbench.page.context() }, folder);
  }

  /** Keeps what a failed test leaves to look at, of all windows. */
  async keepEvidence(title: string): Promise<void> {
    for (const [index, { name, workbench }] of this.open().entries())
      await workbench.keepEvidence(`${title}-${name}-${index + 1}`);
  }

  /** Closes the messages of all windows. */
  async clearMessages(): Promise<void> {
    for (const { workbench } of this.open()) await workbench.notifications.clear();
  }

  /** Closes windows, servers and browser and removes the temporary folders. */
  async close(): Promise<void> {
    await this.cleanup.run();
  }

  private open(): OpenedWindow[] {
    return this.opened.filter(({ workbench }) => !workbench.page.isClosed());
  }

  private async openWindow(owner: WindowOwner, folder: string): Promise<Workbench> {
    const { name, server, context } = owner;
    const workbench = await Workbench.create(context, server);
    this.cleanup.add(() => workbench.close());
    this.opened.push({ name, workbench });
    await workbench.goto(server.url(folder));
    return workbench;
  }
}

interface WindowOwner {
  readonly name: string;
  readonly server: RunningServer;
  readonly context: BrowserContext;
}

export interface OpenedWindow {
  readonly name: string;
  readonly workbench: Workbench;
}

/** The browser of this test run. */
export const testBrowser = new SharedBrowser(report);

/** Starts a server at the address of a seat, or at another one when somebody took its port meanwhile. */
async function startOnSeat(seat: Seat, options: VsCodeServerOptions): Promise<RunningServer> {
  const server = await startVsCodeServer({ ...options, port: seat.port }).catch(
    (error: unknown) => {
      if (seat.port === 0) throw error;
      return startVsCodeServer(options);
    },
  );
  seat.host = server.host;
  seat.port = server.port;
  return server;
}

function serverOptions(
  name: string,
  folder: string,
  options: PeerOptions,
): Omit<VsCodeServerOptions, 'build'> {
  const { trust = 'given', tracker, vsix, locale, host } = options;
  return {
    dataDir: path.join(folder, 'data'),
    // Other sessions in the network are no part of a test.
    env: { ...homeEnvironment(folder), PEERSHELF_LAN_PORT: '0', ...options.env },
    userSettings: {
      ...TRUST_SETTINGS[trust],
      'peershelf.displayName': name,
      ...options.userSettings,
    },
    machineSettings: {
      ...FREE_PORTS,
      ...(tracker === undefined ? {} : { 'peershelf.tracker': formatHostPort(tracker) }),
      ...options.machineSettings,
    },
    log: report,
    ...(vsix === undefined ? {} : { vsix: [vsix] }),
    ...(locale === undefined ? {} : { locale }),
    ...(host === undefined ? {} : { host }),
  };
}

/** Makes the extensions that are made for a user; gives the folders of all that are linked. */
async function extensionFolders(folder: string, options: PeerOptions): Promise<string[]> {
  const { vsix, linked = [], fixture = false, locale } = options;
  const folders = [...(vsix === undefined ? [REPOSITORY] : []), ...linked];
  if (fixture) {
    folders.push(path.join(folder, 'fixture'));
    await buildFixture(path.join(folder, 'fixture'));
  }
  if (locale !== undefined) {
    folders.push(path.join(folder, 'language-pack'));
    await buildLanguagePack(path.join(folder, 'language-pack'), locale);
  }
  return folders;
}

/** Build that this test run is about. */
export function currentBuild(): BuildName {
  return process.env[BUILD_VARIABLE] === 'oldest' ? 'oldest' : 'newest';
}

async function writeFiles(
  folder: string,
  files: Readonly<Record<string, string | Uint8Array>>,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [name, content] of Object.entries(files)) {
    const file = path.join(folder, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, content);
  }
}

function report(line: string): void {
  console.log(line);
}
