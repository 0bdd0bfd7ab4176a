import { connect, createServer, type TLSSocket } from 'node:tls';
import type { Cleanup } from '../../scripts/host/cleanup';
import { openIdentity } from '../../src/peer/identity/identity';
import type { SessionRecord } from '../../src/peer/team/sessionRecord';
import { type OwnIdentity, tlsOptionsOf } from '../../src/protocol/certificate';
import { CHANNEL_EXPORTERS, EXPORTER_BYTES } from '../../src/protocol/channelProof';
import { signConnection } from '../../src/protocol/statementMessages';
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
 * else is as it is. Proofs are for one connection: the relay shows an identity of its own in place of
 * the client's, and whoever registers has to do so at the real tracker.
 */
export async function startRewritingRelay(
  cleanup: Cleanup,
  record: SessionRecord,
  tracker: HostPort,
): Promise<RewritingRelay> {
  const identity = openIdentity(record.tracker);
  const server = createServer(tlsOptionsOf(identity), (socket) => {
    const target = connect({ ...tracker, rejectUnauthorized: false });
    const connected = new Promise<void>((resolve) => target.once('secureConnect', resolve));
    for (const end of [socket, target]) {
      cleanup.add(() => end.destroy());
      end.on('error', () => undefined);
    }
    eachLine(socket, (line) => {
      void connected.then(() => target.write(`${shownAs(identity, target, line)}\n`));
    });
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

/** The line, with the relay's identity in a STATEMENT. */
function shownAs(
  { certificate, privateKey }: OwnIdentity,
  target: TLSSocket,
  line: string,
): string {
  const message = JSON.parse(line) as { action: string; data: object };
  if (message.action !== 'STATEMENT') return line;
  const { control } = CHANNEL_EXPORTERS;
  const exporter = target.exportKeyingMaterial(EXPORTER_BYTES, control, Buffer.alloc(0));
  const proof = signConnection('connection', exporter, privateKey);
  return JSON.stringify({ ...message, data: { certificate, proof } });
}

function eachLine(socket: TLSSocket, onLine: (line: string) => void): void {
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = (text + chunk).split('\n');
    text = lines.pop() ?? '';
    lines.forEach(onLine);
  });
}
