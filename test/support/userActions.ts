import { changeMachineSettings } from '../../scripts/host/vscodeServer';
import type { PeerWindow } from './peerWindows';
import type { Workbench } from './workbench';

/**
 * So slow that a large file is under way until the test lets it through, however slow the machine is: it takes
 * a minute for each 60 MB.
 */
export const HELD_BACK = {
  'peershelf.maxUploadMegabytesPerSecond': 1,
  'peershelf.maxDownloadMegabytesPerSecond': 1,
};

/** Lets what was held back come at full speed. */
export async function letThrough(...windows: readonly PeerWindow[]): Promise<void> {
  for (const { server } of windows)
    await changeMachineSettings(server, {
      'peershelf.maxUploadMegabytesPerSecond': 0,
      'peershelf.maxDownloadMegabytesPerSecond': 0,
    });
}

/** Holds back again. */
export async function holdBack(...windows: readonly PeerWindow[]): Promise<void> {
  for (const { server } of windows) await changeMachineSettings(server, HELD_BACK);
}

/** Right-clicks files in the explorer to publish them. What is asked or told then is left to the test. */
export async function publish(workbench: Workbench, ...names: string[]): Promise<void> {
  await workbench.openView('Explorer');
  await workbench.explorer.contextMenu(names, 'Publish to Network');
}

/** Opens the search of the palette, and looks for something. */
export async function searchNetwork(workbench: Workbench, text: string): Promise<void> {
  await workbench.runCommand('Peershelf: Fetch from Network…');
  await workbench.quickPick.opened({ title: /Fetch from Network/u });
  await workbench.quickPick.type(text);
}

/**
 * Chooses a file in the search of the palette. Nothing is in the way there, while a view that has just
 * appeared is drawn again, and forgets its rows.
 */
export async function fetchByPalette(workbench: Workbench, name: string): Promise<void> {
  await searchNetwork(workbench, name);
  await workbench.quickPick.choose(name);
}

/** Changes a setting of the user, by the fixture extension. */
export async function changeSetting(
  workbench: Workbench,
  setting: string,
  value: unknown,
): Promise<void> {
  await workbench.runCommand('Fixture: Change Setting');
  await workbench.inputBox.opened({ title: 'Setting' });
  await workbench.inputBox.answer(`${setting} ${JSON.stringify(value)}`);
  await workbench.notifications.shown(/Set: /u);
  await workbench.notifications.clear();
}
