import { strict as assert } from 'node:assert';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { formatHostPort, type HostPort } from '../../src/protocol/address';
import type { ConnectionState } from '../../src/peer/peerApi';
import { useCleanup } from '../support/cleanup';
import { HEARTBEAT_INTERVALS_MS, HOST_EXPIRY_MS } from '../../src/protocol/limits';
import { FakeClock } from '../support/fakeClock';
import { PeershelfError } from '../../src/common/errors';
import { startMisbehavingPeer } from '../support/misbehavingPeer';
import { freePort, occupyPort } from '../support/ports';
import { connectRaw } from '../support/rawPeer';
import { RawClient } from '../support/rawClient';
import { rejectsWith } from '../support/rejectsWith';
import { startPeer, type TestPeer } from '../support/startPeer';
import { startTracker } from '../support/startTracker';
import { temporaryFolder } from '../support/temporaryFolder';
import { eventually, nextEvent } from '../support/waitFor';

const isKind =
  (kind: ConnectionState['kind']) =>
  (state: ConnectionState): boolean =>
    state.kind === kind;

describe('the session with a tracker', () => {
  const cleanup = useCleanup();

  const namesAt = async (tracker: HostPort): Promise<string[]> => {
    const looker = await startPeer(cleanup, { tracker, settings: { hostname: 'looker' } });
    await looker.peer.refreshNetwork();
    const { files } = await looker.peer.networkFiles({ limit: 100 });
    return files.map(({ hostname, name }) => `${hostname}/${name}`);
  };
  const kindOf = async ({ peer }: TestPeer): Promise<ConnectionState['kind']> =>
    (await peer.snapshot()).connection.kind;

  it('reports an unreachable tracker at once, and connects when it is there', async () => {
    const port = await freePort();
    const tracker = { host: '127.0.0.1', port };
    const alice = await startPeer(cleanup);
    const error = await rejectsWith('TRACKER_UNREACHABLE', alice.peer.connect({ tracker }));
    assert.equal(error.details['address'], `127.0.0.1:${port}`);
    const connected = nextEvent(alice.peer.onDidChangeConnection, isKind('connected'));
    await startTracker(cleanup, { port });
    await connected;
  });

  it('offers everything again after the tracker was restarted', async () => {
    const first = await startTracker(cleanup);
    const alice = await startPeer(cleanup, {
      tracker: first.address,
      settings: { hostname: 'alice' },
    });
    await alice.publish('a.txt');
    await alice.publish('b.txt');
    const lost = nextEvent(alice.peer.onDidChangeConnection, isKind('waiting'));
    await first.tracker.stop();
    await lost;
    const back = nextEvent(alice.peer.onDidChangeConnection, isKind('connected'));
    await startTracker(cleanup, { port: first.address.port });
    await back;
    assert.deepEqual(await namesAt(first.address), ['alice/a.txt', 'alice/b.txt']);
  });

  it('publishes while the tracker is away, and offers it when it is back', async () => {
    const first = await startTracker(cleanup);
    const alice = await startPeer(cleanup, {
      tracker: first.address,
      settings: { hostname: 'alice' },
    });
    const lost = nextEvent(alice.peer.onDidChangeConnection, isKind('waiting'));
    await first.tracker.stop();
    await lost;
    const { details } = await rejectsWith('NOT_CONNECTED', alice.peer.refreshNetwork());
    assert.deepEqual(details, { tracker: formatHostPort(first.address) });
    await alice.publish('late.txt');
    assert.equal((await alice.peer.snapshot()).published[0]?.state, 'pending');
    const back = nextEvent(alice.peer.onDidChangeConnection, isKind('connected'));
    await startTracker(cleanup, { port: first.address.port });
    await back;
    assert.equal((await alice.peer.snapshot()).published[0]?.state, 'offered');
    assert.deepEqual(await namesAt(first.address), ['alice/late.txt']);
  });

  it('disconnects while it is still connecting', async () => {
    const alice = await startPeer(cleanup);
    const port = await freePort();
    const connecting = alice.peer.connect({ tracker: { host: '127.0.0.1', port } });
    await Promise.allSettled([connecting, alice.peer.disconnect()]);
    assert.equal(await kindOf(alice), 'disconnected');
  });

  it('registers again when the tracker has forgotten it, as its heartbeat finds out', async () => {
    const trackerClock = new FakeClock();
    const peerClock = new FakeClock();
    const { address } = await startTracker(cleanup, {}, { clock: trackerClock });
    const alice = await startPeer(cleanup, {
      tracker: address,
      settings: { hostname: 'alice' },
      dependencies: { clock: peerClock },
    });
    await alice.publish('a.txt');
    trackerClock.advance(HOST_EXPIRY_MS + 60_000);
    const looker = await RawClient.connect(cleanup, address);
    const isListed = async (): Promise<boolean> =>
      (await looker.ask('DISCOVER', { hostname: 'alice' }))['status'] === 'OK';
    assert.equal(await isListed(), false);
    peerClock.advance(HEARTBEAT_INTERVALS_MS.active);
    await eventually(async () => (await isListed()) || undefined, 'it is offered again');
  });

  it('joins the last of several trackers that were wished for at once, and only that', async () => {
    const [one, two] = [await startTracker(cleanup), await startTracker(cleanup)];
    const alice = await startPeer(cleanup, {
      tracker: one.address,
      settings: { hostname: 'alice' },
    });
    await alice.publish('a.txt');
    const results = await Promise.allSettled([
      alice.peer.connect({ tracker: { host: '127.0.0.1', port: await freePort() } }),
      alice.peer.disconnect(),
      alice.peer.connect({ tracker: two.address }),
    ]);
    assert.equal(results[2].status, 'fulfilled');
    assert.equal(await kindOf(alice), 'connected');
    await alice.publish('b.txt');
    assert.deepEqual(await namesAt(two.address), ['alice/b.txt']);
    assert.deepEqual(await namesAt(one.address), []);
  });

  it('gives up a tracker that does not answer as soon as another one is wished for', async () => {
    const silent = await startMisbehavingPeer(cleanup, () => undefined);
    const { address: tracker } = await startTracker(cleanup);
    const alice = await startPeer(cleanup);
    const first = rejectsWith('CANCELLED', alice.peer.connect({ tracker: silent }));
    await alice.peer.connect({ tracker });
    await first;
    const controller = new AbortController();
    const cancelled = alice.peer.connect({ tracker: silent }, { signal: controller.signal });
    controller.abort();
    await rejectsWith('CANCELLED', cancelled);
    assert.equal(await kindOf(alice), 'disconnected');
  });

  it('takes nobody for a tracker who does not speak as one', async () => {
    for (const banner of ['SSH-2.0-OpenSSH_9.2\r\n', 'HTTP/1.1 400 Bad Request\r\n\r\n']) {
      const tracker = await startMisbehavingPeer(cleanup, (socket) => socket.write(banner));
      const alice = await startPeer(cleanup);
      const error = await alice.peer.connect({ tracker }).catch((failure: unknown) => failure);
      assert.ok(PeershelfError.is(error, 'INVALID_MESSAGE'), String(error));
      assert.notEqual(await kindOf(alice), 'connected');
      await alice.peer.stop();
    }
  });

  it('backs off from a tracker that is full', async () => {
    const { address } = await startTracker(cleanup, { limits: { maxConnections: 1 } });
    await startPeer(cleanup, { tracker: address });
    const alice = await startPeer(cleanup);
    let attempts = 0;
    alice.peer.onDidChangeConnection(({ kind }) => (attempts += kind === 'connecting' ? 1 : 0));
    await assert.rejects(alice.peer.connect({ tracker: address }));
    await nextEvent(alice.peer.onDidChangeConnection, () => attempts >= 3);
    assert.ok(attempts < 5);
  });

  it('cancels a fetch while the tracker is asked', async () => {
    const slow = await startMisbehavingPeer(cleanup, (socket) => {
      socket.once('data', () => {
        socket.write('{"status":"ERROR","reason":"unknown action HELLO"}\n');
        socket.once('data', () => socket.write('{"status":"DEAD"}\n'));
      });
    });
    const alice = await startPeer(cleanup, { tracker: slow });
    const controller = new AbortController();
    const fetching = alice.peer.fetch(
      { name: 'x', destination: alice.path('x'), ifExists: 'fail' },
      { signal: controller.signal },
    );
    controller.abort();
    await rejectsWith('CANCELLED', fetching);
  });

  it('lets look and fetch when nothing can be offered, and says why', async () => {
    const { address: tracker } = await startTracker(cleanup);
    const bob = await startPeer(cleanup, { tracker, settings: { hostname: 'bob' } });
    await bob.publish('b.txt');
    const before = await startPeer(cleanup, { tracker, settings: { hostname: 'alice' } });
    await before.publish('a.txt');
    await before.peer.stop();
    const port = await occupyPort(cleanup);
    const alice = await startPeer(cleanup, {
      tracker,
      storageFolder: before.storageFolder,
      settings: { hostname: 'alice', ports: { first: port, last: port } },
    });
    const { connection, published } = await alice.peer.snapshot();
    assert.equal(connection.kind === 'connected' && connection.problem?.code, 'PORT_IN_USE');
    assert.equal(published[0]?.state, 'pending');
    await alice.peer.fetch({ name: 'b.txt', destination: alice.path('b'), ifExists: 'fail' });

    const isWell = (state: ConnectionState): boolean =>
      state.kind === 'connected' && state.problem === undefined;
    const solved = nextEvent(alice.peer.onDidChangeConnection, isWell);
    await alice.peer.configure({ ports: { first: 0, last: 0 } });
    await solved;
    await bob.peer.fetch({ name: 'a.txt', destination: bob.path('a'), ifExists: 'fail' });
  });

  it('publishes nothing in a session that was joined meanwhile', async () => {
    const { address: tracker } = await startTracker(cleanup);
    const { address: other } = await startTracker(cleanup);
    const alice = await startPeer(cleanup, { tracker, settings: { hostname: 'alice' } });
    const path = alice.write('large', Buffer.alloc(64 * 1024 * 1024, 1));
    const files = [{ path, name: 'large', folder: alice.folder }];
    let joining: Promise<void> | undefined;
    const onProgress = (): void => void (joining ??= alice.peer.connect({ tracker: other }));
    await rejectsWith('SESSION_CHANGED', alice.peer.publish({ files }, { onProgress }));
    await joining;
    assert.deepEqual((await alice.peer.snapshot()).published, []);
  });

  it('keeps one file under one name', async () => {
    const { address: tracker } = await startTracker(cleanup);
    const alice = await startPeer(cleanup, { tracker });
    const one = alice.write('one', '1');
    const two = alice.write('two', '2');
    const outcomes = await alice.peer.publish({
      files: [
        { path: one, name: 'Tiếng'.normalize('NFC') },
        { path: two, name: 'Tiếng'.normalize('NFD') },
      ],
    });
    assert.deepEqual(
      outcomes.map(({ error }) => error?.code),
      [undefined, 'NAME_CLASH'],
    );
    const [again] = await alice.peer.publish({ files: [{ path: two, name: 'Tiếng' }] });
    assert.equal(again?.error?.details['path'], one);
    unlinkSync(one);
    const [moved] = await alice.peer.publish({ files: [{ path: two, name: 'Tiếng' }] });
    assert.equal(moved?.error, undefined);
  });

  it('refuses to connect once it has been stopped', async () => {
    const { address: tracker } = await startTracker(cleanup);
    const alice = await startPeer(cleanup, { tracker });
    await alice.peer.stop();
    await rejectsWith('ENGINE_STOPPED', alice.peer.connect({ tracker }));
  });

  it('stops twice, during a connect too', async () => {
    const alice = await startPeer(cleanup);
    const connecting = alice.peer.connect({
      tracker: { host: '127.0.0.1', port: await freePort() },
    });
    await Promise.allSettled([connecting, alice.peer.stop(), alice.peer.stop()]);
    await alice.peer.stop();
  });

  it('is not registered before it publishes, and says goodbye when it leaves', async () => {
    const { address } = await startTracker(cleanup);
    const alice = await startPeer(cleanup, { tracker: address, settings: { hostname: 'alice' } });
    assert.equal(await alice.peer.ping({ hostname: 'alice' }), false);
    await alice.publish('a.txt');
    assert.equal(await alice.peer.ping({ hostname: 'alice' }), true);
    const { serving } = await alice.peer.snapshot();
    await alice.peer.disconnect();
    assert.deepEqual(await namesAt(address), []);
    assert.ok(serving);
    await assert.rejects(connectRaw(cleanup, serving), { code: 'ECONNREFUSED' });
  });

  it('offers nothing in another session, and everything again in the first', async () => {
    const one = await startTracker(cleanup);
    const two = await startTracker(cleanup);
    const alice = await startPeer(cleanup, {
      tracker: one.address,
      settings: { hostname: 'alice' },
    });
    await alice.publish('a.txt');
    await alice.peer.connect({ tracker: two.address });
    assert.deepEqual(await namesAt(two.address), []);
    await alice.peer.connect({ tracker: one.address });
    assert.deepEqual(await namesAt(one.address), ['alice/a.txt']);
  });

  it('takes another hostname when another peer has it, and the wished one when it is free', async () => {
    const { address } = await startTracker(cleanup);
    const one = await startPeer(cleanup, { tracker: address, settings: { hostname: 'alice' } });
    const two = await startPeer(cleanup, { tracker: address, settings: { hostname: 'alice' } });
    await one.publish('a.txt');
    await two.publish('b.txt');
    assert.deepEqual(await namesAt(address), ['alice/a.txt', 'alice-2/b.txt']);
  });

  it('registers under a new display name while connected', async () => {
    const { address } = await startTracker(cleanup);
    const alice = await startPeer(cleanup, { tracker: address });
    await alice.publish('a.txt');
    await alice.peer.configure({ displayName: 'Alice Ánh' });
    const bob = await startPeer(cleanup, { tracker: address, settings: { hostname: 'bob' } });
    await bob.peer.refreshNetwork();
    assert.equal((await bob.peer.networkPeers())[0]?.displayName, 'Alice Ánh');
  });

  it('reports a file that the tracker refuses, and goes on with the others', async () => {
    const { address } = await startTracker(cleanup, { limits: { maxFilesPerHost: 2 } });
    const alice = await startPeer(cleanup, { tracker: address });
    await alice.publish('1');
    await alice.publish('2');
    const path = alice.write('3', 'x');
    const [outcome] = await alice.peer.publish({ files: [{ path, name: '3' }] });
    assert.equal(outcome?.error?.code, 'TRACKER_REFUSED');
    assert.equal((await alice.peer.snapshot()).published.length, 2);
  });

  it('sees what others publish while it watches', async () => {
    const { address } = await startTracker(cleanup);
    const bob = await startPeer(cleanup, { tracker: address, settings: { hostname: 'bob' } });
    const alice = await startPeer(cleanup, { tracker: address, settings: { hostname: 'alice' } });
    await bob.peer.watchNetwork({ watching: true });
    const seen = nextEvent(bob.peer.onDidChangeNetwork, ({ files }) => files === 1);
    await alice.publish('a.txt');
    assert.equal((await seen).peers, 1);
    await bob.peer.disconnect();
    assert.equal((await bob.peer.networkFiles({ limit: 1 })).total, 0);
  });

  describe('after a restart', () => {
    it('offers what was published before, from the same place', async () => {
      const { address } = await startTracker(cleanup);
      const before = await startPeer(cleanup, {
        tracker: address,
        settings: { hostname: 'alice' },
      });
      await before.publish('a.txt');
      await before.peer.stop();
      assert.deepEqual(await namesAt(address), []);
      const { storageFolder } = before;
      await startPeer(cleanup, {
        tracker: address,
        storageFolder,
        settings: { hostname: 'alice' },
      });
      assert.deepEqual(await namesAt(address), ['alice/a.txt']);
    });

    it('puts a damaged catalogue aside and starts empty', async () => {
      const { address } = await startTracker(cleanup);
      const before = await startPeer(cleanup, { tracker: address });
      await before.publish('a.txt');
      await before.peer.stop();
      const slot = join(before.storageFolder, 'slot-1');
      const [file] = readdirSync(slot).filter((name) => name.startsWith('catalogue'));
      writeFileSync(join(slot, file ?? ''), '{"version":1,"files":[{"name":"../x"}]}');
      const after = await startPeer(cleanup, {
        tracker: address,
        storageFolder: before.storageFolder,
      });
      assert.deepEqual((await after.peer.snapshot()).published, []);
      assert.ok(existsSync(join(slot, `${file}.damaged`)));
    });
  });

  describe('two windows on one folder', () => {
    it('work side by side, each with its own files, and find their places again', async () => {
      const { address: tracker } = await startTracker(cleanup);
      const storageFolder = temporaryFolder(cleanup);
      const settings = { hostname: 'alice' };
      const one = await startPeer(cleanup, { tracker, storageFolder, settings });
      const two = await startPeer(cleanup, { tracker, storageFolder, settings });
      await one.publish('one.txt');
      await two.publish('two.txt');
      await one.peer.stop();
      const again = await startPeer(cleanup, { tracker, storageFolder, settings });
      const { published } = await again.peer.snapshot();
      assert.deepEqual(
        published.map(({ name }) => name),
        ['one.txt'],
      );
      assert.deepEqual(await namesAt(tracker), ['alice/one.txt', 'alice-2/two.txt']);
    });
  });

  it('leaves no temporary file behind a crash: the next start removes it', async () => {
    const alice = await startPeer(cleanup);
    const leftovers = join(alice.storageFolder, 'leftovers');
    const part = alice.write('.peershelf-0123456789abcdef.part', 'half');
    const innocent = alice.write('innocent.txt', 'mine');
    // No process has this number: it is above every system's highest.
    const pid = 2 ** 30;
    const window = 'gone';
    mkdirSync(leftovers);
    writeFileSync(join(leftovers, '1.json'), JSON.stringify({ pid, window, path: part }));
    writeFileSync(join(leftovers, '2.json'), JSON.stringify({ pid, window, path: innocent }));
    await startPeer(cleanup, { storageFolder: alice.storageFolder });
    assert.equal(existsSync(part), false);
    assert.equal(readFileSync(innocent, 'utf8'), 'mine');
  });

  it('removes what a crash left between two steps of noting it, when it is old', async () => {
    const alice = await startPeer(cleanup);
    const leftovers = join(alice.storageFolder, 'leftovers');
    mkdirSync(leftovers, { recursive: true });
    const old = ['aa.pieces', 'bb.json.0123.new'].map((name) => join(leftovers, name));
    const young = join(leftovers, 'cc.pieces');
    for (const path of [...old, young]) writeFileSync(path, '');
    const dayAgo = Date.now() / 1000 - 86_400;
    for (const path of old) utimesSync(path, dayAgo, dayAgo);
    await startPeer(cleanup, { storageFolder: alice.storageFolder });
    assert.deepEqual(readdirSync(leftovers), ['cc.pieces']);
  });
});
