import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Cleanup } from '../../scripts/host/cleanup';
import { deferred } from '../../src/common/deferred';
import type { HostPort } from '../../src/protocol/address';

/** Passes on what is said at its port to another one, and remembers it. */
export interface Relay {
  readonly port: number;
  readonly connections: () => number;
  /** All bytes, of both directions. */
  readonly recorded: () => Buffer;
  /** Ends all connections, and takes none any more. */
  readonly cut: () => void;
}

/**
 * @param localAddress from which it seems to come, such as 127.0.0.2.
 * @param at where it listens; a free port of loopback if nothing is said.
 */
export async function startRelay(
  cleanup: Cleanup,
  port: number,
  localAddress?: string,
  at?: HostPort,
): Promise<Relay> {
  const chunks: Buffer[] = [];
  let connections = 0;
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    connections += 1;
    const target = connect({ host: '127.0.0.1', port, localAddress });
    for (const end of [socket, target]) {
      cleanup.add(() => end.destroy());
      open.add(end);
      end.once('close', () => open.delete(end));
      end.on('error', () => undefined).on('data', (chunk: Buffer) => chunks.push(chunk));
    }
    socket.pipe(target).pipe(socket);
    socket.on('close', () => target.destroy());
    target.on('close', () => socket.destroy());
  });
  cleanup.add(() => server.close());
  return {
    port: await listen(server, at),
    connections: () => connections,
    recorded: () => Buffer.concat(chunks),
    cut: () => {
      server.close();
      for (const end of open) end.destroy();
    },
  };
}

/** Passes on what is said at its port to another one; new connections wait while it is closed. */
export interface Gate {
  readonly port: number;
  readonly open: () => void;
  readonly close: () => void;
  /** Resolves when somebody has connected. */
  readonly called: () => Promise<void>;
}

/** Starts one that is open. */
export async function startGate(cleanup: Cleanup, port: number): Promise<Gate> {
  let isOpen = true;
  const waiting: (() => void)[] = [];
  const first = deferred<undefined>();
  const server = createServer((socket) => {
    first.resolve(undefined);
    cleanup.add(() => socket.destroy());
    socket.on('error', () => undefined);
    const pass = (): void => {
      const target = connect({ host: '127.0.0.1', port });
      cleanup.add(() => target.destroy());
      target.on('error', () => undefined).on('close', () => socket.destroy());
      socket.on('close', () => target.destroy()).pipe(target);
      target.pipe(socket);
    };
    if (isOpen) pass();
    else waiting.push(pass);
  });
  cleanup.add(() => server.close());
  return {
    port: await listen(server),
    open: () => {
      isOpen = true;
      for (const pass of waiting.splice(0)) pass();
    },
    close: () => (isOpen = false),
    called: async () => {
      await first.promise;
    },
  };
}

/** Connections to a port that accepts them and says nothing. */
export async function startSilence(
  cleanup: Cleanup,
): Promise<{ readonly port: number; readonly open: ReadonlySet<Socket> }> {
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on('error', () => undefined).on('close', () => open.delete(socket));
    socket.resume();
    cleanup.add(() => socket.destroy());
  });
  cleanup.add(() => server.close());
  return { port: await listen(server), open };
}

/** Resolves to the port. */
export async function listen(
  server: Server,
  at: HostPort = { host: '127.0.0.1', port: 0 },
): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(at, resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no address');
  return address.port;
}
