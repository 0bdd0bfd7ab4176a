import { strict as assert } from 'node:assert';
import { writeFileSync } from 'node:fs';
import type { HostPort } from '../../src/protocol/address';
import { useCleanup } from '../support/cleanup';
import { FakeClock, passTime, watch } from '../support/fakeClock';
import { connectRaw } from '../support/rawPeer';
import { startPeer, type TestPeer } from '../support/startPeer';
import { startTracker } from '../support/startTracker';
import { eventually, nextEvent } from '../support/waitFor';

/** More than the socket buffers of both ends hold. */
const LARGE_BYTES = 32 * 1024 * 1024;

describe('serving version 1 fetchers, well-behaved and not', () => {
  const cleanup = useCleanup();
  let alice: TestPeer;
  let clock: FakeClock;
  let address: HostPort;

  const start = async (maxUploads = 0): Promise<void> => {
    const { address: tracker } = await startTracker(cleanup);
    clock = new FakeClock();
    alice = await startPeer(cleanup, {
      tracker,
      settings: { maxUploads },
      dependencies: { clock },
    });
    await alice.publish('a file.txt', 'content');
    const { serving } = await alice.peer.snapshot();
    assert.ok(serving);
    address = serving;
  };
  const ask = async (request: string | Uint8Array): Promise<string> => {
    const raw = await connectRaw(cleanup, address);
    raw.send(request);
    return (await raw.readAll()).toString();
  };

  beforeEach(() => start());

  it('answers GET with LENGTH and the bytes, and closes', async () => {
    assert.equal(await ask('GET a file.txt\n'), 'LENGTH 7\ncontent');
    assert.equal(await ask('GET a file.txt\r\n'), 'LENGTH 7\ncontent');
  });

  it('answers anything that is not published with notfound', async () => {
    for (const request of [
      'GET none',
      'GET ../a file.txt',
      'GET /etc/passwd',
      'PUT a file.txt',
      '',
    ])
      assert.equal(await ask(`${request}\n`), 'ERROR notfound\n', request);
    assert.equal(await ask(Buffer.from([0xff, 0xfe, 0x0a])), 'ERROR notfound\n');
  });

  it('drops what follows the request, and answers a fetcher that has closed its side', async () => {
    assert.equal(await ask(`GET a file.txt\n${'more '.repeat(50_000)}`), 'LENGTH 7\ncontent');
    const raw = await connectRaw(cleanup, address);
    raw.socket.end('GET a file.txt\n');
    assert.equal((await raw.readAll()).toString(), 'LENGTH 7\ncontent');
  });

  it('takes a request byte by byte', async () => {
    const raw = await connectRaw(cleanup, address);
    for (const byte of 'GET a file.txt\n') raw.send(byte);
    assert.equal((await raw.readAll()).toString(), 'LENGTH 7\ncontent');
  });

  it('closes on a request line without end', async () => {
    assert.equal(await ask(`GET ${'x'.repeat(100_000)}`), '');
  });

  it('gives up a reader that takes nothing', async () => {
    await alice.publish('large', Buffer.alloc(LARGE_BYTES));
    const raw = await connectRaw(cleanup, address);
    raw.socket.pause();
    const failed = watch(
      nextEvent(alice.peer.onDidChangeTransfers, (transfers) =>
        transfers.some(({ state }) => state === 'failed'),
      ),
    );
    raw.send('GET large\n');
    await passTime(clock, 'the reader is given up', failed.isSettled);
    const transfers = await failed.promise;
    assert.equal(transfers.find(({ state }) => state === 'failed')?.error?.code, 'STALLED');
  });

  it('frees everything when a fetcher disappears', async () => {
    await alice.publish('large', Buffer.alloc(LARGE_BYTES));
    const raw = await connectRaw(cleanup, address);
    raw.send('GET large\n');
    await raw.readLine();
    raw.socket.resetAndDestroy();
    await eventually(async () => {
      const { published } = await alice.peer.snapshot();
      return published.every(({ uploads }) => uploads === 0) || undefined;
    }, 'no upload runs');
  });

  it('never completes a file that changes while it is sent', async () => {
    const path = await alice.publish('large', Buffer.alloc(LARGE_BYTES, 'a'));
    const raw = await connectRaw(cleanup, address);
    raw.socket.pause();
    raw.send('GET large\n');
    await eventually(async () => {
      const { published } = await alice.peer.snapshot();
      return published.some(({ uploads }) => uploads === 1) || undefined;
    }, 'the upload runs');
    writeFileSync(path, Buffer.alloc(LARGE_BYTES, 'b'));
    raw.socket.resume();
    const header = `LENGTH ${LARGE_BYTES}\n`;
    assert.ok((await raw.readAll()).length < header.length + LARGE_BYTES);
  });

  it('ends a running upload when its name is unpublished', async () => {
    await alice.publish('large', Buffer.alloc(LARGE_BYTES));
    const raw = await connectRaw(cleanup, address);
    raw.socket.pause();
    raw.send('GET large\n');
    await eventually(async () => {
      const { published } = await alice.peer.snapshot();
      return published.some(({ uploads }) => uploads === 1) || undefined;
    }, 'the upload runs');
    await alice.peer.unpublish({ names: ['large'] });
    raw.socket.resume();
    assert.ok((await raw.readAll()).length < LARGE_BYTES);
  });

  it('refuses more uploads than allowed, and serves again when one has ended', async () => {
    await start(1);
    await alice.publish('large', Buffer.alloc(LARGE_BYTES));
    const first = await connectRaw(cleanup, address);
    first.socket.pause();
    first.send('GET large\n');
    const isBusy = async (): Promise<true | undefined> =>
      (await ask('GET a file.txt\n')) === 'ERROR interrupted\n' || undefined;
    await eventually(isBusy, 'the limit is reached');
    first.socket.destroy();
    await eventually(async () => !(await isBusy()) || undefined, 'the limit is free again');
  });
});
