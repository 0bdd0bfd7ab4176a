import { join } from 'node:path';
import { PeerWindows } from '../test/support/peerWindows';
import type { Workbench } from '../test/support/workbench';
import type { BenchContext } from './harness';
import { buildProbe, ProbeClient } from './probeClient';
import { PROBE_VARIABLE } from './probeProtocol';

const JOIN = 'Join Team Session';

/** A window that is in no session, and an extension beside ours that measures their host. */
export interface JoiningWindow {
  readonly workbench: Workbench;
  readonly probe: ProbeClient;
  readonly vscodeVersion: string;
}

/** Opens a window that shows our views and is in no session. */
export async function openJoiningWindow(context: BenchContext): Promise<JoiningWindow> {
  const { cleanup, folder } = context;
  const socket = join(folder, 'probe.socket');
  const windows = new PeerWindows();
  cleanup.add(() => windows.close());
  const { workbench, server } = await windows.add('Alice', {
    files: { 'a.txt': 'a' },
    linked: [await buildProbe(join(folder, 'probe'))],
    env: { [PROBE_VARIABLE]: socket },
  });
  await workbench.openView('Peershelf');
  await workbench.view('Network Files').welcomed(/Start a session on this computer/u);
  const probe = await ProbeClient.connect(socket);
  cleanup.add(() => probe.close());
  return { workbench, probe, vscodeVersion: server.build.vscodeVersion };
}

/** Opens the question for an invite and pastes one; `inputBox.accept` is what joins. */
export async function pasteInvite({ workbench }: JoiningWindow, invite: string): Promise<void> {
  await workbench.runCommand(`Peershelf: ${JOIN}…`);
  await workbench.inputBox.opened({ title: JOIN });
  await workbench.inputBox.type(invite);
}

/** Leaves the session, so that it can be joined again. */
export async function leave({ workbench }: JoiningWindow): Promise<void> {
  await workbench.runCommand('Peershelf: Leave Team Session');
  await workbench.view('Network Files').welcomed(/Start a session on this computer/u);
  await workbench.notifications.clear();
}
