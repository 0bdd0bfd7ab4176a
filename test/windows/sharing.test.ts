import * as assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { Cleanup } from '../../scripts/host/cleanup';
import { eventually } from '../support/parts/waits';
import type { View } from '../support/parts/view';
import type { PeerWindow } from '../support/peerWindows';
import type { TestPeer } from '../support/startPeer';
import { startTeam } from '../support/startTeam';
import { publish } from '../support/userActions';
import { walkJourney } from '../support/useWindows';
import { extensionLog, openWindowsWindow, storedFiles } from '../support/windowsWindow';

const NAME = 'Bài tập 1.txt'.normalize('NFC');
const CONTENT = Buffer.from(`${'Nội dung '.repeat(5_000)}\n`);
/** Files of the Linux user: published name, and path below the fetch folder on Windows. */
const ARRIVALS = {
  'from linux.bin': 'from linux.bin',
  'what?.txt': 'what_.txt',
  'a:b.txt': 'a_b.txt',
  'say "x".txt': 'say _x_.txt',
  'docs/guide.md': 'docs/guide.md',
} as const;
/** The first start of everything under Wine, on a busy machine. */
const START_MS = 180_000;
const CONNECTED_MS = 120_000;

/**
 * A user of Windows, with the packed extension, and one of Linux, in the session of a team. Each test
 * builds on those before.
 */
describe('a window in Windows', () => {
  const cleanup = new Cleanup();
  let window: PeerWindow;
  let bob: TestPeer;
  let published: View;
  let network: View;
  let offered: Readonly<Record<string, Buffer>>;

  before(async function () {
    this.timeout(START_MS);
    const team = await startTeam(cleanup);
    bob = await team.join({ settings: { hostname: 'bob', displayName: 'Bob' } });
    offered = Object.fromEntries(
      Object.keys(ARRIVALS).map((name) => [name, Buffer.from(`${name} of Bob\n`.repeat(2_000))]),
    );
    for (const [name, content] of Object.entries(offered)) await bob.publish(name, content);
    window = await openWindowsWindow(cleanup, {
      name: 'Alice',
      invite: team.invite,
      files: { [NAME]: CONTENT, 'sub/second.md': 'second' },
    });
    published = window.workbench.view('Published Files');
    network = window.workbench.view('Network Files');
  });

  walkJourney(async (title, failed) => {
    // A hook may have failed before the window was there.
    const opened = window as PeerWindow | undefined;
    if (failed) await opened?.workbench.keepEvidence(title);
    else await window.workbench.notifications.clear();
  });
  after(() => cleanup.run());

  const onC = (...parts: string[]): string => path.join(window.workspace, ...parts);

  /** Waits until Bob sees exactly these names of Alice. */
  const bobSees = (...names: string[]): Promise<unknown> =>
    eventually(
      async () => {
        const { files } = await bob.peer.networkFiles({ limit: 100 });
        const seen = files.map(({ name }) => name).sort();
        return JSON.stringify(seen) === JSON.stringify([...names].sort()) || undefined;
      },
      `Bob sees ${names.join(', ')}`,
    );

  const fetchedByBob = async (name: string): Promise<Buffer> => {
    const destination = bob.path(`got/${name}`);
    await bob.peer.fetch({ name, destination, ifExists: 'overwrite' });
    return readFileSync(destination);
  };

  it('joins the session of the team by itself', async function () {
    this.timeout(START_MS);
    const { workbench } = window;
    await workbench.statusBarItem(/Team: 1 other peer/u, CONNECTED_MS);
  });

  it('publishes a file by right-click, which the user of Linux fetches byte for byte', async () => {
    const { workbench } = window;
    await publish(workbench, NAME);
    await workbench.notifications.shown(/Published Bài tập 1\.txt/u);
    await workbench.explorer.decorated(NAME, 'P');
    await bobSees(NAME);
    assert.ok((await fetchedByBob(NAME)).equals(CONTENT));
  });

  it('publishes a file of a folder under a name with a slash', async () => {
    const { workbench } = window;
    await workbench.explorer.openFolder('sub');
    await publish(workbench, 'second.md');
    await workbench.notifications.shown(/Published sub\/second\.md/u);
    await bobSees(NAME, 'sub/second.md');
    assert.equal((await fetchedByBob('sub/second.md')).toString(), 'second');
    await workbench.openView('Peershelf');
    await published.row('sub/second.md', '6 B');
  });

  it('shows what the user of Linux offers', async () => {
    await window.workbench.openView('Peershelf');
    await network.row('Bob', /5 files/u);
    await network.open('docs');
    for (const name of Object.keys(ARRIVALS)) await network.row(path.posix.basename(name), /^new/u);
  });

  for (const [name, arrival] of Object.entries(ARRIVALS))
    it(`fetches ${name}, which arrives as ${arrival}, byte for byte`, async () => {
      const { workbench } = window;
      const row = path.posix.basename(name);
      await network.inlineAction(row, 'Fetch from Network…');
      const told = await workbench.notifications.shown(/Fetched .* from Bob/u);
      assert.ok(told.replaceAll('\\', '/').includes(`shared/${arrival}`), told);
      assert.ok(readFileSync(onC('shared', arrival)).equals(offered[name]!));
      await network.row(row, /^same/u);
    });

  it('leaves nothing beside what it has fetched', () => {
    const names = readdirSync(onC('shared'), { recursive: true, encoding: 'utf8' });
    assert.deepEqual(names.sort(), [...Object.values(ARRIVALS), 'docs'].sort());
  });

  it('says of a file that it has changed, and publishes it again', async () => {
    const { workbench } = window;
    await workbench.openView('Peershelf');
    writeFileSync(onC('sub', 'second.md'), 'second, changed');
    await published.row('sub/second.md', /changed since published/u);
    await published.inlineAction('sub/second.md', 'Publish Again');
    await published.row('sub/second.md', '15 B');
    await eventually(async () => {
      const { files } = await bob.peer.networkFiles({ limit: 100 });
      return files.some(({ sizeBytes }) => sizeBytes === 15) || undefined;
    }, 'Bob sees the changed file');
    assert.equal((await fetchedByBob('sub/second.md')).toString(), 'second, changed');
  });

  it('unpublishes, which the user of Linux sees', async () => {
    await published.inlineAction(NAME, 'Unpublish from Network');
    await bobSees('sub/second.md');
  });

  it('offers again what it has published when it is loaded again', async function () {
    this.timeout(START_MS);
    const { workbench } = window;
    await workbench.reload();
    await workbench.statusBarItem(/Team: 1 other peer/u, CONNECTED_MS);
    await workbench.openView('Peershelf');
    await published.row('sub/second.md', '15 B');
    await bobSees('sub/second.md');
    assert.equal((await fetchedByBob('sub/second.md')).toString(), 'second, changed');
  });

  it('has stored everything whole, and logged no failure', async () => {
    const stored = storedFiles(window.server);
    assert.ok(
      stored.some((name) => /catalogue-\w+\.json$/u.test(name)),
      stored.join('\n'),
    );
    assert.deepEqual(
      stored.filter((name) => /\.(?:new|damaged)$/u.test(name)),
      [],
    );
    const lines = (await extensionLog(window.server)).split('\n');
    assert.ok(
      lines.some((line) => line.includes('connected to')),
      lines.join('\n'),
    );
    assert.deepEqual(
      lines.filter((line) => /\[(?:error|warning)\]/u.test(line)),
      [],
    );
  });
});
