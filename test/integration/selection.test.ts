import { strict as assert } from 'node:assert';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Cleanup } from '../../scripts/host/cleanup';
import type { FindFilesRequest } from '../../src/peer/peerApi';
import { findFiles } from '../../src/peer/selection/fileFinder';
import { rejectsWith } from '../support/rejectsWith';
import { startPeer, type TestPeer } from '../support/startPeer';
import { startTracker } from '../support/startTracker';
import { temporaryFolder } from '../support/temporaryFolder';

/** What is published of the folders that somebody chooses. */
describe('choosing folders to publish', () => {
  const cleanup = new Cleanup();
  let folder: string;

  beforeEach(() => {
    folder = join(temporaryFolder(cleanup), 'project');
    mkdirSync(folder);
  });
  afterEach(() => cleanup.run());

  const write = (files: Readonly<Record<string, string>>): void => {
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), content);
    }
  };
  const place = (
    name: string,
    rest: Partial<FindFilesRequest['places'][number]> = {},
  ): FindFilesRequest['places'][number] => ({ path: join(folder, name), name, folder, ...rest });
  const find = async (...places: FindFilesRequest['places'][number][]): Promise<string[]> => {
    const { files } = await findFiles({ places });
    return files.map(({ name }) => name);
  };

  it('names files by the way to them, without links, repositories and half-fetched files', async () => {
    write({ b: '', 'src/a': '', '.git/config': '', '.peershelf-0123456789abcdef.part': '' });
    symlinkSync(folder, join(folder, 'loop'));
    symlinkSync('/etc/hosts', join(folder, 'hosts'));
    assert.deepEqual(await find({ path: folder, name: 'project' }), ['project/b', 'project/src/a']);
    assert.deepEqual(await find(place('')), ['b', 'src/a']);
  });

  it('finds what else is chosen when one file cannot even be looked at', async () => {
    write({ a: 'content' });
    symlinkSync('around', join(folder, 'around'));
    const long = place('x'.repeat(300));
    const { files } = await findFiles({
      places: [place('around'), place('a'), place('a/b'), long],
    });
    assert.deepEqual(
      files.map(({ name }) => name),
      ['around', 'a', 'a/b', long.name],
    );
  });

  it('leaves out what .gitignore says, and lets the nearest one have the last word', async () => {
    write({
      '.gitignore': 'out/\n*.log\n!kept.log\n',
      'a.log': '',
      'kept.log': '',
      'out/x': '',
      'src/a.ts': '',
      'src/.gitignore': '!a.log\n/gen\n',
      'src/a.log': '',
      'src/gen/x': '',
      'src/deep/gen/x': '',
    });
    assert.deepEqual(await find(place('')), [
      '.gitignore',
      'kept.log',
      'src/.gitignore',
      'src/a.log',
      'src/a.ts',
      'src/deep/gen/x',
    ]);
  });

  it('lets .peershelfignore leave out more, and take back what .gitignore leaves out', async () => {
    write({ '.gitignore': 'dist\n', '.peershelfignore': '!dist\n*.tmp\n.*ignore\n' });
    write({ 'dist/app.js': '', 'x.tmp': '', y: '' });
    assert.deepEqual(await find(place('')), ['y', 'dist/app.js']);
  });

  it('heeds the rules above the chosen folder, of its workspace and of its repository', async () => {
    write({ '.gitignore': '*.log\n', 'src/a.log': '', 'src/a.ts': '' });
    assert.deepEqual(await find(place('src')), ['src/a.ts']);
    const src = { path: join(folder, 'src'), name: 'src' };
    assert.deepEqual(await find(src), ['src/a.log', 'src/a.ts']);
    mkdirSync(join(folder, '.git'));
    assert.deepEqual(await find(src), ['src/a.ts']);
  });

  it('takes a folder or file that is chosen itself, whatever the rules above say', async () => {
    write({ '.gitignore': 'dist\n', 'dist/.gitignore': '*.map\n', 'dist/a.js': '' });
    write({ 'dist/a.map': '' });
    assert.deepEqual(await find(place('dist')), ['dist/.gitignore', 'dist/a.js']);
    assert.deepEqual(await find(place('dist/a.map')), ['dist/a.map']);
  });

  it('leaves out what the settings exclude, and the folder of what was fetched', async () => {
    write({
      'a/node_modules/x': '',
      'a/b.LOG': '',
      'a/b.log': '',
      'shared/x': '',
      'a/shared/y': '',
    });
    const rules = { exclude: ['**/node_modules', '**/*.log'], leaveOut: [join(folder, 'shared')] };
    const expected = process.platform === 'linux' ? ['a/b.LOG', 'a/shared/y'] : ['a/shared/y'];
    assert.deepEqual(await find(place('', rules)), expected);
    assert.deepEqual(await find(place('shared', rules)), ['shared/x']);
  });

  it('lists a file once that is chosen with its folder', async () => {
    write({ 'a/x': '', 'a/y': '' });
    assert.deepEqual(await find(place('a/y'), place('a')), ['a/y', 'a/x']);
  });

  it('refuses a folder that leads out of the workspace, and goes on with the others', async () => {
    write({ 'a/x': '' });
    symlinkSync(temporaryFolder(cleanup), join(folder, 'outside'));
    const { files, failures } = await findFiles({ places: [place('outside'), place('a')] });
    assert.deepEqual(
      failures.map(({ name, error }) => [name, error.code]),
      [['outside', 'OUTSIDE_FOLDER']],
    );
    assert.deepEqual(
      files.map(({ name }) => name),
      ['a/x'],
    );
  });

  it('knows secrets by their names and by what links lead to', async () => {
    write({ '.env': 'k', 'keys/id_rsa': 'k', 'notes.txt': 'n' });
    symlinkSync(join(folder, '.env'), join(folder, 'harmless.txt'));
    const { files } = await findFiles({ places: [place('harmless.txt'), place('')] });
    assert.deepEqual(
      files.filter(({ secrets }) => secrets.length > 0).map(({ name }) => name),
      ['harmless.txt', '.env', 'keys/id_rsa'],
    );
  });

  it('ends when it is cancelled', async () => {
    write({ a: '' });
    await rejectsWith('CANCELLED', findFiles({ places: [place('')] }, AbortSignal.abort()));
  });

  describe('in the engine', () => {
    let alice: TestPeer;
    let bob: TestPeer;

    beforeEach(async () => {
      const { address: tracker } = await startTracker(cleanup);
      alice = await startPeer(cleanup, { tracker, settings: { hostname: 'alice' } });
      bob = await startPeer(cleanup, { tracker, settings: { hostname: 'bob' } });
    });

    it('publishes a selection, with or without its secrets, and says what failed', async () => {
      write({ 'd/.env': 'k', 'd/a': '1', 'd/b': '2' });
      await alice.publish('d/b', 'other');
      const selection = await alice.peer.findFiles({ places: [place('d')] });
      assert.deepEqual(
        { ...selection, id: '' },
        {
          id: '',
          files: 3,
          totalBytes: 3,
          names: ['d/.env', 'd/a', 'd/b'],
          secrets: 1,
          consented: 0,
          firstSecrets: [{ name: 'd/.env', kind: 'name' }],
        },
      );
      const { id } = selection;
      const summary = await alice.peer.publishSelection({ id, withSecrets: false });
      assert.deepEqual(summary.names, ['d/a']);
      assert.deepEqual(
        summary.failed.map(({ name, error }) => [name, error.code]),
        [['d/b', 'NAME_CLASH']],
      );
      await rejectsWith('LIST_CHANGED', alice.peer.publishSelection({ id, withSecrets: true }));
      await bob.peer.refreshNetwork();
      const { files } = await bob.peer.networkFiles({ limit: 10 });
      assert.deepEqual(
        files.map(({ name }) => name),
        ['d/a', 'd/b'],
      );
    });

    it('compares a whole folder with what others offer, in one go', async () => {
      write(Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`d/${i}`, `content ${i}`])));
      await bob.publish('elsewhere', 'content 7');
      const { id } = await alice.peer.findFiles({ places: [place('d')] });
      const compared = await alice.peer.compareSelection({ id, withSecrets: true });
      assert.deepEqual([compared.files, compared.count], [60, 1]);
      assert.deepEqual(compared.first[0]?.name, 'd/7');
    });

    it('forgets the oldest selection when too many wait', async () => {
      write({ a: '' });
      const ids: string[] = [];
      for (let i = 0; i < 9; i++)
        ids.push((await alice.peer.findFiles({ places: [place('a')] })).id);
      const wish = (index: number): { id: string; withSecrets: boolean } => ({
        id: ids[index] ?? '',
        withSecrets: true,
      });
      await rejectsWith('LIST_CHANGED', alice.peer.publishSelection(wish(0)));
      assert.equal((await alice.peer.publishSelection(wish(1))).published, 1);
    });
  });
});
