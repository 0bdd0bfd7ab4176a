import { connect, createServer, type TLSSocket } from 'node:tls';
import type { Cleanup } from '../../scripts/host/cleanup';
import { openIdentity } from '../../src/peer/identity/identity';
import type { SessionRecord } from '../../src/peer/team/sessionRecord';
import { tlsOptionsOf } from '../../src/protocol/certificate';
import type { HostPort } from '../../src/protocol/address';
import { listen } from './relay';

export type Reply = Record<string, unknown>;

/** A tracker of a team that tells what a test wants in place of what is true. */
export interface RewritingRelay {
  readonly address: HostPort;
  /** What is told in place of a reply of the real tracker. */
  rewrite: (reply: Reply) => Reply;
}

/**
 * Shows the tracker's own certificate and passes on what is said to the real one, so that everything
 * else is as it is. Who registers has to do so at the real one: the proof is for one connection.
 */
export async function startRewritingRelay(
  cleanup: Cleanup,
  record: SessionRecord,
  tracker: HostPort,
): Promise<RewritingRelay> {
  const own = tlsOptionsOf(openIdentity(record.tracker));
  const server = createServer(own, (socket) => {
    const target = connect({ ...tracker, rejectUnauthorized: false });
    for (const end of [socket, target]) {
      cleanup.add(() => end.destroy());
      end.on('error', () => undefined);
    }
    socket.pipe(target);
    eachLine(target, (line) => {
      const reply = relay.rewrite(JSON.parse(line) as Reply);
      if (!socket.destroyed) socket.write(`${JSON.stringify(reply)}\n`);
    });
    target.on('close', () => socket.destroy());
    socket.on('close', () => target.destroy());
  });
  cleanup.add(() => server.close());
  const relay: RewritingRelay = {
    address: { host: '127.0.0.1', port: await listen(server) },
    rewrite: (reply) => reply,
  };
  return relay;
}

function eachLine(socket: TLSSocket, onLine: (line: string) => void): void {
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = (text + chunk).split('\n');
    text = lines.pop() ?? '';
    lines.forEach(onLine);
  });
}
