import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import type { Cleanup } from '../../scripts/host/cleanup';
import { logFiles } from '../../scripts/host/evidence';
import type { RunningServer } from '../../scripts/host/vscodeServer';
import { startWindowsServer } from '../../scripts/windows/windowsServer';
import { ensureWindowsServerBuild } from '../../scripts/windows/windowsServerBuild';
import { Windows } from '../../scripts/windows/wine';
import { copyForPackaging, packExtension } from './packExtension';
import { testBrowser, type PeerWindow } from './peerWindows';
import { Workbench } from './workbench';

const WORKSPACE = 'C:\\ws';

export interface WindowsWindowOptions {
  /** Display name of its user. */
  readonly name: string;
  readonly invite: string;
  /** Files of the workspace at the start, by relative path. */
  readonly files: Readonly<Record<string, string | Uint8Array>>;
}

/**
 * A window on `C:\ws` of a user of Windows who has the packed extension; `workspace` is the path of that
 * folder on this computer.
 */
export async function openWindowsWindow(
  cleanup: Cleanup,
  { name, invite, files }: WindowsWindowOptions,
): Promise<PeerWindow> {
  const build = await ensureWindowsServerBuild(report);
  const windows = await Windows.start(cleanup, report);
  const onC = (...parts: string[]): string => path.join(windows.driveC, ...parts);
  const workspace = onC('ws');
  for (const [file, content] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(workspace, file)), { recursive: true });
    writeFileSync(path.join(workspace, file), content);
  }
  writeFileSync(onC('invite.txt'), `${invite}\n`);
  // On this drive they are also gone when the run is interrupted.
  const [repository, vsix] = [onC('repository'), onC('peershelf.vsix')];
  await copyForPackaging(repository);
  await packExtension(repository, vsix);
  const server = await startWindowsServer({
    ...{ windows, build, vsix },
    dataDir: onC('data'),
    userSettings: {
      'security.workspace.trust.enabled': false,
      'peershelf.displayName': name,
    },
    machineSettings: {
      'peershelf.port': '0',
      'peershelf.trackerPort': 0,
      'peershelf.inviteFile': 'C:\\invite.txt',
    },
    // Other sessions in the network are no part of a test.
    env: { PEERSHELF_LAN_PORT: '0' },
  });
  cleanup.add(() => server.stop());
  cleanup.add(() => testBrowser.close());
  const { context } = await testBrowser.take();
  const workbench = await Workbench.create(context, server);
  const window = { name, workspace, server, workbench };
  try {
    await workbench.goto(server.url(WORKSPACE));
  } catch (error) {
    await workbench.keepEvidence('opening a window in Windows');
    throw error;
  }
  return window;
}

/** Names of the files that the extension has stored, those of the window and those that all windows share. */
export function storedFiles({ dataDir }: RunningServer): string[] {
  const folder = path.join(dataDir, 'data', 'User', 'globalStorage', 'peershelf.peershelf');
  return readdirSync(folder, { recursive: true, encoding: 'utf8' });
}

/** Log of the extension so far. */
export async function extensionLog(server: RunningServer): Promise<string> {
  const files = (await logFiles(server)).filter((file) => path.basename(file) === 'Peershelf.log');
  return files.map((file) => readFileSync(file, 'utf8')).join('\n');
}

function report(line: string): void {
  console.log(line);
}
