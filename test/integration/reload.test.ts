import { strict as assert } from 'node:assert';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { PeershelfError } from '../../src/common/errors';
import type { HostPort } from '../../src/protocol/address';
import type { FetchResult, Transfer } from '../../src/peer/peerApi';
import { useCleanup } from '../support/cleanup';
import { journaledPieces, sha256 } from '../support/commandLine';
import { FakeClock, passTime, watch } from '../support/fakeClock';
import { rejectsWith } from '../support/rejectsWith';
import { startPeer, type StartPeerOptions, type TestPeer } from '../support/startPeer';
import { startTracker } from '../support/startTracker';
import { temporaryFolder } from '../support/temporaryFolder';
import { eventually } from '../support/waitFor';

const MIB = 1024 * 1024;
const SIZE = 24 * MIB + 777;
/** So much time passes at once: a source that answers at all does so long before it would be stalled. */
const STEP_MS = 20;
const DAY_MS = 24 * 3_600_000;
/** Slow enough to be stopped in the middle, fast enough to be there soon. */
const SLOW = { maxDownloadBytesPerSecond: 16 * MIB };

describe('a download whose only publisher goes away for some seconds', () => {
  const cleanup = useCleanup();

  it('goes on when that is back, at another port', async () => {
    const { address: tracker } = await startTracker(cleanup);
    const content = randomBytes(SIZE);
    const alice = await startPeer(cleanup, { tracker, settings: { hostname: 'alice' } });
    const file = await alice.publish('large', content);
    const failures: string[] = [];
    const clock = new FakeClock();
    const bob = await startPeer(cleanup, {
      ...{ tracker, settings: { hostname: 'bob', ...SLOW }, dependencies: { clock } },
      log: (_level, _tag, message) => {
        if (message.startsWith('alice: ')) failures.push(message);
      },
    });
    const part = join(bob.storageFolder, 'leftovers');
    const fetching = watch(
      bob.peer.fetch({ name: 'large', destination: bob.path('copy'), ifExists: 'fail' }),
    );
    // The rate limit lets no more through than time has passed.
    await passTime(clock, 'some pieces', () => journaledPieces(part).size >= 4, STEP_MS);
    const port = (await alice.peer.snapshot()).serving?.port;
    await alice.peer.stop();
    // One for the connection that ended, and one for each attempt in about four seconds.
    await passTime(clock, 'some failures', () => failures.length >= 5, STEP_MS);
    await occupy(cleanup, port);
    const again = await startPeer(cleanup, { tracker, settings: { hostname: 'alice' } });
    await again.peer.publish({ files: [{ path: file, name: 'large', folder: dirname(file) }] });
    assert.notEqual((await again.peer.snapshot()).serving?.port, port);
    await passTime(clock, 'the rest', fetching.isSettled, STEP_MS);
    const { receivedBytes } = await fetching.promise;
    assert.equal(sha256(readFileSync(bob.path('copy'))), sha256(content));
    assert.ok(receivedBytes < 1.5 * SIZE, `${receivedBytes}`);
  });
});

