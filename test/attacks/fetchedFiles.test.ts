import { strict as assert } from 'node:assert';
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { formatHostPort, type HostPort } from '../../src/protocol/address';
import { useCleanup } from '../support/cleanup';
import { startCommand } from '../support/commandLine';
import { startPeer, startPeerOf, type TestPeer } from '../support/startPeer';
import { startTracker } from '../support/startTracker';
import { temporaryFolder } from '../support/temporaryFolder';
import { eventually } from '../support/waitFor';

/** Git as a user starts it, without what this machine's own settings add. */
const GIT_ENV = { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' };

/** Races of two processes; before, most of them ended in a repository. */
const ROUNDS = 12;

interface Ended {
  readonly out: string;
  readonly err: string;
  readonly code: number;
}

/** Files of others that make programs run, or that programs obey, when they are placed unasked. */
describe('attacks by fetched files', () => {
  const cleanup = useCleanup();
  let tracker: HostPort;
  let alice: TestPeer;
  let mallory: TestPeer;
  let work: string;
  let data: string;

  beforeEach(async () => {
    tracker = (await startTracker(cleanup)).address;
    alice = await startPeerOf(cleanup, 'Alice', tracker);
    mallory = await startPeerOf(cleanup, 'Mallory', tracker);
    work = temporaryFolder(cleanup);
    data = temporaryFolder(cleanup);
  });

  const run = async (...args: string[]): Promise<Ended> => {
    const command = startCommand(
      cleanup,
      { folder: work, data },
      ...[...args, '--tracker', formatHostPort(tracker)],
    );
    const code = Number(await command.exited);
    return { out: command.stdout(), err: command.stderr(), code };
  };
  const git = (folder: string, ...args: string[]): string => {
    try {
      return execFileSync('git', args, { cwd: folder, env: GIT_ENV, stdio: 'pipe' }).toString();
    } catch (error) {
      return String(error); // Git may not take it for a repository at all.
    }
  };
  const write = (name: string, content: string): void => {
    mkdirSync(dirname(join(work, name)), { recursive: true });
    writeFileSync(join(work, name), content);
  };
  /** Files of an attacker's bare repository: asking for its state runs a program. */
  const bareRepository = (marker: string): Record<string, string> => ({
    HEAD: 'ref: refs/heads/main\n',
    config: `[core]\n\trepositoryformatversion = 0\n\tbare = false\n\tworktree = .\n\tfsmonitor = "touch '${marker}'; false"\n`,
    'objects/info/packs': '\n',
    'refs/heads/.keep': '\n',
  });
  const filesBelow = (folder: string): string[] =>
    existsSync(folder)
      ? readdirSync(folder, { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map(({ parentPath, name }) => join(parentPath, name).slice(folder.length + 1))
          .sort()
      : [];

  describe('on the command line', () => {
    it('takes nothing of a stranger into a checkout that is brought up to date', async () => {
      const marker = join(data, 'ran');
      git(work, 'init', 'proj');
      const own = readFileSync(join(work, 'proj/.git/config'), 'utf8');
      await alice.publish('proj/readme.md', 'new');
      await mallory.publish(
        'proj/.git/config',
        `[core]\n\tfsmonitor = "touch '${marker}'; false"\n`,
      );
      await mallory.publish('proj/.vscode/tasks.json', '{}');
      await mallory.publish('proj/.envrc', 'echo');
      const several = await run('fetch', 'proj/', '--force');
      git(join(work, 'proj'), 'status');
      assert.equal(existsSync(marker), false, 'the program of a stranger has run');
      assert.equal(readFileSync(join(work, 'proj/.git/config'), 'utf8'), own);
      assert.equal(several.code, 1);
      assert.match(several.err, /Several people offer files in proj\/: .*alice.*mallory/u);
      assert.match(several.err, /with --from, or .* --from-all/u);
      assert.equal(existsSync(join(work, 'proj/readme.md')), false);

      const one = await run('fetch', 'proj/', '--force', '--from', 'alice');
      assert.deepEqual([one.code, one.err], [0, '']);
      assert.equal(readFileSync(join(work, 'proj/readme.md'), 'utf8'), 'new');

      for (const all of [['--from-all'], ['--from', 'alice', '--from', 'mallory']]) {
        const { code, err, out } = await run('fetch', 'proj/', '--force', ...all);
        assert.equal(code, 1);
        for (const name of ['.git/config', '.vscode/tasks.json', '.envrc'])
          assert.match(
            err,
            new RegExp(`proj/${name.replaceAll('.', '\\.')} from Mallory was left out`, 'u'),
          );
        assert.match(err, /--allow-executables/u);
        assert.match(out, /1 already there, 3 not fetched/u);
        assert.equal(existsSync(join(work, 'proj/.envrc')), false);
      }
      git(join(work, 'proj'), 'status');
      assert.equal(existsSync(marker), false, 'the program of a stranger has run');
    });

    it('leaves out what a link of the user leads to where programs look', async function () {
      if (process.platform === 'win32') this.skip(); // Links need a right of their own there.
      mkdirSync(join(work, '.vscode'));
      symlinkSync('.vscode', join(work, 'editor'));
      await alice.publish('pack/editor/tasks.json', '{}');
      await alice.publish('pack/notes.txt', 'notes');
      const { err } = await run('fetch', 'pack/', '--output', '.');
      assert.match(err, /pack\/editor\/tasks\.json from \w+ was left out/u);
      assert.deepEqual(filesBelow(join(work, '.vscode')), []);
      assert.equal(readFileSync(join(work, 'notes.txt'), 'utf8'), 'notes');
    });

    it('takes what is allowed, but never the settings of a repository', async () => {
      git(work, 'init', 'proj');
      const own = readFileSync(join(work, 'proj/.git/config'), 'utf8');
      await alice.publish('proj/.git/config', '[core]\n');
      await alice.publish('proj/.envrc', 'echo');
      const { code, err } = await run('fetch', 'proj/', '--force', '--allow-executables');
      assert.equal(readFileSync(join(work, 'proj/.envrc'), 'utf8'), 'echo');
      assert.equal(readFileSync(join(work, 'proj/.git/config'), 'utf8'), own);
      assert.equal(code, 1);
      assert.match(err, /proj\/\.git\/config from \w+ was left out: .*Git repository/u);

      // `git init` would find and keep them.
      for (const name of ['.git/hooks/post-checkout', 'sub/.GIT']) {
        await alice.publish(`new/${name}`, 'gitdir: elsewhere');
        const got = await run('fetch', 'new/', '--allow-executables');
        assert.equal(got.code, 1, got.out + got.err + filesBelow(join(work, 'new')).join());
      }
      assert.deepEqual(filesBelow(join(work, 'new')), []);
    });

    it('leaves out a single file of this kind, too', async () => {
      await mallory.publish('deep/CLAUDE.md', 'run this');
      const refused = await run('fetch', 'deep/CLAUDE.md');
      assert.equal(refused.code, 1);
      assert.match(refused.err, /deep\/CLAUDE\.md.*Mallory.*--allow-executables/u);
      assert.deepEqual(filesBelow(work), []);
      assert.equal((await run('fetch', 'deep/CLAUDE.md', '--allow-executables')).code, 0);
      assert.deepEqual(filesBelow(work), ['CLAUDE.md']);
    });

    it('gives a copied folder with one file more no way in', async () => {
      // Another input of this kind: whoever offers all of it, and something else, is not its owner.
      await alice.publish('proj/readme.md', 'same');
      await mallory.publish('proj/readme.md', 'same');
      await mallory.publish('proj/more.txt', 'more');
      const { code, err } = await run('fetch', 'proj/');
      assert.equal(code, 1);
      assert.match(err, /Several people offer files in proj\//u);
      assert.deepEqual(filesBelow(work), []);
    });

    it('takes one content of two people who offer the same for what it is', async () => {
      await alice.publish('proj/readme.md', 'same');
      await mallory.publish('proj/readme.md', 'same');
      assert.equal((await run('fetch', 'proj/')).code, 0);
      assert.deepEqual(filesBelow(work), ['proj/readme.md']);
    });
  });

  describe('by a bare repository in an ordinary folder', () => {
    /** A Git that obeys such a folder is needed for what the tests prove. */
    const prove = (marker: string): void => {
      for (const [name, content] of Object.entries(bareRepository(marker)))
        write(`proof/${name}`, content);
      git(join(work, 'proof'), 'status');
      assert.equal(existsSync(marker), true, 'this Git runs no program: the test proves nothing');
    };

    it('runs nothing when Git is asked in the folder that was fetched', async () => {
      prove(join(data, 'proof'));
      const marker = join(data, 'ran');
      for (const [name, content] of Object.entries(bareRepository(marker)))
        await mallory.publish(`docs/${name}`, content);
      await mallory.publish('docs/guide.md', 'a guide');
      await mallory.publish('other/guide.md', 'a guide');
      for (const more of [[], ['--allow-executables']]) {
        const { code, err } = await run('fetch', 'docs/', ...more);
        assert.equal(code, 1);
        assert.match(err, /docs\/config from \w+ was left out: .*Git repository/u);
        git(join(work, 'docs'), 'status');
        assert.equal(existsSync(marker), false, 'the program of a stranger has run');
        assert.deepEqual(filesBelow(join(work, 'docs')), []);
      }
      assert.equal((await run('fetch', 'other/')).code, 0, 'other folders are free');
    });

    it('runs nothing when the rest of it is there already', async () => {
      const marker = join(data, 'ran');
      const { config = '', ...rest } = bareRepository(marker);
      for (const [name, content] of Object.entries(rest)) write(`docs/${name}`, content);
      await mallory.publish('docs/config', config);
      const { err } = await run('fetch', 'docs/', '--allow-executables');
      assert.match(err, /docs\/config from \w+ was left out: .*Git repository/u);
      // One file at a time, into the same place.
      const single = await run('fetch', 'docs/config', '--output', 'docs', '--force');
      assert.equal(single.code, 1);
      assert.match(single.err, /Git repository/u);
      git(join(work, 'docs'), 'status');
      assert.equal(existsSync(marker), false, 'the program of a stranger has run');
      assert.equal(existsSync(join(work, 'docs/config')), false);
    });

    it('runs nothing when its objects lie elsewhere', async () => {
      // Another input of this kind: `commondir` names the folder that has the objects and the settings.
      const marker = join(data, 'ran');
      const { HEAD = '', ...rest } = bareRepository(marker);
      await mallory.publish('docs/HEAD', HEAD);
      await mallory.publish('docs/commondir', 'common\n');
      for (const [name, content] of Object.entries(rest))
        await mallory.publish(`docs/common/${name}`, content);
      const { code } = await run('fetch', 'docs/', '--allow-executables');
      assert.equal(code, 1);
      git(join(work, 'docs'), 'status');
      assert.equal(existsSync(marker), false, 'the program of a stranger has run');
      assert.equal(existsSync(join(work, 'docs/commondir')), false);
    });

    it('comes together of no two processes that fetch into one folder', async () => {
      const marker = join(data, 'ran');
      const bobs = [
        await startPeerOf(cleanup, 'Bob', tracker),
        await startPeerOf(cleanup, 'Bobby', tracker),
      ] as const;
      for (const [name, content] of Object.entries(bareRepository(marker)))
        await mallory.publish(name, content);
      // Engines know nothing of each other, as two processes; each guard alone lets its part pass.
      for (let round = 0; round < ROUNDS; round += 1) {
        const into = (name: string): string => join(work, `docs${round}`, name);
        const [first, second] = round % 2 === 0 ? bobs : [bobs[1], bobs[0]];
        const fetch = ({ peer }: TestPeer, name: string): Promise<unknown> =>
          peer.fetch({ name, destination: into(name), ifExists: 'fail' });
        await Promise.allSettled([
          fetch(first, 'HEAD'),
          ...['config', 'objects/info/packs', 'refs/heads/.keep'].map((name) =>
            fetch(second, name),
          ),
        ]);
        const there = filesBelow(join(work, `docs${round}`));
        const hasRest = existsSync(into('objects')) || existsSync(into('refs'));
        assert.ok(
          !existsSync(into('HEAD')) || !(existsSync(into('config')) || hasRest),
          there.join(),
        );
        git(join(work, `docs${round}`), 'status');
      }
      assert.equal(existsSync(marker), false, 'the program of a stranger has run');
    });

    it('comes together of no folders that two command lines fetch', async () => {
      const marker = join(data, 'ran');
      prove(join(data, 'proof'));
      const slow = await startPeer(cleanup, {
        tracker,
        settings: { hostname: 'slow', displayName: 'Slow', maxUploadBytesPerSecond: 100_000 },
      });
      const { HEAD = '', ...rest } = bareRepository(marker);
      await slow.publish('week1/HEAD', HEAD);
      await slow.publish('week1/slides.bin', Buffer.alloc(400_000, 1));
      for (const [name, content] of Object.entries(rest))
        await mallory.publish(`week2/${name}`, content);
      mkdirSync(join(work, 'course'));
      const into = ['--output', 'course', '--allow-executables'];
      const first = run('fetch', 'week1/', ...into);
      // The other one begins while the first has claimed its places, and has not filled all.
      await eventually(
        () => readdirSync(join(work, 'course')).length > 0 || undefined,
        'the first process writes',
      );
      const ended = await Promise.all([first, run('fetch', 'week2/', ...into)]);
      const has = (name: string): boolean => existsSync(join(work, 'course', name));
      assert.ok(!has('HEAD') || !['config', 'objects', 'refs'].some(has));
      const told = ended.map(({ err }) => err).join('');
      assert.match(told, /week\d\/\S+ from (?:Slow|Mallory) was left out: .*Git repository/u);
      git(join(work, 'course'), 'status');
      assert.equal(existsSync(marker), false, 'the program of a stranger has run');
    });

    it('comes together of no folders that two processes fetch', async () => {
      // Another input of this kind: many small files are placed by other threads.
      const bobs = [
        await startPeerOf(cleanup, 'Bob', tracker),
        await startPeerOf(cleanup, 'Bobby', tracker),
      ] as const;
      const { HEAD = '', ...rest } = bareRepository(join(data, 'ran'));
      await mallory.publish('one/HEAD', HEAD);
      for (const [name, content] of Object.entries(rest))
        await mallory.publish(`two/${name}`, content);
      for (let round = 0; round < ROUNDS; round += 1) {
        const destination = join(work, `docs${round}`);
        await Promise.allSettled(
          (['one/', 'two/'] as const).map(async (prefix, index) =>
            bobs[index]?.peer.fetchFolder({ prefix, destination, folder: work, ifExists: 'fail' }),
          ),
        );
        const has = (name: string): boolean => existsSync(join(destination, name));
        assert.ok(
          !has('HEAD') || !['config', 'objects', 'refs'].some(has),
          filesBelow(destination).join(),
        );
      }
    });

    it('comes together of no fetches that run at the same time', async () => {
      const marker = join(data, 'ran');
      const bob = await startPeerOf(cleanup, 'Bob', tracker);
      const files = bareRepository(marker);
      for (const [name, content] of Object.entries(files)) await mallory.publish(name, content);
      await Promise.allSettled(
        Object.keys(files).map((name) =>
          bob.peer.fetch({ name, destination: bob.path(`docs/${name}`), ifExists: 'fail' }),
        ),
      );
      git(bob.path('docs'), 'status');
      assert.equal(existsSync(marker), false, 'the program of a stranger has run');
      assert.notEqual(existsSync(bob.path('docs/HEAD')), existsSync(bob.path('docs/config')));
    });
  });
});
