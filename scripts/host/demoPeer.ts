import { spawnSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import * as path from 'node:path';
import type { Cleanup } from './cleanup';
import type { DemoSession } from './demoTracker';
import { spawnOwned } from './ownedProcess';
import { REPOSITORY, type Log } from './paths';
import { ensureServerBuild, SERVER_VERSIONS, type BuildName } from './serverBuild';
import { QUIET_SETTINGS, startVsCodeServer, type Settings } from './vscodeServer';

const LARGE_FILE_BYTES = 64 * 1024 * 1024;

export interface PeerStart {
  name: string;
  /** Temporary folder of this start; each user gets a part of it. */
  root: string;
  /** Workspace to open instead of a demonstration one. */
  folder: string | undefined;
  session: DemoSession;
  desktop: boolean;
  /** Show the window in the default browser. */
  open: boolean;
  build: BuildName;
  cleanup: Cleanup;
  log: Log;
}

/** Opens VS Code for one user and resolves with where it is to be found. */
export async function openPeer(start: PeerStart): Promise<string> {
  const workspace =
    start.folder === undefined ? await demoWorkspace(start) : path.resolve(start.folder);
  return start.desktop ? openDesktop(start, workspace) : openServer(start, workspace);
}

function userSettings(start: PeerStart): Settings {
  return {
    'security.workspace.trust.enabled': false,
    'peershelf.displayName': start.name,
  };
}

/** With either setting a window that belongs to no session joins this one when it opens. */
function machineSettings({ session }: PeerStart): Settings {
  const { address, inviteFile } = session;
  return inviteFile === undefined
    ? { 'peershelf.tracker': address }
    : { 'peershelf.inviteFile': inviteFile };
}

async function openServer(start: PeerStart, workspace: string): Promise<string> {
  const build = await ensureServerBuild(SERVER_VERSIONS[start.build], start.log);
  const server = await startVsCodeServer({
    build,
    dataDir: path.join(start.root, start.name),
    linked: [REPOSITORY],
    userSettings: userSettings(start),
    machineSettings: machineSettings(start),
    log: start.log,
  });
  start.cleanup.add(() => server.stop());
  const address = server.url(workspace);
  if (start.open) {
    openInBrowser(address);
  }
  return address;
}

/** Desktop VS Code keeps settings of both scopes in one file. */
async function openDesktop(start: PeerStart, workspace: string): Promise<string> {
  const data = path.join(start.root, start.name);
  const settings = { ...QUIET_SETTINGS, ...userSettings(start), ...machineSettings(start) };
  await mkdir(path.join(data, 'User'), { recursive: true });
  await writeFile(path.join(data, 'User', 'settings.json'), JSON.stringify(settings));
  const code = process.env['PEERSHELF_CODE'] ?? 'code';
  const args = [
    '--wait',
    '--new-window',
    `--extensionDevelopmentPath=${REPOSITORY}`,
    `--user-data-dir=${data}`,
    `--extensions-dir=${path.join(data, 'extensions')}`,
    workspace,
  ];
  const windows = process.platform === 'win32';
  const { child, stop } = spawnOwned(
    windows ? `"${code}"` : code,
    windows ? args.map((arg) => `"${arg}"`) : args,
    { shell: windows, stdio: 'ignore' },
  );
  start.cleanup.add(stop);
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', () =>
      reject(new Error(`"${code}" does not start; set PEERSHELF_CODE to the VS Code program`)),
    );
  });
  return `desktop window on ${workspace}`;
}

function openInBrowser(address: string): void {
  const opener = process.platform === 'darwin' ? 'open' : 'xdg-open';
  const command =
    process.platform === 'win32'
      ? { file: 'rundll32', args: ['url.dll,FileProtocolHandler', address] }
      : { file: opener, args: [address] };
  // Without such a program the printed address remains.
  spawnSync(command.file, command.args, { stdio: 'ignore' });
}

async function demoWorkspace({ name, root }: PeerStart): Promise<string> {
  const workspace = path.join(root, `${name.toLowerCase()}-workspace`);
  await mkdir(path.join(workspace, 'reports'), { recursive: true });
  const files: Readonly<Record<string, string | Uint8Array>> = {
    'README.md': `# Workspace of ${name}\n\nPublish a file from the menu of the explorer.\n`,
    'notes.txt': `Notes of ${name}\n`,
    'reports/figures.csv': 'month,amount\nJanuary,12\nFebruary,17\n',
    'large.bin': new Uint8Array(LARGE_FILE_BYTES).fill(name.charCodeAt(0)),
  };
  for (const [file, content] of Object.entries(files)) {
    await writeFile(path.join(workspace, file), content);
  }
  return workspace;
}
