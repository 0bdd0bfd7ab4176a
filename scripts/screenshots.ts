// Makes the pictures of the README, the user guide and the walkthrough from the real workbench.
//   npm run screenshots
import { mkdir, writeFile } from 'node:fs/promises';
import * as path from 'node:path';
import { PeerWindows, testBrowser, type PeerWindow } from '../test/support/peerWindows';
import { buildExtension } from './host/builds';
import { launchBrowser } from './host/browser';
import { REPOSITORY } from './host/paths';

const WINDOW = { width: 1000, height: 640 };
const IMAGES = path.join(REPOSITORY, 'docs', 'images');
const WALKTHROUGH = path.join(REPOSITORY, 'media', 'walkthrough');
const START = 'Start Team Session (Local Tracker)';

const ALICE_FILES = {
  'notes.txt': 'What we decided on Monday\n',
  'plan.md': '# Plan\n\n1. Publish\n2. Browse\n3. Fetch\n',
  'src/server.ts': 'export const port = 8080;\n',
  'src/client.ts': 'export const retries = 3;\n',
};
const BOB_FILES = {
  'data/measurements.csv': 'time,value\n1,2\n',
  'data/model.bin': Buffer.alloc(3_400_000, 7),
  'lecture 4.md': '# Lecture 4\n\nSorting and searching.\n',
  'notes.txt': 'What Bob understood on Monday\n',
};

interface Users {
  readonly windows: PeerWindows;
  readonly alice: PeerWindow;
  readonly bob: PeerWindow;
}

async function main(): Promise<void> {
  await buildExtension();
  const windows = new PeerWindows({ build: 'newest' });
  try {
    const users = { windows, ...(await open(windows)) };
    await session(users);
    await publish(users);
    await browse(users);
    await search(users);
    await transfer(users);
  } finally {
    await windows.close();
    await testBrowser.close();
  }
}

async function open(windows: PeerWindows): Promise<Pick<Users, 'alice' | 'bob'>> {
  const add = (
    name: string,
    files: Readonly<Record<string, string | Uint8Array>>,
  ): Promise<PeerWindow> =>
    windows.add(name, {
      files,
      userSettings: { 'workbench.colorTheme': 'Light Modern' },
    });
  const alice = await add('Alice', ALICE_FILES);
  const bob = await add('Bob', BOB_FILES);
  for (const { workbench } of [alice, bob]) await workbench.page.setViewportSize(WINDOW);
  return { alice, bob };
}

/** A session is started, and the other one joins it. */
async function session({ alice, bob }: Users): Promise<void> {
  const { workbench } = alice;
  await workbench.openView('Peershelf');
  await workbench.runCommand(`Peershelf: ${START}`);
  await workbench.quickPick.opened({ title: START });
  await workbench.quickPick.choose(/Only this computer/u);
  await workbench.notifications.shown(/Alice's session runs/u);
  await picture(alice, path.join(WALKTHROUGH, 'session.png'));
  await workbench.notifications.press(/Alice's session runs/u, 'Copy Invite');
  await workbench.notifications.shown(/is on the clipboard/u);
  const invite = await workbench.clipboard();
  await workbench.notifications.clear();
  await bob.workbench.runCommand('Peershelf: Join Team Session…');
  await bob.workbench.inputBox.opened({ title: 'Join Team Session' });
  await bob.workbench.inputBox.answer(invite);
  await bob.workbench.notifications.shown(/Joined the session/u);
  await bob.workbench.notifications.clear();
}

async function publish({ alice, bob }: Users): Promise<void> {
  await publishFrom(bob, ['data', 'lecture 4.md', 'notes.txt']);
  const { workbench } = alice;
  await workbench.openView('Explorer');
  await workbench.explorer.showContextMenu('plan.md');
  await picture(alice, path.join(WALKTHROUGH, 'publish.png'));
  await workbench.menu.dismiss();
  await publishFrom(alice, ['plan.md', 'src']);
}

async function publishFrom({ workbench }: PeerWindow, names: readonly string[]): Promise<void> {
  await workbench.openView('Explorer');
  await workbench.explorer.contextMenu(names, 'Publish to Network');
  await workbench.notifications.shown(/Published \d files/u);
  await workbench.notifications.clear();
}

async function browse({ windows, alice, bob }: Users): Promise<void> {
  for (const { workbench } of [alice, bob]) {
    await workbench.openView('Peershelf');
    await workbench.view('Network Files').row(/^(Alice|Bob)$/u);
  }
  await alice.workbench.view('Network Files').row('lecture 4.md');
  await picture(alice, path.join(WALKTHROUGH, 'browse.png'));
  await sideBySide(windows, path.join(IMAGES, 'workbench.png'));
}

async function search({ alice }: Users): Promise<void> {
  const { workbench } = alice;
  await workbench.runCommand('Peershelf: Fetch from Network…');
  await workbench.quickPick.opened({ title: /Fetch from Network/u });
  await workbench.quickPick.type('bob');
  await workbench.quickPick.offers('lecture 4.md', 5_000);
  await picture(alice, path.join(WALKTHROUGH, 'fetch.png'));
  await workbench.quickPick.choose('lecture 4.md');
  await workbench.notifications.shown(/Fetched/u);
  await workbench.notifications.gone(/Fetching/u);
}

async function transfer({ alice }: Users): Promise<void> {
  await alice.workbench.view('Transfers').row('lecture 4.md', /^done/u);
  await alice.workbench.view('Network Files').row('lecture 4.md', /^same/u);
  await picture(alice, path.join(IMAGES, 'fetched.png'));
  await alice.workbench.notifications.clear();
}

async function picture({ workbench }: PeerWindow, file: string): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true });
  // A menu that fades in would be half there.
  await workbench.page.screenshot({ path: file, animations: 'disabled' });
  console.log(`written: ${path.relative(REPOSITORY, file)}`);
}

/** All windows beside each other, as one picture. */
async function sideBySide({ opened }: PeerWindows, file: string): Promise<void> {
  const pictures = await Promise.all(opened.map(({ workbench }) => workbench.page.screenshot()));
  const images = pictures.map(
    (png) => `<img src="data:image/png;base64,${png.toString('base64')}">`,
  );
  const browser = await launchBrowser(console.log);
  try {
    const page = await browser.newPage({
      viewport: { width: WINDOW.width * opened.length, height: WINDOW.height },
    });
    await page.setContent(`<body style="margin:0;display:flex">${images.join('')}</body>`);
    await writeFile(file, await page.screenshot());
  } finally {
    await browser.close();
  }
  console.log(`written: ${path.relative(REPOSITORY, file)}`);
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
