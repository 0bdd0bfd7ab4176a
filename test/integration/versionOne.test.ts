import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseHostPort } from '../../src/protocol/address';
import type { HostPort } from '../../src/protocol/address';
import { useCleanup } from '../support/cleanup';
import { connectRaw } from '../support/rawPeer';
import { startPeer } from '../support/startPeer';
import { startProcess, type TestProcess } from '../support/startProcess';
import { startTracker } from '../support/startTracker';
import { eventually } from '../support/waitFor';

const V1 = join(__dirname, '../support/v1.py');
const NAME = 'Bài tập 1.txt'.normalize('NFC');
const CONTENT = Buffer.alloc(700_000, 'version one ');

/** A port for a program that cannot choose one itself; nobody has it at this moment. */
async function reservePort(): Promise<number> {
  const { createServer } = await import('node:net');
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

describe('unmodified version 1 programs', () => {
  const cleanup = useCleanup();
  const v1 = (...args: string[]): TestProcess => startProcess(cleanup, 'python3', [V1, ...args]);

  const startV1Tracker = async (): Promise<HostPort> => {
    const port = await reservePort();
    v1('tracker', '--port', `${port}`);
    const address = { host: '127.0.0.1', port };
    await eventually(
      () =>
        connectRaw(cleanup, address).then(
          () => true,
          () => undefined,
        ),
      'the version 1 tracker listens',
    );
    return address;
  };
  const text = ({ host, port }: HostPort): string => `${host}:${port}`;

  const startV1Publisher = async (tracker: HostPort): Promise<string> => {
    const files = await startPeer(cleanup);
    const path = files.write(NAME, CONTENT);
    const port = await reservePort();
    const share = v1('share', 'old-host', `${port}`, path, '--tracker', text(tracker));
    await share.printed(/OK/u);
    await eventually(
      () =>
        connectRaw(cleanup, { host: '127.0.0.1', port }).then(
          () => true,
          () => undefined,
        ),
      'the version 1 publisher listens',
    );
    return path;
  };

  it('publish, and our peer fetches, through their tracker and through ours', async () => {
    for (const tracker of [await startV1Tracker(), (await startTracker(cleanup)).address]) {
      await startV1Publisher(tracker);
      const bob = await startPeer(cleanup, { tracker });
      await bob.peer.refreshNetwork();
      const { files } = await bob.peer.networkFiles({ limit: 10 });
      assert.deepEqual(
        files.map(({ name, hostname }) => [name, hostname]),
        [[NAME, 'old-host']],
      );
      const destination = bob.path('got');
      await bob.peer.fetch({ name: NAME, destination, ifExists: 'fail' });
      assert.ok(readFileSync(destination).equals(CONTENT));
    }
  });

  it('fetch what our peer publishes, through their tracker and through ours', async () => {
    for (const tracker of [await startV1Tracker(), (await startTracker(cleanup)).address]) {
      const alice = await startPeer(cleanup, { tracker });
      await alice.publish(NAME, CONTENT);
      const output = alice.path('got');
      const fetch = v1('fetch', NAME, output, '--tracker', text(tracker));
      assert.equal(await fetch.exited, 0, fetch.stderr());
      assert.ok(readFileSync(output).equals(CONTENT));
    }
  });

  it('hear a clear refusal for what is not published', async () => {
    const { address: tracker } = await startTracker(cleanup);
    const alice = await startPeer(cleanup, { tracker });
    await alice.publish('a.txt');
    const { serving } = await alice.peer.snapshot();
    const { host, port } = parseHostPort(text(serving ?? tracker));
    const get = v1('get', host, `${port}`, 'b.txt', alice.path('got'));
    assert.equal(await get.exited, 1);
    assert.match(get.stderr(), /ERROR notfound/u);
  });

  it('our peers use their tracker for everything: list, discover, ping, unpublish', async () => {
    const tracker = await startV1Tracker();
    const alice = await startPeer(cleanup, { tracker, settings: { hostname: 'alice' } });
    const bob = await startPeer(cleanup, { tracker, settings: { hostname: 'bob' } });
    await alice.publish('a.txt');
    await alice.publish('b.txt');
    assert.equal(await bob.peer.ping({ hostname: 'alice' }), true);
    assert.equal(await bob.peer.ping({ hostname: 'nobody' }), false);
    await alice.peer.unpublish({ names: ['a.txt'] });
    const files = await bob.peer.discover({ hostname: 'alice' });
    assert.deepEqual(
      files.map(({ name }) => name),
      ['b.txt'],
    );
    const found = await bob.peer.searchNetwork({ text: 'B.', limit: 9 });
    assert.deepEqual(
      found.map(({ name }) => name),
      ['b.txt'],
    );
    await alice.peer.disconnect();
    await bob.peer.refreshNetwork();
    assert.equal((await bob.peer.networkFiles({ limit: 1 })).total, 0);
  });
});
