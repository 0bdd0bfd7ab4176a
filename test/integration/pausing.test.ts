import { strict as assert } from 'node:assert';
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import type { FetchRequest, FetchResult, Transfer } from '../../src/peer/peerApi';
import type { HostPort } from '../../src/protocol/address';
import { useCleanup } from '../support/cleanup';
import { registerHost, startMisbehavingPeer } from '../support/misbehavingPeer';
import { rejectsWith } from '../support/rejectsWith';
import { startPeer, type TestPeer } from '../support/startPeer';
import { startTracker } from '../support/startTracker';
import { eventually } from '../support/waitFor';

const MIB = 1024 * 1024;
/** So much at this speed lasts for several seconds, in the middle of which it is paused. */
const SIZE = 16 * MIB;
const SLOW = 2 * MIB;
/** What the heads of replies may take. */
const OVERHEAD = 64 * 1024;
/** Downloads that run at once. */
const MAX_DOWNLOADS = 4;

describe('pausing and trying again', () => {
  const cleanup = useCleanup();
  const bytes = randomBytes(SIZE);
  let tracker: HostPort;
  let alice: TestPeer;
  let bob: TestPeer;

  beforeEach(async () => {
    ({ address: tracker } = await startTracker(cleanup));
    alice = await startPublisher('alice');
    bob = await startPeer(cleanup, { tracker, settings: { hostname: 'bob' } });
  });

  const startPublisher = (hostname: string): Promise<TestPeer> =>
    startPeer(cleanup, { tracker, settings: { hostname, maxUploadBytesPerSecond: SLOW } });

  const request = (name: string, at = bob): FetchRequest => ({
    name,
    destination: at.path(`in/${name}`),
    ifExists: 'fail',
  });

  const speedUp = (): Promise<void> => alice.peer.configure({ maxUploadBytesPerSecond: 0 });

  const transferOf = async ({ peer }: TestPeer, name: string): Promise<Transfer | undefined> =>
    (await peer.snapshot()).transfers.filter((transfer) => transfer.name === name).at(-1);

  const untilState = (name: string, state: Transfer['state'], atLeast = 0): Promise<Transfer> =>
    eventually(async () => {
      const found = await transferOf(bob, name);
      return found?.state === state && found.bytes >= atLeast ? found : undefined;
    }, `${name} is ${state}`);

  /** All that a download leaves: its parts and what is recorded of them. */
  const leftAt = (peer: TestPeer): string[] =>
    [join(peer.folder, 'in'), join(peer.storageFolder, 'leftovers')].flatMap((folder) =>
      existsSync(folder) ? readdirSync(folder) : [],
    );

  const partsAt = (peer: TestPeer): string[] =>
    leftAt(peer).filter((name) => name.endsWith('.part'));

  /** Fetches until some of it is verified, and pauses; nobody need look at `done`. */
  async function pauseInTheMiddle(
    name: string,
  ): Promise<{ paused: Transfer; done: Promise<FetchResult> }> {
    const done = bob.peer.fetch(request(name));
    done.catch(() => undefined);
    const { id } = await untilState(name, 'running', 2 * MIB);
    await bob.peer.pauseTransfer({ id });
    await untilNobodyIsServed();
    const paused = await untilState(name, 'paused');
    assert.ok(paused.bytes >= 2 * MIB && paused.bytes < SIZE);
    return { paused, done };
  }

  /** The publisher has seen the end of every connection. */
  const untilNobodyIsServed = (): Promise<true> =>
    eventually(async () => {
      const { transfers } = await alice.peer.snapshot();
      return transfers.some(({ state }) => state === 'running') ? undefined : true;
    }, 'the uploads end');

  it('stops all movement, keeps what is verified, and goes on with it', async () => {
    await alice.publish('a.bin', bytes);
    const { paused, done } = await pauseInTheMiddle('a.bin');
    assert.equal(paused.bytesPerSecond, 0);
    assert.equal(paused.totalBytes, SIZE);
    assert.equal(partsAt(bob).length, 1);
    assert.equal(existsSync(bob.path('in/a.bin')), false);
    const sent = async (): Promise<number> =>
      (await alice.peer.snapshot()).transfers.reduce((sum, one) => sum + one.bytes, 0);
    const before = await sent();
    // Another transfer, from beginning to end, is time enough to move.
    await alice.publish('other.bin', randomBytes(MIB));
    await bob.peer.fetch(request('other.bin'));
    assert.equal(await sent(), before + MIB);
    assert.equal((await transferOf(bob, 'a.bin'))?.bytes, paused.bytes);

    await speedUp();
    await bob.peer.resumeTransfer(paused);
    const result = await done;
    assert.ok(result.keptBytes >= paused.bytes, `${result.keptBytes} of ${paused.bytes}`);
    assert.ok(result.receivedBytes < SIZE - result.keptBytes + OVERHEAD);
    assert.ok(readFileSync(result.path).equals(bytes));
    assert.deepEqual(leftAt(bob).sort(), ['a.bin', 'other.bin']);
    assert.equal((await transferOf(bob, 'a.bin'))?.state, 'done');
  });

  it('asks anew who has the content, and leaves its part to nobody meanwhile', async () => {
    await alice.publish('a.bin', bytes);
    const { paused, done } = await pauseInTheMiddle('a.bin');
    const carol = await startPeer(cleanup, { tracker, settings: { hostname: 'carol' } });
    await carol.publish('another-name.bin', bytes);
    await alice.peer.stop();
    const destination = bob.path('in/twin.bin');
    const twin = await bob.peer.fetch({ name: 'another-name.bin', destination, ifExists: 'fail' });
    assert.equal(twin.keptBytes, 0);
    assert.equal(partsAt(bob).length, 1);
    await bob.peer.resumeTransfer(paused);
    const result = await done;
    assert.ok(result.keptBytes >= paused.bytes);
    assert.ok(readFileSync(result.path).equals(bytes));
    assert.deepEqual(leftAt(bob).sort(), ['a.bin', 'twin.bin']);
  });

  it('goes on after several pauses, also with a publisher that came only then', async () => {
    await alice.publish('a.bin', bytes);
    const { paused, done } = await pauseInTheMiddle('a.bin');
    for (let round = 0; round < 3; round += 1) {
      await bob.peer.resumeTransfer(paused);
      await bob.peer.pauseTransfer(paused);
    }
    const carol = await startPeer(cleanup, { tracker, settings: { hostname: 'carol' } });
    await carol.publish('b.bin', bytes);
    await alice.peer.stop();
    await bob.peer.resumeTransfer(paused);
    const result = await done;
    assert.ok(result.keptBytes >= paused.bytes);
    assert.deepEqual(result.sources, ['Somebody']);
    assert.ok(readFileSync(result.path).equals(bytes));
  });

  it('leaves nothing when it is cancelled while it is paused', async () => {
    await alice.publish('a.bin', bytes);
    const { paused, done } = await pauseInTheMiddle('a.bin');
    assert.ok(leftAt(bob).length > 0);
    await bob.peer.cancelTransfer(paused);
    await rejectsWith('CANCELLED', done);
    assert.deepEqual(leftAt(bob), []);
    await untilState('a.bin', 'cancelled');
  });

  it('keeps the part of a paused one when the engine stops, and the next one goes on', async () => {
    await alice.publish('a.bin', bytes);
    const { paused, done } = await pauseInTheMiddle('a.bin');
    await bob.peer.stop();
    await rejectsWith('CANCELLED', done);
    assert.equal(partsAt(bob).length, 1);
    await speedUp();
    const { storageFolder } = bob;
    const again = await startPeer(cleanup, {
      tracker,
      storageFolder,
      settings: { hostname: 'bob' },
    });
    const result = await again.peer.fetch(request('a.bin'));
    assert.ok(result.keptBytes >= paused.bytes);
    assert.ok(readFileSync(result.path).equals(bytes));
    assert.deepEqual(leftAt(bob), ['a.bin']);
  });

  it('gives its turn to the next one, and waits for another when it is resumed', async () => {
    const names = Array.from({ length: MAX_DOWNLOADS + 2 }, (_, index) => `${index}.bin`);
    for (const name of names) await alice.publish(name, randomBytes(2 * MIB));
    const [first = '', , , , next = '', last = ''] = names;
    const fetched = names.map((name) => bob.peer.fetch(request(name)));
    for (const name of names.slice(0, MAX_DOWNLOADS)) await untilState(name, 'running');
    const queued = [await untilState(next, 'waiting'), await untilState(last, 'waiting')];
    const { id } = await untilState(first, 'running');
    await bob.peer.pauseTransfer({ id: queued[1]?.id ?? '' });
    await untilState(last, 'paused');
    await bob.peer.pauseTransfer({ id });
    await untilState(next, 'running');
    await bob.peer.resumeTransfer({ id });
    assert.equal((await transferOf(bob, first))?.state, 'waiting');
    await bob.peer.resumeTransfer({ id: queued[1]?.id ?? '' });
    await speedUp();
    const results = await Promise.all(fetched);
    for (const { sizeBytes } of results) assert.equal(sizeBytes, 2 * MIB);
    assert.deepEqual(leftAt(bob).sort(), names);
  });

  it('pauses a folder as a whole; what is done stays done', async () => {
    for (let index = 0; index < 50; index += 1)
      await alice.publish(`dir/small-${index}.txt`, `small ${index}`);
    for (const name of ['x', 'y']) await alice.publish(`dir/${name}.bin`, randomBytes(SIZE / 2));
    const done = bob.peer.fetchFolder({
      prefix: 'dir/',
      destination: bob.path('in'),
      ifExists: 'fail',
    });
    const { id } = await untilState('dir/', 'running', 2 * MIB);
    await bob.peer.pauseTransfer({ id });
    await untilNobodyIsServed();
    const paused = await untilState('dir/', 'paused');
    assert.equal(partsAt(bob).length > 0, true);
    assert.ok(existsSync(bob.path('in/small-0.txt')));
    await speedUp();
    await bob.peer.resumeTransfer({ id });
    const result = await done;
    assert.equal(result.fetched, 52);
    assert.equal(result.failedCount, 0);
    assert.equal(result.receivedBytes < result.sizeBytes + MIB, true);
    assert.ok(paused.bytes <= result.sizeBytes);
    assert.deepEqual(partsAt(bob), []);
    assert.equal(leftAt(bob).length, 52);
  });

  it('starts one of version 1 anew', async () => {
    const sockets: Socket[] = [];
    const address = await startMisbehavingPeer(cleanup, (socket) => {
      sockets.push(socket);
      const text = sockets.length === 1 ? 'LENGTH 10\n12345' : 'LENGTH 10\n1234567890';
      socket.once('data', () => socket.write(text));
    });
    await registerHost(cleanup, tracker, { hostname: 'old', address, files: { 'v1.bin': 10 } });
    const done = bob.peer.fetch(request('v1.bin'));
    const { id } = await untilState('v1.bin', 'running', 5);
    await bob.peer.pauseTransfer({ id });
    await eventually(() => sockets[0]?.destroyed, 'the connection ends');
    assert.deepEqual(leftAt(bob), []);
    assert.equal((await transferOf(bob, 'v1.bin'))?.state, 'paused');
    await bob.peer.resumeTransfer({ id });
    const { path, keptBytes } = await done;
    assert.equal(keptBytes, 0);
    assert.equal(readFileSync(path, 'utf8'), '1234567890');
  });

  it('starts a failed one again when the publisher is back, once, with what it had', async () => {
    await alice.publish('a.bin', bytes);
    const done = bob.peer.fetch(request('a.bin'));
    done.catch(() => undefined);
    const { id } = await untilState('a.bin', 'running', 2 * MIB);
    await alice.peer.stop();
    await assert.rejects(done);
    await untilState('a.bin', 'failed');
    await rejectsWith('NOT_FOUND', bob.peer.retryTransfer({ id }));

    const carol = await startPeer(cleanup, { tracker, settings: { hostname: 'carol' } });
    await carol.publish('a.bin', bytes);
    await bob.peer.retryTransfer({ id });
    const again = await untilState('a.bin', 'done');
    assert.notEqual(again.id, id);
    assert.ok(readFileSync(bob.path('in/a.bin')).equals(bytes));
    await bob.peer.retryTransfer({ id });
    const { transfers } = await bob.peer.snapshot();
    assert.deepEqual(
      transfers.map(({ state }) => state),
      ['failed', 'done'],
    );
    assert.deepEqual(leftAt(bob), ['a.bin']);
  });

  it('starts a cancelled folder again, and tells how it fails by its transfer', async () => {
    await alice.publish('dir/a.bin', bytes);
    const destination = bob.path('in');
    const done = bob.peer.fetchFolder({ prefix: 'dir/', destination, ifExists: 'fail' });
    done.catch(() => undefined);
    const { id } = await untilState('dir/', 'running', MIB);
    await bob.peer.cancelTransfer({ id });
    await rejectsWith('CANCELLED', done);
    await alice.peer.unpublish({ names: ['dir/a.bin'] });
    await bob.peer.retryTransfer({ id });
    const failed = await untilState('dir/', 'failed');
    assert.equal(failed.error?.code, 'NOT_FOUND');

    await alice.publish('dir/a.bin', bytes);
    await speedUp();
    await bob.peer.retryTransfer(failed);
    await untilState('dir/', 'done');
    assert.ok(readFileSync(bob.path('in/a.bin')).equals(bytes));
  });
});
