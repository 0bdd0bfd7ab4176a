import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import type { HostPort } from '../src/protocol/address';
import type { BenchContext } from './harness';

const CONNECT_ATTEMPTS = 200;
const CONNECT_PAUSE_MS = 50;

export interface Network {
  readonly peers: number;
  readonly filesPerPeer: number;
}

/** The name of a published file, as printf makes it of {@link FILE_NAME_FORMAT}. */
export function fileName(index: number): string {
  return `docs/file-${String(index).padStart(9, '0')}.txt`;
}

export const FILE_NAME_FORMAT = 'docs/file-%09d.txt';

/** Registers peers that stay connected until the end of the run, with files of different names. */
export async function populate(
  context: BenchContext,
  tracker: HostPort,
  { peers, filesPerPeer }: Network,
): Promise<void> {
  const metadata = {
    size: 12_345,
    modified: 1.5e9 + 0.25,
    published_at: 1.6e9,
    is_published: true,
  };
  for (let peer = 0; peer < peers; peer += 1) {
    const names = Array.from({ length: filesPerPeer }, (_, index) =>
      fileName(peer * filesPerPeer + index),
    );
    const reply = await ask(await connectTo(context, tracker), 'REGISTER', {
      hostname: `host-${peer}`,
      display_name: `Person number ${peer}`,
      port: 6_000,
      files_metadata: Object.fromEntries(names.map((name) => [name, metadata])),
    });
    if (!reply.includes('"OK"')) throw new Error(`REGISTER: ${reply}`);
  }
}

/** The reply to a REQUEST of an existing name, to know how long replies are. */
export async function sampleReply(context: BenchContext, tracker: HostPort): Promise<string> {
  return ask(await connectTo(context, tracker), 'REQUEST', { fname: fileName(0) });
}

function ask(socket: Socket, action: string, data: object): Promise<string> {
  return new Promise((resolve, reject) => {
    const lines = createInterface({ input: socket });
    lines.once('line', (line) => {
      lines.close();
      resolve(line);
    });
    socket.once('error', reject);
    socket.write(`${JSON.stringify({ action, data })}\n`);
  });
}

/** Tries again for a while: the original tracker does not say when it is ready. */
async function connectTo(context: BenchContext, tracker: HostPort): Promise<Socket> {
  for (let attempt = 1; ; attempt += 1) {
    const socket = connect(tracker);
    const failure = await new Promise<unknown>((resolve) => {
      socket.once('connect', () => resolve(undefined)).once('error', resolve);
    });
    if (failure === undefined) {
      context.cleanup.add(() => socket.destroy());
      return socket;
    }
    if (attempt === CONNECT_ATTEMPTS)
      throw new Error('the tracker does not listen', { cause: failure });
    await new Promise((resolve) => setTimeout(resolve, CONNECT_PAUSE_MS));
  }
}
