import { strict as assert } from 'node:assert';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  unlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { useCleanup } from '../support/cleanup';
import { CLI, startPrepared } from '../support/commandLine';
import { hurried, type ProgramOptions } from '../support/hurry';
import { startMisbehavingPeer, registerHost } from '../support/misbehavingPeer';
import { startProcess, type TestProcess } from '../support/startProcess';
import { temporaryFolder } from '../support/temporaryFolder';
import { eventually } from '../support/waitFor';
import { parseHostPort } from '../../src/protocol/address';

describe('the command line', () => {
  const cleanup = useCleanup();
  let folder: string;
  let data: string;

  beforeEach(() => {
    folder = temporaryFolder(cleanup);
    data = temporaryFolder(cleanup);
  });

  /** Publishers are another user: what one has hashed, the other one need not fetch. */
  const run = (...args: string[]): TestProcess => runWith([], ...args);
  const runWith = (prepared: readonly ProgramOptions[], ...args: string[]): TestProcess => {
    const home = args[0] === 'share' ? join(data, 'publisher') : data;
    return startPrepared(cleanup, { folder, data: home }, prepared, ...args);
  };
  const finish = async (
    ...args: string[]
  ): Promise<{ code: unknown; out: string; err: string }> => {
    const running = run(...args);
    const code = await running.exited;
    return { code, out: running.stdout(), err: running.stderr() };
  };
  const startTracker = async (): Promise<string> => {
    const [, address = ''] = await run('tracker', '--open', '--port', '0').printed(
      /^listening on (\S+)\n/u,
    );
    return address;
  };
  const share = async (
    tracker: string,
    name: string,
    content: string,
    ...prepared: ProgramOptions[]
  ): Promise<TestProcess> => {
    writeFileSync(join(folder, name), content);
    const sharing = runWith(
      prepared,
      ...['share', name, '--tracker', tracker, '--port', '0'],
      ...['--hostname', 'alice', '--display-name', 'Alice'],
    );
    await sharing.printed(/^published .+\nserving on 127\.0\.0\.1:\d+\n/u);
    return sharing;
  };

  it('notes what others offer already, and shares it all the same', async () => {
    const tracker = await startTracker();
    await share(tracker, 'one.txt', 'one');
    writeFileSync(join(folder, 'again.txt'), 'one');
    const second = run(
      ...['share', 'again.txt', '--tracker', tracker, '--port', '0', '--hostname', 'bob'],
    );
    await second.printed(/^published again\.txt\n/u);
    assert.equal(
      second.stderr(),
      'peershelf: again.txt: Alice offers the same content as one.txt\n',
    );
    const other = run(
      ...['share', 'again.txt', '--name', 'one.txt', '--tracker', tracker, '--port', '0'],
    );
    await other.printed(/^published one\.txt\n/u);
    assert.match(other.stderr(), /^peershelf: one\.txt: .+ offers the same content as .+\n$/u);
  });

  it('shares a folder without what its rules leave out, and secrets only when that is wished for', async () => {
    const tracker = await startTracker();
    mkdirSync(join(folder, 'd'));
    for (const [name, content] of Object.entries({
      '.peershelfignore': '*.log\n.peershelfignore\n',
      '.env': 'k',
      'a.log': 'l',
      a: '1',
    }))
      writeFileSync(join(folder, 'd', name), content);
    const target = ['--tracker', tracker, '--port', '0', '--hostname'];
    const careful = run('share', 'd', ...target, 'alice');
    await careful.printed(/^published d\/a\nserving on /u);
    assert.match(
      careful.stderr(),
      /^peershelf: d\/\.env has a name that files with keys or passwords have and is not shared/u,
    );
    const all = run('share', 'd', '--include-secrets', ...target, 'bob');
    await all.printed(/^published d\/\.env\npublished d\/a\nserving on /u);
    assert.equal((await finish('share', 'd/.env', ...target, 'carol')).code, 1);
  });

  it('says that a shared file is gone, and offers it no more', async () => {
    const tracker = await startTracker();
    const sharing = await share(tracker, 'gone.txt', 'soon gone', hurried(5));
    unlinkSync(join(folder, 'gone.txt'));
    // Half a minute of its time later where the system, which all tests share, has no watch left.
    const deadlineMs = 45_000;
    await eventually(
      () => sharing.stderr().includes('peershelf: gone.txt is gone') || undefined,
      'the notice',
      deadlineMs,
    );
    assert.equal((await finish('list', '--tracker', tracker)).out, '');
  }).timeout(60_000);

  it('starts a tracker, shares, lists, searches, discovers, pings and fetches', async () => {
    const tracker = await startTracker();
    await share(tracker, 'Ghi chú.txt', 'a note');
    for (const command of [
      ['list'],
      ['search', 'GHI'],
      ['discover', 'alice'],
      ['list', '--host', 'alice'],
    ])
      assert.match((await finish(...command, '--tracker', tracker)).out, /^Ghi chú\.txt {2}6 B/u);
    assert.equal((await finish('search', 'nothing', '--tracker', tracker)).out, '');

    const { out } = await finish('list', '--json', '--tracker', tracker);
    const file = JSON.parse(out) as Record<string, unknown>;
    assert.equal(file['name'], 'Ghi chú.txt');
    assert.equal(file['displayName'], 'Alice');

    assert.equal((await finish('ping', 'alice', '--tracker', tracker)).code, 0);
    const fetched = await finish(
      'fetch',
      'Ghi chú.txt',
      '--output',
      'copy.txt',
      '--tracker',
      tracker,
    );
    assert.deepEqual(fetched, { code: 0, out: 'fetched copy.txt (6 B) from Alice\n', err: '' });
    assert.equal(readFileSync(join(folder, 'copy.txt'), 'utf8'), 'a note');
  });

  it('offers nothing any more when it is interrupted', async () => {
    const tracker = await startTracker();
    const sharing = await share(tracker, 'note.txt', 'a note');
    sharing.child.kill('SIGINT');
    assert.equal(await sharing.exited, 0);
    const gone = await finish('ping', 'alice', '--tracker', tracker);
    assert.deepEqual([gone.code, gone.out], [1, 'not online\n']);
  });

  it('refuses to overwrite other content without --force, and takes a folder as output', async () => {
    const tracker = await startTracker();
    await share(tracker, 'a.txt', 'theirs');
    const into = temporaryFolder(cleanup);
    const args = ['fetch', 'a.txt', '--tracker', tracker, '--output', into];
    assert.equal((await finish(...args)).code, 0);
    writeFileSync(join(into, 'a.txt'), 'mine');
    const refused = await finish(...args);
    assert.equal(refused.code, 1);
    assert.match(refused.err, /^peershelf: .* exists with other content\. Use --force .*\n$/u);
    assert.equal((await finish(...args, '--force')).code, 0);
    assert.equal(readFileSync(join(into, 'a.txt'), 'utf8'), 'theirs');
  });

  it('shares a folder and fetches it, with one summary and a line for what failed', async () => {
    const tracker = await startTracker();
    mkdirSync(join(folder, 'docs/deep'), { recursive: true });
    writeFileSync(join(folder, 'docs/a.txt'), 'a');
    writeFileSync(join(folder, 'docs/deep/b.txt'), 'bb');
    const sharing = run('share', 'docs', '--tracker', tracker, '--port', '0');
    await sharing.printed(/^published docs\/a\.txt\npublished docs\/deep\/b\.txt\nserving on/u);
    const into = temporaryFolder(cleanup);
    const args = ['fetch', 'docs/', '--tracker', tracker, '--output', join(into, 'got')];
    const first = await finish(...args);
    assert.deepEqual([first.code, first.err], [0, '']);
    assert.match(first.out, /got: 2 of 2 files fetched \(3 B\)\n$/u);
    assert.equal(readFileSync(join(into, 'got/deep/b.txt'), 'utf8'), 'bb');
    writeFileSync(join(into, 'got/a.txt'), 'mine');
    const second = await finish(...args);
    assert.equal(second.code, 1);
    assert.match(
      second.out,
      /got: 0 of 2 files fetched, 1 already there, 1 not fetched \(3 B\)\n$/u,
    );
    assert.match(second.err, /^peershelf: docs\/a\.txt: .* exists with other content/u);
    const { failed } = JSON.parse((await finish(...args, '--json')).out) as { failed: unknown };
    const path = join(into, 'got', 'a.txt');
    const message = `${path} exists with other content`;
    const contentId = `${createHash('sha256').update('a').digest('hex')}-1`;
    const error = { code: 'DESTINATION_EXISTS', message, details: { path, contentId } };
    assert.deepEqual(failed, [{ name: 'docs/a.txt', error }], 'no stack, no path of a source');
  });

  it('exits with 2 and one line for wrong usage', async () => {
    for (const args of [
      ['fetch', 'a.txt'],
      ['bogus'],
      ['fetch', '--tracker', '127.0.0.1:1'],
      ['list', '--tracker', 'not an address'],
      ['share', 'a', '--tracker', '127.0.0.1:1', '--port', '9-1'],
      ['share', '.', '--tracker', '127.0.0.1:1', '--name', 'dot'],
      ['fetch', 'a', '--tracker', '127.0.0.1:1', '--max-download', '0'],
    ]) {
      const { code, out, err } = await finish(...args);
      assert.deepEqual([code, out], [2, ''], args.join(' '));
      assert.match(err, /^.+\n$/u);
    }
  });

  it('exits with 1 and cause and next step for what it meets', async () => {
    const tracker = await startTracker();
    const cases: [string[], RegExp][] = [
      [['list', '--tracker', '127.0.0.1:1'], /Cannot reach the tracker at 127\.0\.0\.1:1\. Check/u],
      [['fetch', 'none', '--tracker', tracker], /Nobody offers none\. See/u],
      [['discover', 'nobody', '--tracker', tracker], /The tracker knows no host nobody\. See/u],
      [['share', 'missing', '--tracker', tracker], /missing does not exist\. Check the path/u],
      [['fetch', 'none/', '--tracker', tracker], /Nobody offers none\/\. See/u],
    ];
    for (const [args, message] of cases) {
      const { code, err } = await finish(...args);
      assert.equal(code, 1, args.join(' '));
      assert.match(err, message);
    }
  });

  it('shows names of others without what a terminal would act on', async () => {
    const tracker = await startTracker();
    const address = await startMisbehavingPeer(cleanup, (socket) => socket.destroy());
    await registerHost(cleanup, parseHostPort(tracker), {
      hostname: 'evil\u202Etxt',
      address,
      files: { 'a\u202Eb': 1 },
    });
    const { out } = await finish('list', '--tracker', tracker);
    assert.match(out, /^a\ufffdb {2}1 B {2}evil\ufffdtxt/u);
    const json = (await finish('list', '--json', '--tracker', tracker)).out;
    assert.match(json, /a\\u202eb/u);
  });

  it('leaves nothing under the final name when it is killed, and cleans up at its next start', async () => {
    const tracker = await startTracker();
    const address = await startMisbehavingPeer(cleanup, (socket) => {
      socket.once('data', () => socket.write(`LENGTH 1000\n${'x'.repeat(500)}`));
    });
    await registerHost(cleanup, parseHostPort(tracker), {
      hostname: 'slow',
      address,
      files: { half: 1000 },
    });
    const fetching = run('fetch', 'half', '--tracker', tracker);
    await eventually(
      () => readdirSync(folder).some((name) => name.endsWith('.part')) || undefined,
      'the download runs',
    );
    fetching.child.kill('SIGKILL');
    await fetching.exited;
    assert.equal(existsSync(join(folder, 'half')), false);
    await finish('list', '--tracker', tracker);
    assert.deepEqual(readdirSync(folder), []);
  });

  it('cancels a fetch on SIGINT and removes what it had', async () => {
    const tracker = await startTracker();
    const address = await startMisbehavingPeer(cleanup, (socket) => {
      socket.once('data', () => socket.write(`LENGTH 1000\n${'x'.repeat(500)}`));
    });
    await registerHost(cleanup, parseHostPort(tracker), {
      hostname: 'slow',
      address,
      files: { half: 1000 },
    });
    const fetching = run('fetch', 'half', '--tracker', tracker);
    await eventually(
      () => readdirSync(folder).some((name) => name.endsWith('.part')) || undefined,
      'the download runs',
    );
    fetching.child.kill('SIGINT');
    assert.equal(await fetching.exited, 1);
    assert.match(fetching.stderr(), /Cancelled/u);
    assert.deepEqual(readdirSync(folder), []);
  });

  if (process.platform === 'linux')
    it('shows a bar on a terminal, and nothing of it elsewhere', async () => {
      const tracker = await startTracker();
      writeFileSync(join(folder, 'large'), Buffer.alloc(3_000_000));
      await run('share', 'large', '--tracker', tracker, '--port', '0').printed(/serving on/u);
      // The fetcher has data of its own, so that it finds no copy on this computer.
      const env = { XDG_DATA_HOME: join(data, 'other'), HOME: data };
      const into = (name: string): string[] => ['--tracker', tracker, '--output', join(data, name)];
      const args = [CLI, 'fetch', 'large', ...into('bar'), '--max-download', '2'];
      const command = [process.execPath, ...args].map((arg) => `'${arg}'`).join(' ');
      const onTerminal = startProcess(cleanup, 'script', ['-qec', command, '/dev/null'], { env });
      assert.equal(await onTerminal.exited, 0, onTerminal.stdout());
      const shares = [...onTerminal.stdout().matchAll(/(\d+)% of 2\.9 MiB/gu)].map(([, share]) =>
        Number(share),
      );
      assert.ok(
        shares.some((share) => share > 0 && share < 100),
        onTerminal.stdout(),
      );
      assert.deepEqual(
        shares,
        shares.toSorted((a, b) => a - b),
      );
      rmSync(join(data, 'other'), { recursive: true });
      const piped = startProcess(
        cleanup,
        process.execPath,
        [CLI, 'fetch', 'large', ...into('none')],
        { env },
      );
      assert.equal(await piped.exited, 0, piped.stderr());
      assert.equal(piped.stderr(), '');
    });

  if (process.platform !== 'win32')
    it('says that the disk is full, or that a folder may not be written, and leaves nothing', async () => {
      const tracker = await startTracker();
      writeFileSync(join(folder, 'large'), Buffer.alloc(4_000_000));
      await run('share', 'large', '--tracker', tracker, '--port', '0').printed(/serving on/u);
      const into = temporaryFolder(cleanup);
      // A copy that another user may read, wherever this checkout lies.
      chmodSync(data, 0o777);
      const cli = join(data, 'cli.js');
      copyFileSync(CLI, cli);
      const fetch = `exec "${process.execPath}" "${cli}" fetch large --tracker ${tracker} --output "${into}"`;
      // A limit on the size of files fails a write in the middle, as a disk that fills up does.
      const full = startProcess(cleanup, 'bash', ['-c', `trap '' XFSZ; ulimit -f 1000; ${fetch}`], {
        env: { XDG_DATA_HOME: data, HOME: data },
      });
      assert.equal(await full.exited, 1);
      assert.match(full.stderr(), /not enough space .* Make room/u);
      assert.deepEqual(readdirSync(into), []);

      chmodSync(into, 0o555);
      // The superuser may write everywhere, so another user tries.
      const other = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
      const denied = startProcess(cleanup, 'bash', ['-c', fetch], {
        env: { XDG_DATA_HOME: join(data, 'other'), HOME: data },
        ...other,
      });
      assert.equal(await denied.exited, 1);
      assert.match(denied.stderr(), /Cannot write .* Check the permissions/u);
      chmodSync(into, 0o755);
      assert.deepEqual(readdirSync(into), []);
    });
});
