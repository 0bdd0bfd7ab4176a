import { strict as assert } from 'node:assert';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseHostPort } from '../../src/protocol/address';
import { LEASE_TICK_MS } from '../../src/tracker/lease';
import type { TrackerMessage } from '../../src/tracker/processIo';
import { useCleanup } from '../support/cleanup';
import { RawClient } from '../support/rawClient';
import { startProcess, type TestProcess } from '../support/startProcess';
import { temporaryFolder } from '../support/temporaryFolder';
import { eventually } from '../support/waitFor';
import { callV1, freePort, startV1 } from '../support/v1Program';

const TRACKER = join(__dirname, '../../dist/tracker.js');
const DEADLINE_MS = 20_000;
const WINDOWS = process.platform === 'win32';

describe('the tracker as a program', () => {
  const cleanup = useCleanup();

  const start = (...args: string[]): TestProcess =>
    startProcess(cleanup, process.execPath, [TRACKER, ...args]);
  const startOpen = async (...args: string[]): Promise<[TestProcess, string]> => {
    const program = start('--open', '--port', '0', ...args);
    const [, address = ''] = await program.printed(/^listening on (\S+)\n/u);
    return [program, address];
  };

  it('prints its address and nothing else, and serves', async () => {
    const [program, text] = await startOpen();
    const address = parseHostPort(text);
    assert.equal(address.host, '127.0.0.1');
    const client = await RawClient.connect(cleanup, address);
    assert.deepEqual(await client.ask('LIST'), { status: 'OK', registry: {} });
    assert.equal(program.stdout(), `listening on ${text}\n`);
  });

  // Windows has no signals: there the program ends by its lease, or at once.
  for (const signal of WINDOWS ? [] : (['SIGINT', 'SIGTERM'] as const))
    it(`stops cleanly on ${signal}, clients or not`, async () => {
      const [program, text] = await startOpen();
      const client = await RawClient.connect(cleanup, parseHostPort(text));
      await client.ask('PING', {});
      program.child.kill(signal);
      assert.equal(await client.readToEnd(), '');
      assert.equal(await program.exited, 0);
      assert.equal(program.stdout(), `listening on ${text}\n`);
    });

  it('says in one line that the port is in use and what to do', async () => {
    const [, text] = await startOpen();
    const { port } = parseHostPort(text);
    const second = start('--open', '--port', `${port}`);
    assert.equal(await second.exited, 1);
    assert.equal(second.stdout(), '');
    assert.match(second.stderr(), /^error: 127\.0\.0\.1:\d+ is in use: .*--port.*\n$/u);
  });

  it('says in one line that the address is not of this computer', async () => {
    const program = start('--open', '--port', '0', '--host', '192.0.2.1');
    assert.equal(await program.exited, 1);
    assert.match(program.stderr(), /^error: .*192\.0\.2\.1.*--host.*\n$/u);
  });

  it('needs --open in this version', async () => {
    const program = start('--port', '0');
    assert.equal(await program.exited, 2);
    assert.match(program.stderr(), /--open/u);
  });

  it('takes its limits from the command line', async () => {
    const [, text] = await startOpen('--max-connections', '1', '--max-line-bytes', '50');
    const first = await RawClient.connect(cleanup, parseHostPort(text));
    await first.ask('PING', {});
    const second = await RawClient.connect(cleanup, parseHostPort(text));
    assert.match(await second.readToEnd(), /too many connections/u);
    first.send(`${'x'.repeat(51)}\n`);
    assert.match(await first.readToEnd(), /line too long/u);
  });

  it('prints JSON when asked to', async () => {
    const program = start('--open', '--port', '0', '--json');
    const [line] = await program.printed(/^.*\n/u);
    const { type, host, port } = JSON.parse(line) as Record<string, unknown>;
    assert.deepEqual([type, host, typeof port], ['ready', '127.0.0.1', 'number']);
  });

  it('serves unmodified version 1 programs', async () => {
    const [, text] = await startOpen();
    const tracker = parseHostPort(text);
    const folder = temporaryFolder(cleanup);
    const file = join(folder, 'Đồ án.md'.normalize('NFC'));
    writeFileSync(file, 'content');
    const port = await freePort();
    const share = startV1(cleanup, ['share', 'old', `${port}`, file], tracker);
    await share.printed(/\{"status": "OK"\}/u);
    const found = (await callV1(cleanup, tracker, 'REQUEST', { fname: 'Đồ án.md' })) as {
      hosts: { hostname: string; port: number; size: number }[];
    };
    assert.deepEqual(
      found.hosts.map((host) => [host.hostname, host.port, host.size]),
      [['old', port, 7]],
    );
    assert.deepEqual(await callV1(cleanup, tracker, 'PING', { hostname: 'old' }), {
      status: 'ALIVE',
    });
  });
});

