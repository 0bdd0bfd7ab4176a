import { strict as assert } from 'node:assert';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import type { Socket } from 'node:net';
import { deferred } from '../../src/common/deferred';
import type { ErrorCode } from '../../src/common/errors';
import type { HostPort } from '../../src/protocol/address';
import type { FetchRequest } from '../../src/peer/peerApi';
import { STALL_MS } from '../../src/peer/transfer/download';
import { useCleanup } from '../support/cleanup';
import { FakeClock, passTime, watch } from '../support/fakeClock';
import { registerHost, startMisbehavingPeer } from '../support/misbehavingPeer';
import { rejectsWith } from '../support/rejectsWith';
import { startPeer, type TestPeer } from '../support/startPeer';
import { startTracker } from '../support/startTracker';
import { eventually } from '../support/waitFor';

const SIZE = 100;

describe('fetching from a broken or hostile publisher', () => {
  const cleanup = useCleanup();
  let tracker: HostPort;
  let clock: FakeClock;
  let bob: TestPeer;

  beforeEach(async () => {
    ({ address: tracker } = await startTracker(cleanup));
    clock = new FakeClock();
    bob = await startPeer(cleanup, { tracker, dependencies: { clock } });
  });

  const request = (): FetchRequest => ({
    name: 'file',
    destination: bob.path('shared/file'),
    ifExists: 'fail',
  });
  const offer = async (hostname: string, behave: (socket: Socket) => void): Promise<void> => {
    const address = await startMisbehavingPeer(cleanup, behave);
    await registerHost(cleanup, tracker, { hostname, address, files: { file: SIZE } });
  };
  const answer =
    (text: string): ((socket: Socket) => void) =>
    (socket) => {
      socket.once('data', () => socket.end(text));
    };

  const cases: [string, ErrorCode, (socket: Socket) => void][] = [
    ['closes at once', 'CONNECTION_LOST', (socket) => socket.destroy()],
    ['closes after the request', 'CONNECTION_LOST', answer('')],
    ['closes in the middle', 'CONNECTION_LOST', answer(`LENGTH ${SIZE}\nonly a part`)],
    ['sends more than announced', 'LENGTH_MISMATCH', answer(`LENGTH 3\n${'x'.repeat(50)}`)],
    ['speaks something else', 'INVALID_MESSAGE', answer('HTTP/1.1 200 OK\r\n\r\n')],
    ['announces a negative length', 'INVALID_MESSAGE', answer('LENGTH -1\n')],
    ['announces no number', 'INVALID_MESSAGE', answer('LENGTH 1e3\n')],
    ['sends a line without end', 'LINE_TOO_LONG', answer('x'.repeat(100_000))],
    ['announces more than the disk holds', 'DISK_FULL', answer('LENGTH 9007199254740991\n')],
    ['says that it is not published', 'NOT_PUBLISHED', answer('ERROR notfound\n')],
    ['says that the file is gone', 'FILE_GONE', answer('ERROR filenotfound\n')],
    ['says that it cannot read', 'FILE_UNREADABLE', answer('ERROR readerror\n')],
    ['says that it is interrupted', 'PEER_BUSY', answer('ERROR interrupted\n')],
    ['answers with an unknown error', 'INVALID_MESSAGE', answer('ERROR [x](command:y)\n')],
    ['never answers', 'STALLED', () => undefined],
    [
      'stops in the middle',
      'STALLED',
      (socket) => socket.once('data', () => socket.write(`LENGTH ${SIZE}\nonly a part`)),
    ],
  ];
  for (const [what, code, behave] of cases)
    it(`one that ${what}: ${code}, and nothing is left`, async () => {
      await offer('mallory', behave);
      const failing = watch(rejectsWith(code, bob.peer.fetch(request())));
      if (code === 'STALLED') await passTime(clock, 'it is given up', failing.isSettled);
      const error = await failing.promise;
      if (code !== 'DISK_FULL') assert.equal(error.details['hostname'], 'mallory');
      assert.deepEqual(readdirSync(bob.path('shared')), []);
    });

  it('one that is not there', async () => {
    const address = { host: '127.0.0.1', port: 1 };
    await registerHost(cleanup, tracker, { hostname: 'off', address, files: { file: SIZE } });
    const error = await rejectsWith('PEER_UNREACHABLE', bob.peer.fetch(request()));
    assert.equal(error.details['address'], '127.0.0.1:1');
  });

  it('goes on with another publisher of the same file', async () => {
    await offer('broken', answer(`LENGTH ${SIZE}\nonly a part`));
    await offer('healthy', answer(`LENGTH ${SIZE}\n${'y'.repeat(SIZE)}`));
    const result = await bob.peer.fetch(request());
    assert.equal(result.hostname, 'healthy');
    assert.equal(readFileSync(result.path, 'utf8'), 'y'.repeat(SIZE));
    assert.deepEqual(readdirSync(bob.path('shared')), ['file']);
  });

  it('can be cancelled at any moment: connecting, waiting, and in the middle', async () => {
    const started = deferred<undefined>();
    await offer('slow', (socket) => {
      socket.once('data', () => {
        socket.write(`LENGTH ${SIZE}\npart`);
        started.resolve(undefined);
      });
    });
    for (const moment of ['before', 'during'] as const) {
      const controller = new AbortController();
      if (moment === 'before') controller.abort();
      const fetching = bob.peer.fetch(request(), { signal: controller.signal });
      if (moment === 'during') void started.promise.then(() => controller.abort());
      await rejectsWith('CANCELLED', fetching);
      const isThere = existsSync(bob.path('shared'));
      assert.deepEqual(isThere ? readdirSync(bob.path('shared')) : [], []);
    }
    const { transfers } = await bob.peer.snapshot();
    assert.deepEqual(
      transfers.map(({ state }) => state),
      ['cancelled'],
    );
  });

  it('a publisher whose first line arrives in pieces is understood', async () => {
    await offer('slow', (socket) => {
      socket.once('data', () => {
        const pieces = ['LENG', 'TH 1', '00', `\n${'p'.repeat(40)}`, 'p'.repeat(60)];
        const timer = setInterval(() => {
          const piece = pieces.shift();
          if (piece === undefined) clearInterval(timer);
          else socket.write(piece);
        }, 20);
        socket.on('close', () => clearInterval(timer));
      });
    });
    const { path } = await bob.peer.fetch(request());
    assert.equal(readFileSync(path, 'utf8'), 'p'.repeat(SIZE));
  });

  it('a slow publisher that moves is never given up', async () => {
    const connected = deferred<Socket>();
    await offer('slow', (socket) => socket.once('data', () => connected.resolve(socket)));
    const fetching = bob.peer.fetch(request());
    const socket = await connected.promise;
    socket.write(`LENGTH ${SIZE}\n`);
    const arrived = (): number => {
      const [part] = existsSync(bob.path('shared')) ? readdirSync(bob.path('shared')) : [];
      return part === undefined ? 0 : statSync(bob.path(`shared/${part}`)).size;
    };
    for (let sent = 10; sent < SIZE; sent += 10) {
      socket.write('z'.repeat(10));
      await eventually(() => arrived() === sent || undefined, `${sent} bytes have come`);
      clock.advance(STALL_MS - 1);
    }
    socket.write('z'.repeat(10));
    assert.equal((await fetching).sizeBytes, SIZE);
  });
});