describe('a download that was not finished', () => {
  const cleanup = useCleanup();
  const content = randomBytes(SIZE);
  let tracker: HostPort;
  let storageFolder: string;
  let into: string;
  let publisher: TestPeer;

  beforeEach(async () => {
    ({ address: tracker } = await startTracker(cleanup));
    storageFolder = temporaryFolder(cleanup);
    into = temporaryFolder(cleanup);
    publisher = await startPeer(cleanup, { tracker, settings: { hostname: 'alice' } });
    await publisher.publish('large', content);
  });

  const startFetcher = (options: StartPeerOptions = {}): Promise<TestPeer> =>
    startPeer(cleanup, { tracker, storageFolder, keepCatalogue: false, ...options });
  const fetch = ({ peer }: TestPeer, destination = join(into, 'copy')): Promise<FetchResult> =>
    peer.fetch({ name: 'large', destination, ifExists: 'fail' });
  const records = (): string => join(storageFolder, 'leftovers');
  const recordsLeft = (): string[] => (existsSync(records()) ? readdirSync(records()) : []);
  const partsIn = (folder: string): string[] =>
    readdirSync(folder).filter((name) => name.endsWith('.part'));
  const untilPieces = (count: number): Promise<number> =>
    eventually(() => {
      const { size } = journaledPieces(records());
      return size >= count ? size : undefined;
    }, `${count} pieces`);
  const assertRight = (path = join(into, 'copy')): void =>
    assert.equal(sha256(readFileSync(path)), sha256(content));

  /** Leaves a part of some pieces, as an editor does that is closed in the middle. */
  async function leavePart(): Promise<{ part: string; keptBytes: number }> {
    const first = await startFetcher({ settings: SLOW });
    const fetching = fetch(first);
    fetching.catch(() => undefined);
    await untilPieces(4);
    await first.peer.stop();
    await assert.rejects(fetching);
    const [part] = partsIn(into);
    assert.ok(part !== undefined);
    assert.equal(existsSync(join(into, 'copy')), false);
    return { part: join(into, part), keptBytes: journaledPieces(records()).size * MIB };
  }

  it('is gone on with by the next peer on the same storage, and nothing stays', async () => {
    const { keptBytes } = await leavePart();
    assert.equal(recordsLeft().length, 2);
    const result = await fetch(await startFetcher());
    assert.ok(result.keptBytes >= keptBytes && keptBytes > 0, `${result.keptBytes}`);
    assert.ok(result.receivedBytes <= SIZE - keptBytes + MIB / 10, `${result.receivedBytes}`);
    assertRight();
    assert.deepEqual([recordsLeft(), partsIn(into)], [[], []]);
  });

  it('is gone on with for another place on the same disk', async () => {
    const { keptBytes } = await leavePart();
    const elsewhere = join(temporaryFolder(cleanup), 'new folder', 'copy');
    const result = await fetch(await startFetcher(), elsewhere);
    assert.ok(result.keptBytes >= keptBytes);
    assertRight(elsewhere);
    assert.deepEqual([recordsLeft(), readdirSync(into)], [[], []]);
  });

  it('goes with everything of it when it is cancelled', async () => {
    const bob = await startFetcher({ settings: SLOW });
    const fetching = fetch(bob);
    fetching.catch(() => undefined);
    await untilPieces(3);
    const { transfers } = await bob.peer.snapshot();
    const running = transfers.find(({ state }) => state === 'running');
    await bob.peer.cancelTransfer({ id: running?.id ?? '' });
    await rejectsWith('CANCELLED', fetching);
    assert.deepEqual([recordsLeft(), readdirSync(into)], [[], []]);
  });

  it('goes at the next start when nobody has asked for it in a week, and stays before', async () => {
    const { part } = await leavePart();
    const touch = (days: number): void => {
      const seconds = (Date.now() - days * DAY_MS) / 1000;
      utimesSync(part, seconds, seconds);
    };
    touch(6.9);
    await startFetcher();
    assert.equal(existsSync(part), true);
    touch(7.1);
    await startFetcher();
    assert.deepEqual([recordsLeft(), readdirSync(into)], [[], []]);
  });

  describe('in a window that is loaded again', () => {
    const startWindow = (options: StartPeerOptions = {}): Promise<TestPeer> =>
      startFetcher({ keepCatalogue: true, windowId: 'window', ...options });
    const other = randomBytes(SIZE);
    beforeEach(() => publisher.publish('other', other));
    const transfersOf = async ({ peer }: TestPeer): Promise<readonly Transfer[]> =>
      (await peer.snapshot()).transfers;

    /** Two downloads, one of which is paused, when the window goes. */
    async function leaveTwo(): Promise<void> {
      const first = await startWindow({ settings: SLOW });
      const running = fetch(first);
      const destination = join(into, 'paused');
      const paused = first.peer.fetch({ name: 'other', destination, ifExists: 'fail' });
      for (const each of [running, paused]) each.catch(() => undefined);
      await eventually(async () => {
        const transfers = await transfersOf(first);
        const isUnderWay = ({ bytes }: Transfer): boolean => bytes > 4 * MIB;
        return (transfers.length === 2 && transfers.every(isUnderWay)) || undefined;
      }, 'some of both');
      const second = (await transfersOf(first)).find(({ path }) => path === destination);
      await first.peer.pauseTransfer({ id: second?.id ?? '' });
      await first.peer.stop();
      await assert.rejects(running);
    }

    it('ends when its session is left, and goes on there and nowhere else', async () => {
      const { address: elsewhere } = await startTracker(cleanup);
      const stranger = await startPeer(cleanup, {
        ...{ tracker: elsewhere, settings: { hostname: 'alice' } },
      });
      await stranger.publish('large', 'of somebody else');
      const window = await startWindow({ settings: SLOW });
      const running = fetch(window);
      running.catch(() => undefined);
      await untilPieces(4);
      await window.peer.connect({ tracker: elsewhere });
      await rejectsWith('SESSION_CHANGED', running);
      for (const { id, state, canRetry } of await transfersOf(window)) {
        assert.equal(canRetry || state === 'paused' || state === 'running', false, state);
        await window.peer.retryTransfer({ id });
        await window.peer.resumeTransfer({ id });
      }
      assert.deepEqual(readdirSync(into), partsIn(into));
      assert.equal(partsIn(into).length, 1);
      await window.peer.connect({ tracker });
      await eventually(async () => {
        const all = await transfersOf(window);
        return all.some(({ name, state }) => name === 'large' && state === 'done') || undefined;
      }, 'gone on with');
      assertRight();
    });

    it('goes on by itself, and stays paused when it was', async () => {
      await leaveTwo();
      const again = await startWindow();
      await eventually(async () => {
        const states = (await transfersOf(again)).map(({ state }) => state).sort();
        return states.join() === 'done,paused' || undefined;
      }, 'one is done');
      assertRight();
      assert.equal(existsSync(join(into, 'paused')), false);
      const paused = (await transfersOf(again)).find(({ state }) => state === 'paused');
      await again.peer.resumeTransfer({ id: paused?.id ?? '' });
      await eventually(async () => {
        const states = (await transfersOf(again)).map(({ state }) => state);
        return states.join() === 'done,done' || undefined;
      }, 'both are done');
      assert.ok(readFileSync(join(into, 'paused')).equals(other));
      assert.deepEqual([recordsLeft(), partsIn(into)], [[], []]);
      await again.peer.stop();
      assert.deepEqual(await transfersOf(await startWindow()), []);
    });

    it('waits for its publisher, and leaves nothing when it is cancelled', async () => {
      await leaveTwo();
      await publisher.peer.stop();
      const again = await startWindow();
      const shown = await eventually(async () => {
        const transfers = await transfersOf(again);
        return transfers.length === 2 ? transfers : undefined;
      }, 'both are shown');
      for (const { id, state, bytes, totalBytes } of shown) {
        assert.deepEqual([state, totalBytes], ['paused', SIZE]);
        assert.ok(bytes < SIZE);
        // Not while it is tried to go on by itself.
        await eventually(
          () =>
            again.peer.resumeTransfer({ id }).then(
              () => undefined,
              (error: unknown) => PeershelfError.is(error, 'NOT_FOUND') || undefined,
            ),
          'nobody offers it',
        );
        await again.peer.cancelTransfer({ id });
      }
      assert.deepEqual([recordsLeft(), readdirSync(into)], [[], []]);
      await again.peer.stop();
      assert.deepEqual(await transfersOf(await startWindow()), []);
    });
  });

  it('goes at the next start, part by part, when its file is there under its name already', async () => {
    const { part } = await leavePart();
    // A process that ends between giving the name and taking the temporary one away.
    linkSync(part, join(into, 'copy'));
    await startFetcher();
    assert.deepEqual([recordsLeft(), readdirSync(into)], [[], ['copy']]);
  });

  it('is not written to when its file has its name: that may have changed since', async () => {
    const bob = await startFetcher();
    const { part } = await leavePart();
    linkSync(part, join(into, 'mine'));
    writeFileSync(join(into, 'mine'), 'changed');
    // No start in between that would have removed it.
    const result = await fetch(bob);
    assert.equal(result.keptBytes, 0);
    assertRight();
    assert.equal(readFileSync(join(into, 'mine'), 'utf8'), 'changed');
  });

  it('is begun anew when its part is gone', async () => {
    const { part } = await leavePart();
    rmSync(part);
    assert.equal((await fetch(await startFetcher())).keptBytes, 0);
    assertRight();
    assert.deepEqual([recordsLeft(), readdirSync(into)], [[], ['copy']]);
  });

  it('of the same content does not disturb one in another window', async () => {
    const others = join(temporaryFolder(cleanup), 'copy');
    const [bob, carol] = await Promise.all([
      startFetcher({ settings: SLOW }),
      startFetcher({ settings: SLOW }),
    ]);
    const results = await Promise.all([fetch(bob), fetch(carol, others)]);
    for (const { keptBytes, outcome } of results)
      assert.deepEqual([keptBytes, outcome], [0, 'fetched']);
    assertRight();
    assertRight(others);
    assert.deepEqual(
      [recordsLeft(), readdirSync(into), partsIn(dirname(others))],
      [[], ['copy'], []],
    );
  });

  it('of the same content in one window, into the same folder, makes two whole files', async () => {
    const bob = await startFetcher({ settings: SLOW });
    const results = await Promise.all([fetch(bob), fetch(bob, join(into, 'second'))]);
    for (const { keptBytes } of results) assert.equal(keptBytes, 0);
    assertRight();
    assertRight(join(into, 'second'));
    assert.deepEqual(readdirSync(into), ['copy', 'second']);
    assert.deepEqual(recordsLeft(), []);
  });

  it('is left alone while another living window works on it, and taken over when that has died', async () => {
    const { part } = await leavePart();
    const other = spawn(process.execPath, ['-e', 'setInterval(() => undefined, 1000)']);
    cleanup.add(() => other.kill('SIGKILL'));
    const [record = ''] = recordsLeft().filter((name) => name.endsWith('.json'));
    const path = join(records(), record);
    const stored = JSON.parse(readFileSync(path, 'utf8')) as object;
    const claimed = JSON.stringify({ ...stored, pid: other.pid, window: 'another' });
    mkdirSync(records(), { recursive: true });
    writeFileSync(path, claimed);
    const before = {
      left: recordsLeft(),
      bytes: sha256(readFileSync(part)),
      at: statSync(part).mtimeMs,
    };

    const bob = await startFetcher();
    assert.equal((await fetch(bob)).keptBytes, 0);
    assertRight();
    const after = {
      left: recordsLeft(),
      bytes: sha256(readFileSync(part)),
      at: statSync(part).mtimeMs,
    };
    assert.deepEqual(after, before);
    assert.equal(readFileSync(path, 'utf8'), claimed);

    const died = new Promise((resolve) => other.once('exit', resolve));
    other.kill('SIGKILL');
    await died;
    // Otherwise the file would be copied from there.
    rmSync(join(into, 'copy'));
    assert.ok((await fetch(bob, join(into, 'second'))).keptBytes > 0);
    assertRight(join(into, 'second'));
    assert.deepEqual([recordsLeft(), partsIn(into)], [[], []]);
  });
});

/** Nobody serves at this port as long as the test runs. */
async function occupy(cleanup: ReturnType<typeof useCleanup>, port = 0): Promise<void> {
  const server = createServer((socket) => socket.destroy());
  cleanup.add(() => server.close());
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
}
