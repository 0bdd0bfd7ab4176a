import { strict as assert } from 'node:assert';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { PeershelfError } from '../../src/common/errors';
import { formatHostPort, type HostPort } from '../../src/protocol/address';
import type { ContentId } from '../../src/protocol/contentId';
import type { PeerDependencies } from '../../src/peer/peer';
import type { FetchResult } from '../../src/peer/peerApi';
import { useCleanup } from '../support/cleanup';
import { CLI } from '../support/commandLine';
import { FakeClock, passTime, watch } from '../support/fakeClock';
import { hashBytes } from '../support/hashFiles';
import { type HostileTracker, startHostileTracker } from '../support/hostileTracker';
import { hurriedClock } from '../support/hurriedClock';
import { isLongRun } from '../support/longRuns';
import { startMisbehavingPeer } from '../support/misbehavingPeer';
import { startObjectServer } from '../support/objectServer';
import { rejectsWith } from '../support/rejectsWith';
import { startPeer, type TestPeer } from '../support/startPeer';
import { startProcess } from '../support/startProcess';
import { temporaryFolder } from '../support/temporaryFolder';
import { eventually } from '../support/waitFor';

const MIB = 1024 * 1024;
const MILLION = 1_000_000;
const HOSTS = isLongRun ? 300_000 : 100_000;
/** Rests between attempts are over soon, and honest sources have as long as always. */
const HURRY = 10;
const STALL_MS = 10_000;
/** Interval at which a download looks for further sources. */
const LOOK_INTERVAL_MS = 5_000;
/** Of this process, for three fetches of hundreds of thousands of sources. */
const MAX_PROCESSOR_MS = 20_000;
/** A source is asked for hashes once and connected to twice; no more than 64 are known. */
const MAX_CONNECTIONS = 64 + 2 * 64;

