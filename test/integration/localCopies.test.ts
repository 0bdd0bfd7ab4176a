import { strict as assert } from 'node:assert';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { FetchResult } from '../../src/peer/peerApi';
import type { HostPort } from '../../src/protocol/address';
import { useCleanup } from '../support/cleanup';
import { canMakeDisk, folderOnDisk, sharingDisk } from '../support/smallDisk';
import { rejectsWith } from '../support/rejectsWith';
import { startPeer, type StartPeerOptions, type TestPeer } from '../support/startPeer';
import { startTracker } from '../support/startTracker';
import { temporaryFolder } from '../support/temporaryFolder';

const MIB = 1024 * 1024;
const NAME = 'file.bin';

describe('content that is on this disk already', () => {
  const cleanup = useCleanup();
  const content = randomBytes(6 * MIB + 321);
  let tracker: HostPort;
  let storageFolder: string;
  let log: string[];

  beforeEach(async () => {
    ({ address: tracker } = await startTracker(cleanup));
    storageFolder = temporaryFolder(cleanup);
    log = [];
    const alice = await startPeer(cleanup, { tracker, settings: { hostname: 'alice' } });
    await alice.publish(NAME, content);
  });

  const startBob = (options: StartPeerOptions = {}): Promise<TestPeer> =>
    startPeer(cleanup, {
      ...{ tracker, storageFolder, keepCatalogue: false, settings: { hostname: 'bob' } },
      log: (_level, _tag, message) => log.push(message),
      ...options,
    });
  const fetch = ({ peer }: TestPeer, destination: string): Promise<FetchResult> =>
    peer.fetch({ name: NAME, destination, ifExists: 'fail' });
  const assertCopied = ({ path, ...result }: FetchResult): void => {
    const { outcome, receivedBytes, keptBytes, sources } = result;
    const expected = ['fetched', 0, content.length, []];
    assert.deepEqual([outcome, receivedBytes, keptBytes, sources], expected);
    assertRight(path);
  };
  const assertTransferred = ({ path, ...result }: FetchResult): void => {
    assert.deepEqual([result.outcome, result.keptBytes], ['fetched', 0]);
    assert.ok(result.receivedBytes >= content.length, `${result.receivedBytes}`);
    assertRight(path);
  };
  /** Whole, and nothing beside it. */
  function assertRight(path: string): void {
    assert.ok(readFileSync(path).equals(content));
    assert.deepEqual(
      readdirSync(dirname(path)).filter((name) => name.endsWith('.part')),
      [],
    );
  }

  it('because it is published here, under another name, is copied', async () => {
    const bob = await startBob();
    await bob.publish('mine', content);
    assertCopied(await fetch(bob, bob.path('new folder/copy')));
  });

  it('because it was fetched before, is copied, in the next process too', async () => {
    const bob = await startBob();
    assertTransferred(await fetch(bob, bob.path('first')));
    assertCopied(await fetch(bob, bob.path('second')));
    await bob.peer.stop();
    const later = await startBob();
    rmSync(bob.path('first'));
    assertCopied(await fetch(later, later.path('third')));
  });

  it('is transferred when the file there is gone, or holds other bytes', async () => {
    const bob = await startBob();
    assertTransferred(await fetch(bob, bob.path('first')));
    for (const other of [randomBytes(content.length), Buffer.from('short'), undefined]) {
      for (const name of readdirSync(bob.folder)) rmSync(bob.path(name));
      if (other !== undefined) writeFileSync(bob.path('first'), other);
      assertTransferred(await fetch(bob, bob.path('second')));
    }
  });

  if (process.platform !== 'win32')
    it('is transferred when something that never ends is in its place', async () => {
      const bob = await startBob();
      await fetch(bob, bob.path('first'));
      rmSync(bob.path('first'));
      execFileSync('mkfifo', [bob.path('first')]);
      assertTransferred(await fetch(bob, bob.path('second')));
    });

  it('replaces nothing, and leaves nothing when it cannot be placed', async () => {
    const bob = await startBob();
    await bob.publish('mine', content);
    const mine = randomBytes(content.length);
    writeFileSync(bob.path('taken'), mine);
    await rejectsWith('DESTINATION_EXISTS', fetch(bob, bob.path('taken')));
    assert.ok(readFileSync(bob.path('taken')).equals(mine));
    assert.deepEqual(readdirSync(bob.folder).sort(), ['mine', 'taken']);
  });

  const WHAT = 'on a disk where files can share blocks';
  const disk = sharingDisk(192);
  if (canMakeDisk(WHAT, disk))
    describe(WHAT, () => {
      const shared = randomBytes(32 * MIB);
      let root: string;

      beforeEach(async () => {
        root = folderOnDisk(cleanup, disk);
        const carol = await startPeer(cleanup, { tracker, settings: { hostname: 'carol' } });
        await carol.publish('shared.bin', shared);
      });

      const inDisk = (name: string): string => join(root, name);
      const fetchShared = ({ peer }: TestPeer, name: string): Promise<FetchResult> =>
        peer.fetch({ name: 'shared.bin', destination: inDisk(name), ifExists: 'fail' });
      /** How many bytes of a file lie in blocks of its own, and in those of others too. */
      const bytesOf = (path: string): { total: number; shared: number } => {
        execFileSync('sync', ['-f', path]);
        const printed = execFileSync('btrfs', ['filesystem', 'du', '--raw', path]).toString();
        const [, total = '', own = ''] = /^\s*(\d+)\s+(\d+)\s/mu.exec(printed) ?? [];
        return { total: Number(total), shared: Number(total) - Number(own) };
      };

      it('takes no room, whether it was published or fetched there', async () => {
        const bob = await startBob();
        const path = inDisk('published');
        writeFileSync(path, shared);
        await bob.peer.publish({ files: [{ path, name: 'published' }] });
        const first = await fetchShared(bob, 'copy');
        assert.deepEqual([first.receivedBytes, first.keptBytes], [0, shared.length]);
        assert.ok(readFileSync(inDisk('copy')).equals(shared));
        assert.deepEqual(bytesOf(inDisk('copy')), { total: shared.length, shared: shared.length });
        assert.ok(log.some((line) => line === `shared.bin: cloned from ${path}`));

        // Six more would not fit if each took its own.
        for (let index = 0; index < 6; index += 1) {
          const next = await fetchShared(bob, `again/${index}`);
          assert.equal(next.receivedBytes, 0);
        }
        // What is written into one of them stays there.
        writeFileSync(path, 'changed');
        assert.ok(readFileSync(inDisk('again/5')).equals(shared));
      });

      it('is copied when it lies on another disk, and shared from there on', async () => {
        const bob = await startBob();
        await bob.publish('elsewhere', shared);
        mkdirSync(inDisk('into'));
        const first = await fetchShared(bob, 'into/first');
        assert.equal(first.receivedBytes, 0);
        assert.equal(bytesOf(inDisk('into/first')).shared, 0);
        rmSync(bob.path('elsewhere'));
        await fetchShared(bob, 'into/second');
        assert.equal(bytesOf(inDisk('into/second')).shared, shared.length);
      });
    });
});