describe('the tracker of an editor', () => {
  const cleanup = useCleanup();
  let lease: string;

  beforeEach(() => {
    lease = join(temporaryFolder(cleanup), 'lease');
    writeFileSync(lease, 'held');
  });

  const startForked = (...args: string[]): ChildProcess => {
    const child = fork(TRACKER, ['--open', '--lease-file', lease, ...args], { silent: true });
    cleanup.add(() => child.kill('SIGKILL'));
    return child;
  };
  const message = async (child: ChildProcess): Promise<TrackerMessage> => {
    const [found] = (await once(child, 'message', {
      signal: AbortSignal.timeout(DEADLINE_MS),
    })) as TrackerMessage[];
    assert.ok(found);
    return found;
  };
  const exitCode = async (child: ChildProcess): Promise<unknown> => {
    const [code] = (await once(child, 'exit', {
      signal: AbortSignal.timeout(DEADLINE_MS),
    })) as unknown[];
    return code;
  };
  const readyAddress = async (child: ChildProcess): Promise<{ host: string; port: number }> => {
    const ready = await message(child);
    assert.ok(ready.type === 'ready', JSON.stringify(ready));
    assert.equal(ready.pid, child.pid);
    return { host: ready.host, port: ready.port };
  };

  it('says that it is ready, and outlives the channel and the pipes of its parent', async () => {
    const child = startForked('--port', '0');
    const address = await readyAddress(child);
    child.disconnect();
    child.stdout?.destroy();
    child.stderr?.destroy();
    // A client that is dropped is logged: writing to a closed pipe must not end the tracker.
    const first = await RawClient.connect(cleanup, address);
    first.send('nonsense\n');
    await first.readToEnd();
    const client = await RawClient.connect(cleanup, address);
    assert.deepEqual(await client.ask('LIST'), { status: 'OK', registry: {} });
    assert.equal(child.exitCode, null);
    const exited = exitCode(child);
    writeFileSync(lease, 'stop');
    assert.equal(await exited, 0);
  });

  it('ends when nobody renews its lease, with its clients', async () => {
    const child = startForked('--port', '0', '--lease-seconds', '1');
    const address = await readyAddress(child);
    const client = await RawClient.connect(cleanup, address);
    const exited = exitCode(child);
    await client.ask('PING', {});
    assert.equal(await client.readToEnd(), '');
    assert.equal(await exited, 0);
  });

  it('lives as long as its lease is renewed', async () => {
    // Long enough that a busy machine does not keep us from renewing it in time.
    const leaseMs = 4_000;
    const child = startForked('--port', '0', '--lease-seconds', `${leaseMs / 1_000}`);
    const address = await readyAddress(child);
    const client = await RawClient.connect(cleanup, address);
    const startMs = performance.now();
    const renew = (): void => utimesSync(lease, new Date(), new Date());
    const timer = setInterval(renew, 100);
    cleanup.add(() => clearInterval(timer));
    await eventually(
      () => performance.now() - startMs > leaseMs + 2 * LEASE_TICK_MS,
      'longer than without a renewal',
    );
    assert.deepEqual(await client.ask('PING', {}), { status: 'DEAD' });
    assert.equal(child.exitCode, null);
  });

  it('says why it could not start', async () => {
    const first = startForked('--port', '0');
    const { port } = await readyAddress(first);
    const second = startForked('--port', `${port}`);
    const exited = exitCode(second);
    const failed = await message(second);
    assert.ok(failed.type === 'failed' && failed.code === 'PORT_IN_USE', JSON.stringify(failed));
    assert.match(failed.message, /--port/u);
    assert.equal(await exited, 1);
  });
});
