import { strict as assert } from 'node:assert';
import { MessageChannel } from 'node:worker_threads';
import { onAbort } from '../../../src/common/abort';
import { PeershelfError } from '../../../src/common/errors';
import { Emitter } from '../../../src/common/events';
import {
  type EngineApi,
  EngineClient,
  type EngineEvents,
  serveEngine,
} from '../../../src/peer/enginePort';
import type { ConnectionState } from '../../../src/peer/peerApi';
import { useCleanup } from '../../support/cleanup';
import { rejectsWith } from '../../support/rejectsWith';
import { nextEvent } from '../../support/waitFor';

describe('the engine port', () => {
  const cleanup = useCleanup();

  /** A client and an engine with only the calls that a test needs, on two ends of a real channel. */
  const connect = (calls: Partial<EngineApi>) => {
    const { port1, port2 } = new MessageChannel();
    const connection = new Emitter<ConnectionState>();
    const silent = new Emitter<never>();
    const events: EngineEvents = {
      onDidChangeConnection: connection.event,
      onDidChangePublished: silent.event,
      onDidChangeNetwork: silent.event,
      onDidChangeTransfers: silent.event,
      onDidChangeReachability: silent.event,
      onDidNotice: silent.event,
      onDidChangeFoundSessions: silent.event,
    };
    const server = serveEngine({ ...calls, ...events } as EngineApi & EngineEvents, port2);
    const logged: string[] = [];
    const client = new EngineClient(port1, (_level, _tag, message) => logged.push(message));
    cleanup.add(() => {
      client.dispose();
      server.dispose();
      port1.close();
    });
    return { client, connection, server, silent, port2, logged };
  };

  it('carries a call, its progress and its result', async () => {
    const { client } = connect({
      fetch: (request, options) => {
        options?.onProgress?.({ bytes: 1, totalBytes: 2 });
        return Promise.resolve({
          outcome: 'fetched',
          path: request.destination,
          sizeBytes: 2,
          durationMs: 1,
          hostname: 'h',
          displayName: 'H',
          changedSincePublished: false,
          receivedBytes: 2,
          keptBytes: 0,
          sources: ['H'],
        });
      },
    });
    const progress: unknown[] = [];
    const result = await client.calls.fetch(
      { name: 'n', destination: '/d', ifExists: 'fail' },
      { onProgress: (value) => progress.push(value) },
    );
    assert.equal(result.path, '/d');
    assert.deepEqual(progress, [{ bytes: 1, totalBytes: 2 }]);
  });

  it('carries errors with code and details', async () => {
    const { client } = connect({
      ping: () => Promise.reject(new PeershelfError('NOT_FOUND', 'x', { details: { name: 'n' } })),
    });
    const error = await rejectsWith('NOT_FOUND', client.calls.ping({ hostname: 'h' }));
    assert.deepEqual(error.details, { name: 'n' });
  });

  it('carries cancellation, and does not even send a call that is cancelled before', async () => {
    let calls = 0;
    const { client } = connect({
      fetch: (_request, options) => {
        calls += 1;
        return new Promise((_resolve, reject) => {
          onAbort(options?.signal, () => reject(new PeershelfError('CANCELLED', 'x')));
        });
      },
    });
    const controller = new AbortController();
    const request = { name: 'n', destination: '/d', ifExists: 'fail' } as const;
    const fetching = client.calls.fetch(request, { signal: controller.signal });
    controller.abort();
    await rejectsWith('CANCELLED', fetching);
    await rejectsWith('CANCELLED', client.calls.fetch(request, { signal: controller.signal }));
    assert.equal(calls, 1);
  });

  it('carries events and log lines', async () => {
    const { client, connection, port2, logged } = connect({});
    const changed = nextEvent(client.onDidChangeConnection);
    port2.postMessage({ type: 'log', level: 'info', tag: 't', message: 'hello' });
    connection.fire({ kind: 'disconnected' });
    assert.deepEqual(await changed, { kind: 'disconnected' });
    assert.deepEqual(logged, ['hello']);
  });

  it('fails what is pending and what comes later when the engine is gone', async () => {
    const { client } = connect({ stop: () => new Promise(() => undefined) });
    const pending = client.calls.stop();
    client.fail(new Error('crashed'));
    await rejectsWith('ENGINE_STOPPED', pending);
    await rejectsWith('ENGINE_STOPPED', client.calls.stop());
  });

  it('leaves no listener behind', () => {
    const { client, connection, silent, server } = connect({});
    assert.deepEqual([connection.listenerCount, silent.listenerCount], [1, 6]);
    server.dispose();
    client.dispose();
    assert.deepEqual([connection.listenerCount, silent.listenerCount], [0, 0]);
  });
});