describe('a hostile tracker', () => {
  const cleanup = useCleanup();
  const small = randomBytes(1000);
  const large = randomBytes(3 * MIB + 1);
  let tracker: HostileTracker;
  let bob: TestPeer;

  beforeEach(async () => {
    tracker = await startHostileTracker(cleanup);
    bob = await startPeer(cleanup, { tracker: tracker.address });
  });

  const contentIds = new Map<Buffer, ContentId>(
    [small, large].map((content) => [content, hashBytes(content).contentId]),
  );

  /** One host that claims to have `content`, as the tracker writes it. */
  const host = (content: Buffer, { host: ip, port }: HostPort, index = 0): string => {
    const { root, sizeBytes: size } = contentIds.get(content) ?? assert.fail();
    const source = { hostname: `h${index}`, ip, port, size, modified: 1, root, name: 'file' };
    return JSON.stringify(source);
  };
  const name = (hosts: readonly string[]): void => {
    tracker.requested.set('file', `[${hosts.join()}]`);
  };
  /** Every address of loopback is this machine, so that each host may have one of its own. */
  const loopback = (index: number): string =>
    `127.${1 + ((index >> 16) & 255)}.${(index >> 8) & 255}.${index & 255}`;
  const fetch = (file = 'file'): Promise<FetchResult> =>
    bob.peer.fetch({ name: file, destination: bob.path(`shared/${file}`), ifExists: 'fail' });
  const failure = async (promise: Promise<unknown>): Promise<PeershelfError> => {
    const error: unknown = await promise.then(
      () => assert.fail('it succeeded'),
      (caught: unknown) => caught,
    );
    assert.ok(error instanceof PeershelfError, String(error));
    assert.notEqual(error.code, 'INTERNAL', error.message);
    return error;
  };
  /** Whatever happened before: an honest file still comes. */
  async function assertUsable(): Promise<void> {
    const { source } = await startObjectServer(cleanup, large);
    tracker.requested.set('honest', `[${host(large, source)}]`);
    await eventually(
      async () => (await bob.peer.snapshot()).connection.kind === 'connected' || undefined,
      'the connection is back',
    );
    const { path } = await fetch('honest');
    assert.ok(readFileSync(path).equals(large));
    assert.deepEqual(readdirSync(bob.path('shared')), ['honest']);
  }

  /** The fetcher again, whose time passes only as the test says. */
  async function stopTime(): Promise<FakeClock> {
    const clock = new FakeClock();
    await restart({ clock });
    return clock;
  }

  async function restart(dependencies: Partial<PeerDependencies>): Promise<void> {
    await bob.peer.stop();
    bob = await startPeer(cleanup, { tracker: tracker.address, dependencies });
  }

  /** Listens on every address of loopback; counts who comes, and closes at once. */
  async function startCounter(): Promise<{ port: number; connections: () => number }> {
    let connections = 0;
    const server = createServer((socket) => {
      connections += 1;
      socket.on('error', () => undefined).destroy();
    });
    cleanup.add(() => server.close());
    await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve));
    const address = server.address();
    assert.ok(address !== null && typeof address === 'object');
    return { port: address.port, connections: () => connections };
  }

  for (const [what, content] of Object.entries({ small, large }))
    it(`that names ${HOSTS.toLocaleString('en')} sources of a ${what} file costs few connections, little time and no memory`, async () => {
      const { port, connections } = await startCounter();
      const hosts = Array.from({ length: HOSTS }, (_, index) =>
        host(content, { host: loopback(index), port }, index),
      );
      name(hosts);
      const clock = await stopTime();
      const before = process.cpuUsage();
      const heap = [];
      for (let round = 0; round < 3; round += 1) {
        const connected = connections();
        const failing = watch(failure(fetch()));
        // From then on nothing but rests between attempts takes time.
        await eventually(() => connections() > connected || undefined, 'they are tried');
        await passTime(clock, 'all have failed', failing.isSettled);
        await failing.promise;
        const made = connections() - connected;
        assert.ok(made > 0 && made <= MAX_CONNECTIONS, `${made} connections`);
        heap.push(heapAfterCollection());
      }
      const { user, system } = process.cpuUsage(before);
      assert.ok((user + system) / 1_000 < MAX_PROCESSOR_MS, `${user} + ${system} μs`);
      const [first = 0, , last = 0] = heap;
      assert.ok(last - first < 20 * MIB, heap.join());
      await assertUsable();
    });

  it('that names many thousand sources of a file in a folder costs few connections', async () => {
    const { port, connections } = await startCounter();
    const { root } = contentIds.get(small) ?? assert.fail();
    const files = { 'dir/file': { size: small.length, modified: 1, root } };
    const hosts = Array.from({ length: 20_000 }, (_, index) => [
      `h${index}`,
      { addr: [loopback(index), port], files },
    ]);
    tracker.listed = JSON.stringify(Object.fromEntries(hosts));
    const clock = await stopTime();
    const destination = bob.path('shared/dir');
    const failing = watch(bob.peer.fetchFolder({ prefix: 'dir/', destination, ifExists: 'fail' }));
    await eventually(() => connections() > 0 || undefined, 'they are tried');
    await passTime(clock, 'all have failed', failing.isSettled);
    assert.equal((await failing.promise).failedCount, 1);
    assert.ok(
      connections() > 0 && connections() <= MAX_CONNECTIONS,
      `${connections()} connections`,
    );
    rmSync(destination, { recursive: true });
    await assertUsable();
  });

  it('that names a million sources in one reply is cut off, and found again', async () => {
    const { port, connections } = await startCounter();
    name(new Array<string>(MILLION).fill(host(small, { host: '127.0.0.1', port })));
    await failure(fetch());
    assert.equal(connections(), 0);
    await assertUsable();
  });

  it('that locates a million sources in the middle of a download adds a few of them', async function () {
    this.timeout(90_000);
    const clock = await stopTime();
    const { port, connections } = await startCounter();
    const located = (index: number): string =>
      `{"hostname":"h","ip":"${loopback(index)}","port":${port},"name":"f"}`;
    tracker.located = `[${Array.from({ length: MILLION }, (_, index) => located(index)).join()}]`;
    const sockets: Socket[] = [];
    const silent = await startMisbehavingPeer(cleanup, (socket) => sockets.push(socket));
    name([host(small, silent)]);
    const failing = watch(failure(fetch()));
    await eventually(() => sockets.length > 0 || undefined, 'the download has begun');
    clock.advance(LOOK_INTERVAL_MS);
    await eventually(() => tracker.asked.get('LOCATE'), 'others are looked for');
    tracker.located = '[]';
    await eventually(() => connections() > 0 || undefined, 'some of them are tried');
    await passTime(clock, 'the fetch ends', () => {
      sockets.forEach((socket) => socket.destroy());
      return failing.isSettled();
    });
    await failing.promise;
    assert.ok(connections() <= MAX_CONNECTIONS, `${connections()}`);
    await assertUsable();
  });

  it('that names itself gets a request that it cannot read, and the fetch an error', async () => {
    for (const content of [small, large]) {
      name([host(content, tracker.address)]);
      const { code } = await failure(fetch());
      assert.ok(['CONNECTION_LOST', 'INVALID_MESSAGE'].includes(code), code);
    }
    assert.ok((tracker.asked.get('nonsense') ?? 0) <= 3);
    await assertUsable();
  });

  it('that names the fetcher itself, under another name', async () => {
    await bob.publish('own');
    const { serving } = await bob.peer.snapshot();
    assert.ok(serving);
    for (const content of [small, large]) {
      name([host(content, serving)]);
      await rejectsWith('NOT_PUBLISHED', fetch());
    }
    await assertUsable();
  });

  it('that names a host that takes connections and never answers', async () => {
    const clock = await stopTime();
    let connections = 0;
    const silent = await startMisbehavingPeer(cleanup, () => (connections += 1));
    for (const content of [small, large]) {
      name([host(content, silent)]);
      const failing = watch(rejectsWith('STALLED', fetch()));
      await passTime(clock, 'nothing comes for long', failing.isSettled);
      await failing.promise;
    }
    assert.ok(connections <= 3, `${connections} connections`);
    await assertUsable();
  });

  if (process.platform === 'linux')
    it('that names a host that never accepts: unreachable when the deadlines are over', async () => {
      const clock = await stopTime();
      const deaf = await startDeafHost();
      for (const content of [small, large]) {
        name([host(content, deaf)]);
        const failing = watch(rejectsWith('PEER_UNREACHABLE', fetch()));
        await passTime(clock, 'the deadlines are over', failing.isSettled);
        await failing.promise;
      }
      await assertUsable();
    });

  /** A process that listens and is stopped, its queue of connections full. */
  async function startDeafHost(): Promise<HostPort> {
    const listen = `require('node:net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 },
      function () { console.log(this.address().port); })`;
    const child = spawn(process.execPath, ['-e', listen], { stdio: ['ignore', 'pipe', 'inherit'] });
    cleanup.add(() => child.kill('SIGKILL'));
    const [printed] = (await once(child.stdout, 'data')) as [Buffer];
    const address = { host: '127.0.0.1', port: Number(printed.toString()) };
    child.kill('SIGSTOP');
    for (let index = 0; index < 8; index += 1) {
      const socket = connect(address).on('error', () => undefined);
      cleanup.add(() => socket.destroy());
    }
    return address;
  }

  for (const [place, succeeds] of [
    [0, true],
    [17, true],
    [63, true],
    [64, false],
    [999, false],
  ] as const)
    it(`that names one honest source as number ${place + 1} among 999 dead ones: ${succeeds ? 'it is found' : 'an error soon'}`, async () => {
      await restart({ clock: hurriedClock(HURRY), stallMs: HURRY * STALL_MS });
      const closed = await closedPort();
      const honest = await startObjectServer(cleanup, large);
      const hosts = Array.from({ length: 1_000 }, (_, index) =>
        index === place
          ? host(large, honest.source, index)
          : host(large, { host: loopback(index), port: closed }, index),
      );
      name(hosts);
      if (succeeds) {
        const { path } = await fetch();
        assert.ok(readFileSync(path).equals(large));
        assert.equal(honest.sentBytes(), large.length);
        return;
      }
      const error = await rejectsWith('PEER_UNREACHABLE', fetch());
      assert.match(String(error.details['hostname']), /^h\d+$/u);
      await assertUsable();
    });

  it('cannot take more memory than a small process has', async () => {
    const { port } = await startCounter();
    const hosts = Array.from({ length: 300_000 }, (_, index) =>
      host(large, { host: loopback(index), port }, index),
    );
    name(hosts);
    const folder = temporaryFolder(cleanup);
    const args = ['fetch', 'file', '--tracker', formatHostPort(tracker.address)];
    const fetching = startProcess(
      cleanup,
      process.execPath,
      ['--max-old-space-size=384', CLI, ...args],
      { cwd: folder, env: { XDG_DATA_HOME: folder, LOCALAPPDATA: folder, HOME: folder } },
    );
    assert.equal(await fetching.exited, 1, fetching.stderr());
    assert.match(fetching.stderr(), /^peershelf: .*\n$/u);
  });

  async function closedPort(): Promise<number> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve));
    const address = server.address();
    assert.ok(address !== null && typeof address === 'object');
    await new Promise((resolve) => server.close(resolve));
    return address.port;
  }
});

/** Bytes of what is still needed. */
function heapAfterCollection(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  return process.memoryUsage().heapUsed;
}
