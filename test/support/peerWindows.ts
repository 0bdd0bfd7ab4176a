import { mkdir, writeFile } from 'node:fs/promises';
import * as path from 'node:path';
import type { Browser } from 'playwright-core';
import { launchBrowser } from '../../scripts/host/browser';
import { Cleanup } from '../../scripts/host/cleanup';
import { homeEnvironment } from '../../scripts/host/homeEnvironment';
import { FAILURES, REPOSITORY } from '../../scripts/host/paths';
import {
  ensureServerBuild,
  SERVER_VERSIONS,
  type BuildName,
  type ServerBuild,
} from '../../scripts/host/serverBuild';
import { BUILD_VARIABLE } from '../../scripts/host/testReport';
import {
  startVsCodeServer,
  type RunningServer,
  type Settings,
  type VsCodeServerOptions,
} from '../../scripts/host/vscodeServer';
import { buildLanguagePack } from './languagePack';
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

export interface PeerOptions {
  /** `given` unless said otherwise. */
  trust?: keyof typeof TRUST_SETTINGS;
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
  /** The workspace to open instead of a new temporary folder; it is not removed. */
  workspace?: string;
}

export interface WindowsOptions {
  /** Taken from the environment of the test run unless given. */
  build?: BuildName;
  /** A packed extension to install; without it the one built in the repository is linked. */
  vsix?: string;
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
  readonly all: PeerWindow[] = [];

  private constructor(
    private readonly build: ServerBuild,
    private readonly browser: Browser,
    private readonly options: WindowsOptions,
    private readonly cleanup: Cleanup,
  ) {}

  /** Gets hold of a server build and a browser; users are added afterwards. */
  static async start(options: WindowsOptions = {}): Promise<PeerWindows> {
    const build = await ensureServerBuild(SERVER_VERSIONS[options.build ?? currentBuild()], report);
    const cleanup = new Cleanup();
    const browser = await launchBrowser(report);
    cleanup.add(() => browser.close());
    return new PeerWindows(build, browser, options, cleanup);
  }

  /** Starts a server for one more user and opens a window. */
  async add(name: string, options: PeerOptions = {}): Promise<PeerWindow> {
    const folder = await this.cleanup.temporaryFolder(`peershelf-${name.toLowerCase()}-`);
    const workspace = options.workspace ?? path.join(folder, 'workspace');
    if (options.workspace === undefined) await writeFiles(workspace, options.files ?? {});
    const packs: string[] = [];
    if (options.locale !== undefined) {
      packs.push(path.join(folder, 'language-pack'));
      await buildLanguagePack(path.join(folder, 'language-pack'), options.locale);
    }
    const server = await startVsCodeServer(this.serverOptions(folder, options, packs));
    this.cleanup.add(() => server.stop());
    const workbench = await Workbench.open(this.browser, server, { folder: workspace });
    const peer = { name, workspace, server, workbench };
    this.all.push(peer);
    return peer;
  }

  /** One more window of a user, on the same or another folder, with the same storage. */
  async addWindow(peer: PeerWindow, folder: string = peer.workspace): Promise<Workbench> {
    const context = peer.workbench.page.context();
    return Workbench.open(this.browser, peer.server, { folder, context });
  }

  /** Keeps pictures and consoles of all windows; for `afterEach` of a test that failed. */
  async keepEvidence(title: string): Promise<void> {
    for (const { name, workbench } of this.all) {
      const base = path.join(FAILURES, `${title}-${name}`.replace(/[^\w.-]+/g, '_'));
      await workbench.screenshot(`${base}.png`);
      await writeFile(`${base}.log`, workbench.consoleLines.join('\n'));
    }
  }

  /** Closes windows, servers and browser and removes the temporary folders. */
  async close(): Promise<void> {
    await this.cleanup.run();
  }

  private serverOptions(
    folder: string,
    options: PeerOptions,
    packs: readonly string[],
  ): VsCodeServerOptions {
    const { vsix } = this.options;
    const { trust = 'given', locale, host, linked = [] } = options;
    return {
      build: this.build,
      dataDir: path.join(folder, 'data'),
      // What others in the network do is not part of a test.
      env: { ...homeEnvironment(folder), PEERSHELF_LAN_PORT: '0', ...options.env },
      userSettings: { ...TRUST_SETTINGS[trust], ...options.userSettings },
      linked: [...(vsix === undefined ? [REPOSITORY] : []), ...linked, ...packs],
      log: report,
      ...(vsix === undefined ? {} : { vsix: [vsix] }),
      ...(options.machineSettings === undefined
        ? {}
        : { machineSettings: options.machineSettings }),
      ...(locale === undefined ? {} : { locale }),
      ...(host === undefined ? {} : { host }),
    };
  }
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
