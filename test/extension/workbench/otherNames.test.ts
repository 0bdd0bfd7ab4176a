import * as assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { PICTURES } from '../../../scripts/host/paths';
import type { PeerWindow } from '../../support/peerWindows';
import { isLongRun } from '../../support/longRuns';
import { startPeerOf, type TestPeer } from '../../support/startPeer';
import { startTracker } from '../../support/startTracker';
import { useWindows } from '../../support/useWindows';

const NAMES = ['a.txt', 'b.txt', 'c.txt'];
/** Titles, and the class of the workbench by which one sees that it holds. */
const ALL_THEMES = {
  'Light Modern': 'vs',
  'Dark Modern': 'vs-dark',
  'Dark High Contrast': 'hc-black',
};
/** Colours come from the editor's themes: most runs look at the one with the least contrast of its own. */
const THEMES = isLongRun ? ALL_THEMES : { 'Light Modern': ALL_THEMES['Light Modern'] };
/** Of text, by WCAG 2.1, level AA. */
const MIN_CONTRAST = 4.5;

/**
 * One user who has what others offer, or something else, in the places that they would have: how this is
 * asked about, said and shown. Each test builds on those before.
 */
describe('a window with files in the way', () => {
  const { windows, cleanup } = useWindows();
  let window: PeerWindow;
  let bob: TestPeer;

  before(async () => {
    const { address } = await startTracker(cleanup);
    const join = (name: string): Promise<TestPeer> => startPeerOf(cleanup, name, address);
    const alice = await join('Alice');
    bob = await join('Bob');
    for (const name of NAMES) await bob.publish(`docs/${name}`, `${name} of Bob`);
    await alice.publish('clash.txt', 'of Alice');
    await bob.publish('clash.txt', 'of Bob');
    window = await windows.add('Erin', {
      files: {
        'own.txt': 'mine',
        ...Object.fromEntries(NAMES.map((name) => [`shared/docs/${name}`, `${name} of Erin`])),
      },
      tracker: address,
    });
    await window.workbench.openView('Peershelf');
    await network().open('docs');
  });

  const network = () => window.workbench.view('Network Files');
  const file = (name: string): string => path.join(window.workspace, 'shared', name);
  const read = (name: string): string => readFileSync(file(name), 'utf8');
  const fetchDocs = async (): Promise<void> => {
    const { workbench } = window;
    await network().inlineAction('docs', 'Fetch from Network…');
    await workbench.quickPick.opened({ title: /a\.txt exists with other content/u });
  };
  /** What the rows say of this workspace. */
  const marked = async (mark: string): Promise<void> => {
    for (const name of NAMES) await network().row(name, new RegExp(`^${mark} · `, 'u'));
  };

  it('leaves all of them as they are after Skip All', async () => {
    const { workbench } = window;
    await marked('different');
    await fetchDocs();
    await workbench.quickPick.choose('Skip All');
    await workbench.quickPick.closed();
    await workbench.notifications.gone(/Fetching docs/u);
    for (const name of NAMES) assert.equal(read(`docs/${name}`), `${name} of Erin`);
    assert.equal(existsSync(file('docs/a (2).txt')), false);
    await marked('different');
    await workbench.view('Transfers').row('docs/', /^done · 0 B · 3 files left out · /u);
  });

  it('has both after Keep Both for All, and says of them that they are the same', async () => {
    const { workbench } = window;
    await fetchDocs();
    await workbench.quickPick.choose('Keep Both for All');
    await workbench.notifications.shown(/Fetched 3 files\./u);
    for (const name of NAMES) {
      assert.equal(read(`docs/${name}`), `${name} of Erin`);
      assert.equal(read(`docs/${name.replace('.', ' (2).')}`), `${name} of Bob`);
    }
    await marked('same');
    writeFileSync(file('docs/a (2).txt'), 'changed');
    await network().row('a.txt', /^different · /u);
  });

  it('says of what clashes with others whether it is in the folder of its owner', async () => {
    const { workbench } = window;
    await workbench.runCommand('Peershelf: Group by Folder');
    await network().row('clash.txt', 'new · 6 B · Bob');
    // As if it had come from elsewhere: nothing was fetched that could be remembered.
    mkdirSync(file('Bob'));
    writeFileSync(file('Bob/clash.txt'), 'of Bob');
    await network().row('clash.txt', 'same · 6 B · Bob');
    await network().row('clash.txt', 'new · 8 B · Alice');
    await workbench.runCommand('Peershelf: Group by Peer');
    await network().row('clash.txt', 'same · 6 B');
  });

  it('shows all its views in every theme', async () => {
    const { workbench } = window;
    const { page } = workbench;
    await workbench.openView('Explorer');
    await workbench.explorer.contextMenu('own.txt', 'Publish to Network');
    await workbench.notifications.shown(/Published own\.txt/u);
    await workbench.notifications.clear();
    const rows = {
      'Published Files': 'own.txt',
      'Network Files': 'clash.txt',
      Transfers: 'docs/',
      Peers: 'Bob',
    };
    for (const [theme, className] of Object.entries(THEMES)) {
      const picture = (name: string): string =>
        path.join(PICTURES, `${theme} ${name}.png`.toLowerCase().replaceAll(' ', '-'));
      await workbench.runCommand('Preferences: Color Theme');
      await workbench.quickPick.type(theme);
      await workbench.quickPick.choose(theme);
      await page.locator(`.monaco-workbench.${className}`).waitFor();
      await workbench.openView('Peershelf');
      for (const [title, label] of Object.entries(rows)) {
        const view = workbench.view(title);
        await view.expand();
        await view.row(label);
        const contrast = await view.contrast(label);
        assert.ok(contrast >= MIN_CONTRAST, `${title} in ${theme}: ${contrast}`);
        await view.screenshot(picture(title));
      }
      await workbench.screenshot(picture('window'));
      await workbench.openView('Explorer');
      await workbench.explorer.decorated('own.txt', 'P');
      await workbench.screenshot(picture('explorer'));
    }
  });
});
