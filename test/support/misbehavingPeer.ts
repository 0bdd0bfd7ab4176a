import { createServer, type Socket } from 'node:net';
import type { HostPort } from '../../src/protocol/address';
import type { Cleanup } from '../../scripts/host/cleanup';
import { connectRaw } from './rawPeer';

/** A real listening socket that does to each connection what a test wants. */
export async function startMisbehavingPeer(
  cleanup: Cleanup,
  behave: (socket: Socket) => void,
): Promise<HostPort> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    behave(socket);
  });
  cleanup.add(() => {
    sockets.forEach((socket) => socket.destroy());
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no address');
  return { host: '127.0.0.1', port: address.port };
}

/** Registers a host that says it serves `files` at `address`; stays registered until the test ends. */
export async function registerHost(
  cleanup: Cleanup,
  tracker: HostPort,
  host: { hostname: string; address: HostPort; files: Record<string, number> },
): Promise<void> {
  const files = Object.entries(host.files).map(([name, size]) => [name, { size, modified: 1 }]);
  const client = await connectRaw(cleanup, tracker);
  const reply = await client.askLine({
    action: 'REGISTER',
    data: {
      hostname: host.hostname,
      ip: host.address.host,
      port: host.address.port,
      files_metadata: Object.fromEntries(files) as Record<string, object>,
    },
  });
  if (!reply.includes('OK')) throw new Error(reply);
}
