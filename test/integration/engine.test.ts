import { strict as assert } from 'node:assert';
import { randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { Engine } from '../../src/editor/engine';
import { useCleanup } from '../support/cleanup';
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
