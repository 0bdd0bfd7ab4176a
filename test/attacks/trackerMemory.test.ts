import { strict as assert } from 'node:assert';
import { join } from 'node:path';
import { type HostPort, parseHostPort } from '../../src/protocol/address';
import { useCleanup } from '../support/cleanup';
import { isLongRun } from '../support/longRuns';
import { RawClient, request } from '../support/rawClient';
import { residentBytes } from '../support/residentBytes';
import { startProcess, type TestProcess } from '../support/startProcess';
import { eventually } from '../support/waitFor';

const TRACKER = join(__dirname, '../../dist/tracker.js');
const MIB = 1024 * 1024;
/** Just below the longest line, and without its end. */
const UNFINISHED = Buffer.alloc(4_190_000, 'x');
const CONNECTIONS = isLongRun ? 400 : 60;
/** Much less than the connections send together. */
const BUDGET_BYTES = 64 * MIB;
/** Beyond the budget: what sockets and the program itself take meanwhile. */
const SLACK_BYTES = 64 * MIB;
const HEAP_MIB = 256;
/** Accounts that take as much as they can: two filled the registry when each could have half of it. */
const FLOODS = 5;
const PUBLISHERS = 10;

describe('the memory of a tracker', function () {
  this.timeout(180_000);
  const cleanup = useCleanup();

  it('is bounded while strangers send lines without an end, and given back afterwards', async () => {
    const { process, address } = await startOpen('--max-input-bytes', `${BUDGET_BYTES}`);
    await warmUp(address);
    const before = residentBytes(process);
    const peak = watchPeak(process);
    const other = await RawClient.connect(cleanup, address);
    const flood = await Promise.all(
      Array.from({ length: CONNECTIONS }, () => RawClient.connect(cleanup, address)),
    );
    const sent = Promise.all(flood.map((client) => settled(client.flush(UNFINISHED))));
    // Others are answered meanwhile.
    for (let turn = 0; turn < 20; turn += 1)
      assert.equal((await other.ask('PING', {}))['status'], 'DEAD');
    await sent;
    assert.equal((await other.ask('PING', {}))['status'], 'DEAD');
    const most = peak.stop();
    await Promise.all(flood.map((client) => client.vanish()));
    await eventually(
      () => residentBytes(process) <= before * 1.5 || undefined,
      `the memory comes back, from ${most / MIB} to ${before / MIB} MiB and a half`,
    );
    assert.ok(most < before + BUDGET_BYTES + SLACK_BYTES, `${before / MIB} to ${most / MIB} MiB`);
  });

  it('is given back after lines of all lengths that arrive in all sizes of pieces', async () => {
    const { process, address } = await startOpen('--max-input-bytes', `${BUDGET_BYTES}`);
    await warmUp(address);
    const before = residentBytes(process);
    for (const [length, piece] of [
      [5_000, 1_000],
      [60_000, 7_000],
      [1_000_000, 16_384],
    ] as const) {
      const flood = await Promise.all(
        Array.from({ length: CONNECTIONS }, () => RawClient.connect(cleanup, address)),
      );
      await Promise.all(
        flood.map(async (client) => {
          for (let sent = 0; sent < length; sent += piece)
            await settled(client.flush(UNFINISHED.subarray(0, piece)));
        }),
      );
      await Promise.all(flood.map((client) => client.vanish()));
    }
    await eventually(
      () => residentBytes(process) <= before * 1.5 || undefined,
      `the memory comes back to ${before / MIB} MiB and a half`,
    );
  });

  const LONG_NAMES = {
    'of ASCII': (index: number) => `${index}`.padEnd(1_000, 'n'),
    // Two bytes in memory, and six in replies.
    'beyond Latin-1': (index: number) => `${index}`.padEnd(330, 'ệ'),
    short: (index: number) => `${index}`,
  };

  for (const [kind, nameOf] of Object.entries(LONG_NAMES))
    it(`survives one user who registers very many names ${kind}, and takes others in`, async () => {
      const { process, address } = await startOpen();
      const refusals: string[] = [];
      for (let host = 0; host < 5; host += 1) {
        const client = await RawClient.connect(cleanup, address, { localAddress: '127.0.0.3' });
        await client.ask('HELLO', { versions: [2] });
        const hostname = `mallory-${host}`;
        const claim = { hostname, port: 6_000, instance: hostname, counter: 1 };
        const registered = await client.ask('REGISTER', claim);
        if (registered['status'] !== 'OK') {
          refusals.push(String(registered['reason']));
          continue;
        }
        for (let index = 0; index < 100_000; index += 1_000) {
          const files = Array.from({ length: 1_000 }, (_, offset) => {
            return { name: nameOf(index + offset), size: 1, modified: 1 };
          });
          const reply = await client.ask('PUBLISH', { hostname, files });
          const [refused] = (reply['refused'] ?? []) as { reason: string }[];
          const reason = refused?.reason ?? reply['reason'];
          if (typeof reason !== 'string') continue;
          refusals.push(reason);
          break;
        }
      }
      // A reply costs memory, too.
      for (const line of ['LIST', 'LIST'].map((action) => request(action)))
        await readWhole(await RawClient.connect(cleanup, address), line);
      assert.equal(process.child.exitCode, null, process.stderr().slice(-500));
      assert.deepEqual(new Set(refusals), new Set(['too many files']));
      const bob = await RawClient.connect(cleanup, address);
      const mine = { hostname: 'bob', port: 1, files_metadata: { 'plan.md': {} } };
      assert.deepEqual(await bob.ask('REGISTER', mine), { status: 'OK' });
      assert.equal((await bob.ask('REQUEST', { fname: 'plan.md' }))['status'], 'FOUND');
    });

  it('has room for many publishers while several others take as much as they can', async () => {
    const { process, address } = await startOpen();
    for (let flood = 0; flood < FLOODS; flood += 1)
      assert.equal(await publishMuch(address, `127.0.1.${flood + 1}`), 'too many files');
    for (let publisher = 0; publisher < PUBLISHERS; publisher += 1) {
      const client = await RawClient.connect(cleanup, address, {
        localAddress: `127.0.2.${publisher + 1}`,
      });
      await client.ask('HELLO', { versions: [2] });
      const hostname = `honest-${publisher}`;
      const files = Array.from({ length: 500 }, (_, index) => {
        return { name: `src/${hostname}/${index}.ts`, size: 1, modified: 1 };
      });
      const claim = { hostname, port: 6_000, instance: hostname, counter: 1, files };
      const registered = await client.ask('REGISTER', claim);
      assert.equal(registered['status'], 'OK', `${hostname}: ${String(registered['reason'])}`);
      assert.equal(registered['refused'], undefined);
    }
    assert.equal(process.child.exitCode, null, process.stderr().slice(-500));
  });

  /** Registers files with long names from an address until one is refused. @returns the reason. */
  async function publishMuch(address: HostPort, localAddress: string): Promise<string> {
    const client = await RawClient.connect(cleanup, address, { localAddress });
    await client.ask('HELLO', { versions: [2] });
    const claim = { hostname: localAddress, port: 6_000, instance: 'w', counter: 1 };
    await client.ask('REGISTER', claim);
    for (let index = 0; ; index += 1_000) {
      const files = Array.from({ length: 1_000 }, (_, offset) => {
        return { name: `${index + offset}`.padEnd(1_000, 'n'), size: 1, modified: 1 };
      });
      const reply = await client.ask('PUBLISH', { hostname: localAddress, files });
      const [refused] = (reply['refused'] ?? []) as { reason: string }[];
      if (refused !== undefined) return refused.reason;
    }
  }

  async function startOpen(
    ...more: string[]
  ): Promise<{ process: TestProcess; address: HostPort }> {
    const tracker = startProcess(cleanup, process.execPath, [
      ...[`--max-old-space-size=${HEAP_MIB}`, TRACKER, '--open', '--port', '0', ...more],
    ]);
    const [, text = ''] = await tracker.printed(/listening on (\S+)\n/u);
    return { process: tracker, address: parseHostPort(text) };
  }

  /** Ordinary use before, so that no code is loaded for the first time within what is measured. */
  async function warmUp(address: HostPort): Promise<void> {
    const client = await RawClient.connect(cleanup, address);
    for (let turn = 0; turn < 500; turn += 1) await client.ask('PING', {});
    await client.vanish();
  }
});

/** Asks, and resolves when the end of the reply has come, however long it is. */
function readWhole({ socket }: RawClient, line: string): Promise<void> {
  const ended = new Promise<void>((resolve) => {
    socket.on('data', (text) => {
      if (text.toString().endsWith('\n')) resolve();
    });
    socket.once('close', () => resolve());
  });
  socket.write(line);
  return ended;
}

/** Resolves either way: the tracker may close a connection while it is written to. */
function settled(promise: Promise<unknown>): Promise<unknown> {
  return promise.catch(() => undefined);
}

/** Looks again and again how much memory a process has. */
function watchPeak(process: TestProcess): { stop: () => number } {
  let most = residentBytes(process);
  const timer = setInterval(() => (most = Math.max(most, residentBytes(process))), 20);
  return {
    stop: () => {
      clearInterval(timer);
      return Math.max(most, residentBytes(process));
    },
  };
}
