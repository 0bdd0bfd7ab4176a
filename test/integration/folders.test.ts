import { strict as assert } from 'node:assert';
import { randomBytes } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { Cleanup } from '../../scripts/host/cleanup';
import type {
  FolderFetchRequest,
  FolderFetchResult,
  TransferProgress,
} from '../../src/peer/peerApi';
import { PROGRESS_INTERVAL_MS } from '../../src/peer/transfer/throttled';
import type { HostPort } from '../../src/protocol/address';
import { registerHost, startMisbehavingPeer } from '../support/misbehavingPeer';
import { rejectsWith } from '../support/rejectsWith';
import { startPeer, type TestPeer } from '../support/startPeer';
import { startTracker } from '../support/startTracker';
import { temporaryFolder } from '../support/temporaryFolder';
import { nextEvent } from '../support/waitFor';

const MIB = 1024 * 1024;

describe('folders', () => {
  const cleanup = new Cleanup();
  let tracker: HostPort;
  afterEach(() => cleanup.run());
  beforeEach(async () => {
    tracker = (await startTracker(cleanup)).address;
  });

  const joinAs = (hostname: string): Promise<TestPeer> =>
    startPeer(cleanup, { tracker, settings: { hostname, displayName: hostname } });

  async function publish(peer: TestPeer, files: Record<string, Buffer | string>): Promise<void> {
    const written = Object.entries(files).map(([name, content]) => ({
      name,
      path: peer.write(name, content),
    }));
    const outcomes = await peer.peer.publish({ files: written });
    assert.deepEqual(
      outcomes.filter(({ error }) => error !== undefined),
      [],
    );
  }

  const fetch = (
    peer: TestPeer,
    prefix: string,
    options: Partial<FolderFetchRequest> = {},
  ): Promise<FolderFetchResult> =>
    peer.peer.fetchFolder({ prefix, destination: peer.path('got'), ifExists: 'fail', ...options });

  const assertSame = (peer: TestPeer, files: Record<string, Buffer | string>): void => {
    for (const [name, content] of Object.entries(files))
      assert.ok(readFileSync(peer.path(name)).equals(Buffer.from(content)), name);
  };

  /** What lies in the folder beside the files themselves. */
  const leftIn = (folder: string): string[] =>
    readdirSync(folder).filter((name) => name.startsWith('.peershelf'));

  it('fetches small and large files, empty and nested ones, and nothing beside the folder', async () => {
    const alice = await joinAs('alice');
    const bob = await joinAs('bob');
    const large = randomBytes(3 * MIB + 1);
    await publish(alice, {
      'docs/a.txt': 'a',
      'docs/empty': '',
      'docs/empty too': '',
      'docs/deep/er/Tiếng Việt #1 100%.md': 'xin chào',
      'docs/large.bin': large,
      'docs/edge.bin': large.subarray(0, MIB),
      'docsx/not.txt': 'no',
    });
    const progress: number[] = [];
    const result = await bob.peer.fetchFolder(
      { prefix: 'docs/', destination: bob.path('got'), ifExists: 'fail' },
      { onProgress: ({ bytes }) => progress.push(bytes) },
    );
    assertSame(bob, {
      'got/a.txt': 'a',
      'got/empty': '',
      'got/empty too': '',
      'got/deep/er/Tiếng Việt #1 100%.md': 'xin chào',
      'got/large.bin': large,
      'got/edge.bin': large.subarray(0, MIB),
    });
    assert.deepEqual([result.files, result.fetched, result.failedCount], [6, 6, 0]);
    assert.ok(!existsSync(bob.path('got/not.txt')));
    assert.deepEqual(leftIn(bob.path('got')), []);
    assert.equal(progress.at(-1), result.sizeBytes);
    const { transfers } = await bob.peer.snapshot();
    assert.deepEqual(
      transfers.map(({ direction, name, state }) => [direction, name, state]),
      [['download', 'docs/', 'done']],
      'one transfer for all of it',
    );
  });

  it('takes thousands of files over few connections', async () => {
    const alice = await joinAs('alice');
    const bob = await joinAs('bob');
    const files: Record<string, string> = {};
    for (let index = 0; index < 2_000; index += 1)
      files[`many/d${index % 20}/${index}`] = `${index}`;
    await publish(alice, files);
    const told: TransferProgress[] = [];
    const result = await bob.peer.fetchFolder(
      { prefix: 'many/', destination: bob.path('got'), ifExists: 'fail' },
      { onProgress: (progress) => told.push(progress) },
    );
    assert.equal(result.fetched, 2_000);
    // The first one, one each interval, and the last one.
    const intervals = Math.ceil(result.durationMs / PROGRESS_INTERVAL_MS);
    assert.ok(told.length <= 2 + intervals, `${told.length} in ${result.durationMs} ms`);
    assert.deepEqual(told.at(-1), { bytes: result.sizeBytes, totalBytes: result.sizeBytes });
    for (const [name, content] of Object.entries(files))
      assert.equal(readFileSync(bob.path(name.replace('many', 'got')), 'utf8'), content);
  });

  it('leaves what is there already, and fetches what is missing', async () => {
    const alice = await joinAs('alice');
    const bob = await joinAs('bob');
    await publish(alice, { 'd/same': 'same', 'd/new': 'new', 'd/other': 'theirs' });
    bob.write('got/same', 'same');
    bob.write('got/other', 'mine');
    const done = nextEvent(
      bob.peer.onDidChangeTransfers,
      ([transfer]) => transfer?.state === 'done',
    );
    const first = await fetch(bob, 'd/');
    assert.deepEqual([first.fetched, first.alreadyThere, first.failedCount], [1, 1, 1]);
    const [transfer] = await done;
    // Its bytes are those that are there, not those that were wished for.
    assert.deepEqual([transfer?.bytes, transfer?.totalBytes, transfer?.leftOutFiles], [7, 7, 1]);
    assert.deepEqual(
      first.failed.map(({ name, error }) => [name, error.code]),
      [['d/other', 'DESTINATION_EXISTS']],
    );
    assertSame(bob, { 'got/other': 'mine', 'got/new': 'new' });
    const both = await fetch(bob, 'd/', { ifExists: 'keepBoth' });
    assert.deepEqual([both.fetched, both.alreadyThere], [1, 2]);
    assertSame(bob, { 'got/other': 'mine', 'got/other (2)': 'theirs' });
    const third = await fetch(bob, 'd/', { ifExists: 'overwrite' });
    assert.equal(third.failedCount, 0);
    assertSame(bob, { 'got/other': 'theirs' });
  });

  it('transfers nothing again that an attempt before has brought', async () => {
    const alice = await joinAs('alice');
    const bob = await joinAs('bob');
    const files: Record<string, string> = {};
    for (let index = 0; index < 40; index += 1)
      files[`d/${index % 4}/${index}`] = 'x'.repeat(50_000 + index);
    await publish(alice, files);
    const first = await fetch(bob, 'd/');
    assert.deepEqual([first.fetched, first.alreadyThere], [40, 0]);
    assert.ok(first.receivedBytes >= first.sizeBytes);
    unlinkSync(bob.path('got/1/1'));
    writeFileSync(bob.path('got/2/2'), 'y'.repeat(50_002));
    const again = await fetch(bob, 'd/', { ifExists: 'overwrite' });
    assert.deepEqual([again.fetched, again.alreadyThere, again.failedCount], [2, 38, 0]);
    // The two, and one of them twice: what is in its way shows only when it has arrived.
    assert.ok(again.receivedBytes < 4 * 50_000, `${again.receivedBytes} bytes`);
    for (const [name, content] of Object.entries(files))
      assert.equal(readFileSync(bob.path(name.replace('d/', 'got/')), 'utf8'), content);
    assert.equal((await fetch(bob, 'd/')).receivedBytes, 0);
  });

  it('says which files failed and why, and fetches all others', async () => {
    const alice = await joinAs('alice');
    const bob = await joinAs('bob');
    await publish(alice, { 'd/good': 'good', 'd/gone': 'gone', 'd/changed': 'old' });
    unlinkSync(alice.path('d/gone'));
    writeFileSync(alice.path('d/changed'), 'changed');
    const result = await fetch(bob, 'd/');
    assert.equal(result.fetched, 1);
    assert.deepEqual(result.failed.map(({ name, error }) => [name, error.code]).sort(), [
      ['d/changed', 'CONTENT_CHANGED'],
      ['d/gone', 'FILE_GONE'],
    ]);
    assert.deepEqual(readdirSync(bob.path('got')), ['good']);
  });

  it('does not choose between different files of one name, unless a host is named', async () => {
    const alice = await joinAs('alice');
    const bob = await joinAs('bob');
    const carol = await joinAs('carol');
    await publish(alice, { 'd/a': 'from alice', 'd/same': 'same' });
    await publish(bob, { 'd/a': 'from bob', 'd/same': 'same' });
    await rejectsWith('AMBIGUOUS_FOLDER', fetch(carol, 'd/'));
    const result = await fetch(carol, 'd/', { fromAll: true });
    assert.deepEqual(
      result.failed.map(({ name, error }) => [name, error.code]),
      [['d/a', 'AMBIGUOUS_NAME']],
    );
    assert.equal(result.fetched, 1);
    assert.equal((await fetch(carol, 'd/', { hostnames: ['bob'] })).failedCount, 0);
    assertSame(carol, { 'got/a': 'from bob' });
  });

  it('keeps out what could make programs run at its place, where that is asked for', async () => {
    const alice = await joinAs('alice');
    const bob = await joinAs('bob');
    await publish(alice, { 'd/.VSCode/tasks.json': '{}', 'd/a': 'a', 'd/sub/package.json': '{}' });
    const result = await fetch(bob, 'd/', { guardedAs: 'shared/d' });
    assert.deepEqual(
      result.failed.map(({ name, error }) => [name, error.code]),
      [
        ['d/.VSCode/tasks.json', 'RISKY_PLACE'],
        ['d/sub/package.json', 'RISKY_PLACE'],
      ],
    );
    assert.equal(result.fetched, 1);
    assert.deepEqual(readdirSync(bob.path('got')), ['a']);
    // Wherever they go, everything below such a folder is.
    const inside = await fetch(bob, 'd/', { guardedAs: '.git/d' });
    assert.equal(inside.failedCount, 3);
  });

  it('fetches from whoever is left when one of the publishers is gone', async () => {
    const alice = await joinAs('alice');
    const bob = await joinAs('bob');
    const carol = await joinAs('carol');
    const files = { 'd/1': 'one', 'd/2': 'two', 'd/3': randomBytes(2 * MIB) };
    await publish(alice, files);
    await publish(bob, files);
    for (const name of Object.keys(files)) unlinkSync(alice.path(name));
    const result = await fetch(carol, 'd/');
    assert.deepEqual([result.fetched, result.failedCount], [3, 0]);
  });

  it('takes files of version 1 publishers, too', async () => {
    const bob = await joinAs('bob');
    const address = await startMisbehavingPeer(cleanup, (socket) => {
      socket.once('data', () => socket.end('LENGTH 3\nold'));
    });
    await registerHost(cleanup, tracker, { hostname: 'v1', address, files: { 'd/old': 3 } });
    assert.equal((await fetch(bob, 'd/')).fetched, 1);
    assertSame(bob, { 'got/old': 'old' });
  });

  const registerEvil = async (names: readonly string[]): Promise<void> => {
    const address = await startMisbehavingPeer(cleanup, (socket) => {
      socket.once('data', () => socket.end('LENGTH 4\nevil'));
    });
    const files = Object.fromEntries(names.map((name) => [name, 4]));
    await registerHost(cleanup, tracker, { hostname: 'evil', address, files });
  };
  const failuresOf = ({ failed }: FolderFetchResult): string[][] =>
    failed.map(({ name, error }) => [name, error.code]).sort();

  it('never writes outside, whatever the names', async () => {
    const bob = await joinAs('bob');
    const [parent, drive] = ['d/../../up', 'd/C:/windows/x'];
    await registerEvil([parent, drive, 'd//etc/passwd', 'd/..\\..\\up', 'd/nul.txt', 'd/fine']);
    const result = await fetch(bob, 'd/', { folder: bob.path('got') });
    assert.deepEqual(failuresOf(result), [
      [parent, 'INVALID_NAME'],
      ['d/..\\..\\up', 'INVALID_NAME'],
      ['d//etc/passwd', 'INVALID_NAME'],
      [drive, 'INVALID_NAME'],
      ['d/nul.txt', 'INVALID_NAME'],
    ]);
    assert.deepEqual(readdirSync(bob.folder), ['got']);
    assertSame(bob, { 'got/fine': 'evil' });
  });

  it('never writes outside, whatever the links', async () => {
    const bob = await joinAs('bob');
    const outside = temporaryFolder(cleanup);
    mkdirSync(bob.path('got'));
    symlinkSync(outside, bob.path('got/link'));
    await registerEvil(['d/link/in', 'd/fine']);
    const alice = await joinAs('alice');
    await publish(alice, { 'd/link/small': 'small' });
    const result = await fetch(bob, 'd/', { folder: bob.path('got'), fromAll: true });
    assert.deepEqual(failuresOf(result), [
      ['d/link/in', 'OUTSIDE_FOLDER'],
      ['d/link/small', 'OUTSIDE_FOLDER'],
    ]);
    assert.deepEqual(readdirSync(outside), []);
    assertSame(bob, { 'got/fine': 'evil' });
  });

  it('stores files under names that the system takes', async () => {
    const bob = await joinAs('bob');
    const onWindows: Record<string, string> = {
      'what?.txt': 'what_.txt',
      'a:b.txt': 'a_b.txt',
      'C:x': 'C_x',
      'say "hi" <all>|*': 'say _hi_ _all___',
      'space ': 'space_',
      'dot.': 'dot_',
    };
    await registerEvil(Object.keys(onWindows).map((name) => `d/${name}`));
    assert.deepEqual(failuresOf(await fetch(bob, 'd/', { folder: bob.path('got') })), []);
    const names = process.platform === 'win32' ? Object.values(onWindows) : Object.keys(onWindows);
    assert.deepEqual(readdirSync(bob.path('got')).sort(), names.sort());
  });

  it('is cancelled in the middle without leaving anything half', async () => {
    const alice = await joinAs('alice');
    const bob = await joinAs('bob');
    const files: Record<string, Buffer> = {};
    for (let index = 0; index < 40; index += 1) files[`d/${index}`] = randomBytes(MIB);
    await publish(alice, files);
    const controller = new AbortController();
    const fetching = bob.peer.fetchFolder(
      { prefix: 'd/', destination: bob.path('got'), ifExists: 'fail' },
      { signal: controller.signal, onProgress: () => controller.abort() },
    );
    await rejectsWith('CANCELLED', fetching);
    assert.deepEqual(leftIn(bob.path('got')), []);
    for (const name of readdirSync(bob.path('got')))
      assert.ok(
        readFileSync(bob.path(join('got', name))).equals(files[`d/${name}`] ?? Buffer.of()),
      );
    assert.equal((await fetch(bob, 'd/')).failedCount, 0);
  });

  it('says that nobody offers anything there', async () => {
    const bob = await joinAs('bob');
    await rejectsWith('NOT_FOUND', fetch(bob, 'nothing/'));
    assert.ok(!existsSync(bob.path('got')));
  });
});
