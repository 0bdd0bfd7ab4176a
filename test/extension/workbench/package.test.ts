import * as assert from 'node:assert/strict';
import { readFile, stat } from 'node:fs/promises';
import * as path from 'node:path';
import { REPOSITORY } from '../../../scripts/host/paths';
import { copyForPackaging, packExtension, runPackager } from '../../support/packExtension';
import { startTracker } from '../../support/startTracker';
import { startPeer } from '../../support/startPeer';
import { useWindows } from '../../support/useWindows';

const MAX_VSIX_BYTES = 1024 * 1024;
const MAX_STARTUP_BYTES = 300 * 1024;
const FILE_LIST = path.join(__dirname, 'packagedFiles.txt');

/** What users install, packed and installed as they do it. */
describe('the packed extension', function () {
  this.timeout(120_000);
  const { windows, cleanup } = useWindows({ allExtensions: true });
  let repository = '';
  let vsix = '';

  before(async () => {
    repository = await cleanup.temporaryFolder('peershelf-vsix-');
    vsix = path.join(await cleanup.temporaryFolder('peershelf-vsix-'), 'peershelf.vsix');
    await copyForPackaging(repository);
    await packExtension(repository, vsix);
  });

  it('holds what runs and what the marketplace shows, and nothing else', async () => {
    const stdout = await runPackager(repository, ['ls', '--no-dependencies']);
    const files = stdout.split('\n').filter((line) => line !== '' && !line.includes(' '));
    assert.deepEqual(files.sort(), (await readFile(FILE_LIST, 'utf8')).trim().split('\n'));
  });

  it('holds the pictures of what it says about itself', async () => {
    const files = (await readFile(FILE_LIST, 'utf8')).trim().split('\n');
    for (const page of files.filter((file) => file.endsWith('.md'))) {
      const text = await readFile(path.join(REPOSITORY, page), 'utf8');
      const pictures = [...text.matchAll(/!\[[^\]]*\]\(([^)]+)\)/gu)].map(([, link = '']) => link);
      for (const picture of pictures)
        assert.ok(files.includes(path.posix.join(path.posix.dirname(page), picture)), picture);
    }
  });

  it('is small, and so is what a window loads at its start', async () => {
    assert.ok((await stat(vsix)).size <= MAX_VSIX_BYTES);
    const startup = await stat(path.join(REPOSITORY, 'dist/extension.js'));
    assert.ok(startup.size <= MAX_STARTUP_BYTES);
  });

  it('installs and works', async () => {
    const { address } = await startTracker(cleanup);
    const bob = await startPeer(cleanup, { tracker: address, settings: { hostname: 'bob' } });
    const { workbench } = await windows.add('Alice', {
      vsix,
      tracker: address,
      files: { 'a.txt': 'packed' },
    });
    await workbench.statusBarItem(/other peers? \(open\)/u);
    await workbench.explorer.contextMenu('a.txt', 'Publish to Network');
    await workbench.notifications.shown(/Published a\.txt/u);
    const destination = bob.path('got');
    await bob.peer.fetch({ name: 'a.txt', destination, ifExists: 'fail' });
    assert.equal(await readFile(destination, 'utf8'), 'packed');
  });
});
