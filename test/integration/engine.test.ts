import { strict as assert } from 'node:assert';
import { randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { nullLogger } from '../../src/common/logger';
import { processExists } from '../../src/common/processExists';
import { Engine } from '../../src/editor/engine';
import { LocalTracker } from '../../src/editor/localTracker';
import type { HostPort } from '../../src/protocol/address';
import { useCleanup } from '../support/cleanup';
import { connectRaw } from '../support/rawPeer';
import { registerHost, startMisbehavingPeer } from '../support/misbehavingPeer';
import { rejectsWith } from '../support/rejectsWith';
import { startPeer } from '../support/startPeer';
import { startTracker } from '../support/startTracker';
import { temporaryFolder } from '../support/temporaryFolder';
import { eventually, nextEvent } from '../support/waitFor';

const DIST = join(__dirname, '../../dist');

describe('the engine in its worker', () => {
  const cleanup = useCleanup();

  const startEngine = (): { engine: Engine; logged: string[]; folder: string } => {
    const logged: string[] = [];
    const folder = temporaryFolder(cleanup);
    const windowId = randomUUID();
    const engine = new Engine({
      bundle: join(DIST, 'engine.js'),
      log: (_level, _tag, message) => logged.push(message),
      options: () => ({
        storageFolder: join(folder, 'storage'),
        keepCatalogue: true,
        windowId,
        hashWorker: join(DIST, 'hashWorker.js'),
        settings: {
          hostname: 'alice',
          displayName: 'Alice',
          ports: { first: 0, last: 0 },
          advertiseAddress: '',
          listenHost: '',
          maxUploads: 0,
        },
      }),
    });
    cleanup.add(() => engine.stop());
    return { engine, logged, folder };
  };
  const publishOne = async (engine: Engine, folder: string): Promise<void> => {
    const path = join(folder, 'a.txt');
    writeFileSync(path, 'from the worker');
    const [outcome] = await engine.calls.publish({ files: [{ path, name: 'a.txt' }] });
    assert.equal(outcome?.error, undefined);
  };

  it('is started by the first call, shares with a peer elsewhere, and says goodbye', async () => {
    const { address: tracker } = await startTracker(cleanup);
    const { engine, folder } = startEngine();
    assert.equal(engine.isRunning, false);
    const connected = nextEvent(
      engine.onDidChange,
      (part) => part === 'connection' && engine.state.connection.kind === 'connected',
    );
    await engine.calls.connect({ tracker });
    await connected;
    await publishOne(engine, folder);
    const bob = await startPeer(cleanup, { tracker, settings: { hostname: 'bob' } });
    await bob.peer.fetch({ name: 'a.txt', destination: bob.path('a'), ifExists: 'fail' });
    assert.equal(readFileSync(bob.path('a'), 'utf8'), 'from the worker');

    await engine.stop();
    await engine.stop();
    assert.equal(await bob.peer.ping({ hostname: 'alice' }), false);
  });

  it('never starts again once it was stopped', async () => {
    const stopped = startEngine().engine;
    await stopped.stop();
    await rejectsWith(
      'ENGINE_STOPPED',
      Promise.resolve().then(() => stopped.calls.snapshot()),
    );
    assert.equal(stopped.isRunning, false);
  });

  it('carries errors and progress, and cancels', async () => {
    const { address: tracker } = await startTracker(cleanup);
    const half = await startMisbehavingPeer(cleanup, (socket) => {
      socket.once('data', () => socket.write('LENGTH 8\nhalf'));
    });
    await registerHost(cleanup, tracker, { hostname: 'h', address: half, files: { slow: 8 } });
    const alice = await startPeer(cleanup, { tracker, settings: { hostname: 'other' } });
    await alice.publish('whole', Buffer.alloc(5_000_000));
    const { engine, folder } = startEngine();
    await rejectsWith('NOT_CONNECTED', engine.calls.refreshNetwork());
    await engine.calls.connect({ tracker });
    const destination = join(folder, 'got');
    const controller = new AbortController();
    const fetching = engine.calls.fetch(
      { name: 'slow', destination, ifExists: 'fail' },
      { signal: controller.signal, onProgress: () => controller.abort() },
    );
    await rejectsWith('CANCELLED', fetching);
    let last = 0;
    await engine.calls.fetch(
      { name: 'whole', destination, ifExists: 'fail' },
      { onProgress: ({ bytes }) => (last = bytes) },
    );
    assert.equal(last, 5_000_000);
  });

  it('pauses, resumes, cancels and starts again what it fetches', async () => {
    const { address: tracker } = await startTracker(cleanup);
    let connections = 0;
    const half = await startMisbehavingPeer(cleanup, (socket) => {
      connections += 1;
      const isLast = connections === 3;
      socket.once('data', () => socket.write(isLast ? 'LENGTH 8\nall of 8' : 'LENGTH 8\nhalf'));
    });
    await registerHost(cleanup, tracker, { hostname: 'h', address: half, files: { slow: 8 } });
    const { engine, folder } = startEngine();
    await engine.calls.connect({ tracker });
    const destination = join(folder, 'got');
    const cancelled = rejectsWith(
      'CANCELLED',
      engine.calls.fetch({ name: 'slow', destination, ifExists: 'fail' }),
    );
    const untilStates = (...states: string[]): Promise<string> =>
      eventually(async () => {
        const { transfers } = await engine.calls.snapshot();
        const isSo = transfers.map(({ state }) => state).join() === states.join();
        return isSo && transfers.every(({ bytes }) => bytes > 0) ? transfers[0]?.id : undefined;
      }, `transfers are ${states.join()}`);
    const id = await untilStates('running');
    await engine.calls.pauseTransfer({ id });
    await untilStates('paused');
    await engine.calls.resumeTransfer({ id });
    await eventually(() => connections === 2 || undefined, 'it connects again');
    await untilStates('running');
    await engine.calls.cancelTransfer({ id });
    await cancelled;
    await engine.calls.retryTransfer({ id });
    await untilStates('cancelled', 'done');
    assert.equal(readFileSync(destination, 'utf8'), 'all of 8');
  });

  it('fails what is pending when it crashes, and works again at the next call', async () => {
    const { address: tracker } = await startTracker(cleanup);
    const { engine, folder } = startEngine();
    await engine.calls.connect({ tracker });
    await publishOne(engine, folder);
    const crashed = nextEvent(engine.onDidCrash);
    const { worker } = (engine as unknown as { running: { worker: Worker } }).running;
    const pending = rejectsWith('ENGINE_STOPPED', engine.calls.ping({ hostname: 'x' }));
    await worker.terminate();
    await Promise.all([crashed, pending]);
    assert.deepEqual(engine.state.connection, { kind: 'disconnected' });
    await engine.calls.connect({ tracker });
    const { published } = await engine.calls.snapshot();
    assert.deepEqual(
      published.map(({ name }) => name),
      ['a.txt'],
    );
  });

  it('starts anew on request, with its place and what it offered', async () => {
    const { address: tracker } = await startTracker(cleanup);
    const { engine, folder } = startEngine();
    await engine.calls.connect({ tracker });
    await publishOne(engine, folder);
    await engine.restart();
    assert.equal(engine.isRunning, false);
    assert.deepEqual(engine.state.published, []);
    await engine.calls.connect({ tracker });
    const { published } = await engine.calls.snapshot();
    assert.deepEqual(
      published.map(({ name }) => name),
      ['a.txt'],
    );
  });
});

describe('the local tracker', () => {
  const cleanup = useCleanup();

  const create = (folder: string): LocalTracker => {
    const localTracker = new LocalTracker({
      bundle: join(DIST, 'tracker.js'),
      folder,
      logger: nullLogger,
    });
    cleanup.add(() => localTracker.dispose());
    return localTracker;
  };
  const pidIn = (folder: string): number =>
    (JSON.parse(readFileSync(join(folder, 'record.json'), 'utf8')) as { pid: number }).pid;
  const start = async (folder: string): Promise<{ tracker: LocalTracker; address: HostPort }> => {
    const tracker = create(folder);
    const address = await tracker.start('127.0.0.1', 0);
    const pid = pidIn(folder);
    cleanup.add(() => processExists(pid) && process.kill(pid));
    return { tracker, address };
  };

  it('is a process of its own that outlives its window, is adopted, and stops when told', async () => {
    const folder = temporaryFolder(cleanup);
    const first = await start(folder);
    await connectRaw(cleanup, first.address);
    const pid = pidIn(folder);
    assert.notEqual(pid, process.pid);
    first.tracker.dispose();

    const second = create(folder);
    const adopted = (): number | undefined => second.adopted?.port;
    assert.equal(adopted(), undefined);
    second.adopt(first.address);
    assert.equal(adopted(), first.address.port);
    await connectRaw(cleanup, first.address);
    await second.stop();
    assert.equal(processExists(pid), false);
    assert.equal(second.recorded, undefined);
    assert.deepEqual(readdirSync(folder), ['port']);
    assert.equal(second.lastPort, first.address.port);
  });

  it('stays stopped when another window renews at that moment', async () => {
    const folder = temporaryFolder(cleanup);
    const first = await start(folder);
    const pid = pidIn(folder);
    const second = create(folder);
    second.adopt(first.address);
    const stopping = first.tracker.stop();
    // Taking it up again renews at once, as the timer of the other window might.
    second.adopt(first.address);
    assert.equal(second.adopted, undefined);
    await stopping;
    assert.equal(processExists(pid), false);
  });

  it('ends no other tracker than its own', async () => {
    const folder = temporaryFolder(cleanup);
    const first = await start(folder);
    const firstPid = pidIn(folder);
    const second = await start(folder);
    await first.tracker.stop();
    assert.equal(processExists(firstPid), false);
    await connectRaw(cleanup, second.address);
    assert.deepEqual(second.tracker.recorded?.port, second.address.port);
    await second.tracker.stop();
    assert.deepEqual(readdirSync(folder), ['port']);
  });

  it('gives up a tracker whose lease another window has removed', async () => {
    const folder = temporaryFolder(cleanup);
    const first = await start(folder);
    const second = create(folder);
    second.adopt(first.address);
    await first.tracker.stop();
    let changes = 0;
    second.onDidChange(() => (changes += 1));
    // As the timer does every 15 seconds.
    const inside = second as unknown as { renew(record: unknown): void; current: unknown };
    inside.renew(inside.current);
    assert.equal(second.adopted, undefined);
    assert.equal(changes, 1);
  });

  it('is adopted by whatever name of this computer it is reached', async () => {
    const folder = temporaryFolder(cleanup);
    const { address, tracker } = await start(folder);
    const other = create(folder);
    other.adopt({ host: 'localhost', port: address.port });
    assert.equal(other.adopted?.port, address.port);
    await tracker.stop();
  });

  it('adopts nothing that is not the recorded one', async () => {
    const folder = temporaryFolder(cleanup);
    const { address, tracker } = await start(folder);
    const other = create(folder);
    other.adopt({ host: '127.0.0.1', port: address.port + 1 });
    assert.equal(other.adopted, undefined);
    assert.equal(other.recorded?.port, address.port);
    await tracker.stop();
  });

  it('says that its port is in use', async () => {
    const { address: taken } = await startTracker(cleanup);
    const tracker = create(temporaryFolder(cleanup));
    const error = await rejectsWith('PORT_IN_USE', tracker.start('127.0.0.1', taken.port));
    assert.equal(error.details['port'], taken.port);
  });

  it('takes a damaged record for none', () => {
    const folder = temporaryFolder(cleanup);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'record.json'), '{"pid":');
    assert.equal(create(folder).recorded, undefined);
  });
});
