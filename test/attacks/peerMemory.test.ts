import { strict as assert } from 'node:assert';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { useCleanup } from '../support/cleanup';
import { CLI } from '../support/commandLine';
import { ask } from '../support/httpClient';
import { RawClient } from '../support/rawClient';
import { residentBytes } from '../support/residentBytes';
import { startProcess, type TestProcess } from '../support/startProcess';
import { startTracker } from '../support/startTracker';
import { formatHostPort } from '../../src/protocol/address';
import { temporaryFolder } from '../support/temporaryFolder';
import { eventually } from '../support/waitFor';

const COLLECT = pathToFileURL(join(__dirname, '../support/collect.mjs')).href;
/** Little more than a peer takes that does nothing. */
const HEAP_MIB = 48;
const MIB = 1024 * 1024;
/** Each from an address of its own, below the connections that a peer takes from one. */
const ADDRESSES = Array.from({ length: 8 }, (_, index) => `127.0.0.${index + 2}`);
const CONNECTIONS_PER_ADDRESS = 60;
/** Of these, the ones that are enough to fill the heap several times, where each costs processor time. */
const FEW = 20;
const SEVERAL = 120;
/** Lines below the longest request line, and bodies below the longest body. */
const LINE_BYTES = 1_000;
const BODY_BYTES = 120_000;
/** Requests that wait behind one whose answer is not read. */
const PIPELINED = 2_500;

describe('the memory of a peer', function () {
  this.timeout(180_000);
  const cleanup = useCleanup();

  it('is bounded while outsiders send first lines byte by byte', async () => {
    const { peer, port } = await startSmallPeer();
    const flood = await connectAll(port);
    await unharmed(peer, port, flood, async () => {
      for (let sent = 0; sent < LINE_BYTES; sent += 1)
        await Promise.all(flood.map((client) => sendOne(client, 'x')));
    });
  });

  it('is bounded while outsiders send bodies in very many chunks', async () => {
    const { peer, port } = await startSmallPeer();
    const flood = (await connectAll(port)).slice(0, FEW);
    const head = 'POST /v2/batch HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n';
    const body = `${head}${'1\r\n6\r\n'.repeat(BODY_BYTES)}`;
    await unharmed(peer, port, flood, () => Promise.all(flood.map((one) => sendOne(one, body))));
  });

  it('is bounded while outsiders send very many requests and read no answer', async () => {
    const { peer, port, id } = await startSmallPeer();
    const flood = (await connectAll(port)).slice(0, SEVERAL);
    for (const { socket } of flood) socket.pause();
    const get = `GET /v2/objects/${id} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`;
    const requests = get + 'GET / HTTP/1.1\r\nHost:a\r\n\r\n'.repeat(PIPELINED);
    await unharmed(peer, port, flood, () =>
      Promise.all(flood.map((one) => sendOne(one, requests))),
    );
  });

  interface SmallPeer {
    readonly peer: TestProcess;
    readonly port: number;
    /** Content id of a file that is larger than what sockets hold. */
    readonly id: string;
  }

  async function startSmallPeer(): Promise<SmallPeer> {
    const { address } = await startTracker(cleanup);
    const [folder, data] = [temporaryFolder(cleanup), temporaryFolder(cleanup)];
    writeFileSync(join(folder, 'large.bin'), Buffer.alloc(16 * MIB));
    const peer = startProcess(
      cleanup,
      process.execPath,
      [
        ...[`--max-old-space-size=${HEAP_MIB}`, '--expose-gc', '--import', COLLECT],
        ...[CLI, 'share', 'large.bin', '--port', '0'],
        ...['--tracker', formatHostPort(address), '--hostname', 'alice'],
      ],
      { cwd: folder, env: { XDG_DATA_HOME: data, LOCALAPPDATA: data, HOME: data } },
    );
    const [, port] = await peer.printed(/serving on \S+:(\d+)\n/u);
    const { body } = await ask(Number(port), '/v2/entries/large.bin');
    const { root, size } = JSON.parse(body.toString()) as { root: string; size: number };
    return { peer, port: Number(port), id: `${root}-${size}` };
  }

  /** Whether the peer goes on to serve, within its memory, during the flood and after it. */
  async function unharmed(
    peer: TestProcess,
    port: number,
    flood: readonly RawClient[],
    attack: () => Promise<unknown>,
  ): Promise<void> {
    const before = residentBytes(peer);
    await attack();
    await serves(peer, port);
    assert.equal(peer.child.exitCode, null, peer.stderr().slice(-500));
    await Promise.all(flood.map((client) => client.vanish()));
    await eventually(
      () => residentBytes(peer) <= before * 1.5 || undefined,
      `the memory comes back to ${before / MIB} MiB and a half`,
    );
    await serves(peer, port);
    assert.equal(peer.child.exitCode, null, peer.stderr().slice(-500));
  }

  async function serves(peer: TestProcess, port: number): Promise<void> {
    const answer = await ask(port, '/v2/entries/large.bin').catch((error: unknown) =>
      assert.fail(`${String(error)} ${String(peer.child.exitCode)} ${peer.stderr().slice(-500)}`),
    );
    assert.equal(answer.status, 200);
  }

  async function connectAll(port: number): Promise<RawClient[]> {
    const of = ADDRESSES.flatMap((localAddress) =>
      Array.from({ length: CONNECTIONS_PER_ADDRESS }, () => localAddress),
    );
    return Promise.all(
      of.map((localAddress) =>
        RawClient.connect(cleanup, { host: '127.0.0.1', port }, { localAddress }),
      ),
    );
  }
});

/** Resolves when the system has taken the bytes, or the peer the connection. */
function sendOne({ socket }: RawClient, bytes: string): Promise<void> {
  return new Promise((resolve) => {
    if (socket.destroyed) {
      resolve();
      return;
    }
    const done = (): void => {
      socket.off('close', done);
      resolve();
    };
    socket.once('close', done);
    socket.write(bytes, 'latin1', done);
  });
}
