import { createServer } from 'node:net';
import type { Cleanup } from '../../scripts/host/cleanup';

/** A port that nobody listens on at this moment. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** Holds a port until the test ends: a free one unless one is named. Nobody is answered there. */
export async function occupyPort(cleanup: Cleanup, port = 0): Promise<number> {
  const server = createServer((socket) => socket.destroy());
  cleanup.add(() => server.close());
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
