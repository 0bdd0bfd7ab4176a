import { createServer } from 'node:net';
import { join } from 'node:path';
import { formatHostPort, type HostPort } from '../../src/protocol/address';
import type { Cleanup } from '../../scripts/host/cleanup';
import { startProcess, type TestProcess } from './startProcess';

const PROGRAM = join(__dirname, 'v1.py');
const PYTHON = process.platform === 'win32' ? 'python' : 'python3';

/** Prints the port as soon as the program listens, which it does not say itself. */
const ANNOUNCE_PORT = [
  'import runpy, socket, sys',
  'create = socket.create_server',
  'def announced(*args, **named):',
  '    server = create(*args, **named)',
  '    print("listening on", server.getsockname()[1], flush=True)',
  '    return server',
  'socket.create_server = announced',
  'sys.argv = sys.argv[1:]',
  'runpy.run_path(sys.argv[0], run_name="__main__")',
].join('\n');

/** Runs the original program, unmodified. */
export function startV1(cleanup: Cleanup, args: readonly string[], tracker: HostPort): TestProcess {
  return startProcess(cleanup, PYTHON, [PROGRAM, ...args, '--tracker', formatHostPort(tracker)]);
}

/** One request of the original client; resolves to the reply. */
export async function callV1(
  cleanup: Cleanup,
  tracker: HostPort,
  action: string,
  data: object = {},
): Promise<unknown> {
  const call = startV1(cleanup, ['call', action, JSON.stringify(data)], tracker);
  if ((await call.exited) !== 0) throw new Error(call.stderr());
  return JSON.parse(call.stdout());
}

/** Starts the original tracker; resolves to its address. */
export async function startV1Tracker(cleanup: Cleanup): Promise<HostPort> {
  const tracker = startProcess(cleanup, PYTHON, [
    ...['-c', ANNOUNCE_PORT],
    ...[PROGRAM, 'tracker', '--port', '0'],
  ]);
  const [, port] = await tracker.printed(/^listening on (\d+)\n/u);
  return { host: '127.0.0.1', port: Number(port) };
}

/** A port for a program that cannot choose one itself; nobody has it at this moment. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
