import { randomUUID } from 'node:crypto';
import { hostname, userInfo } from 'node:os';
import { join } from 'node:path';
import envPaths from 'env-paths';
import { onAbort } from '../common/abort';
import { createLogger, streamSink } from '../common/logger';
import { DEFAULT_MAX_UPLOADS, DEFAULT_PEER_PORTS, DEFAULT_TRACKER_PORT } from '../protocol/limits';
import { parseHostPort } from '../protocol/address';
import { Peer } from '../peer/peer';
import type { PeerSettings } from '../peer/peerApi';
import type { Output } from './output';

/** Options that every command with a session has. */
export interface SessionOptions {
  readonly tracker: string;
  readonly verbose?: boolean;
}

export interface WithPeer {
  readonly options: SessionOptions;
  readonly settings?: Partial<PeerSettings>;
  readonly output: Output;
  /** Ends the peer, and with it whatever waits. */
  readonly signal: AbortSignal;
}

/** Runs `task` with a peer that is in the session, and ends the peer whatever happens. */
export async function withPeer(
  { options, settings, output, signal }: WithPeer,
  task: (peer: Peer) => Promise<void>,
): Promise<void> {
  const tracker = parseHostPort(options.tracker, DEFAULT_TRACKER_PORT);
  const level = options.verbose === true ? 'trace' : 'error';
  const peer = new Peer(
    { logger: createLogger(streamSink(output.stderr, level)) },
    {
      storageFolder: join(envPaths('peershelf', { suffix: '' }).data, 'cli'),
      keepCatalogue: false,
      windowId: randomUUID(),
      // Beside this program.
      hashWorker: join(__dirname, 'hashWorker.js'),
      settings: {
        hostname: hostname(),
        displayName: userName(),
        ports: DEFAULT_PEER_PORTS,
        advertiseAddress: '',
        listenHost: '',
        maxUploads: DEFAULT_MAX_UPLOADS,
        ...settings,
      },
    },
  );
  const abort = onAbort(signal, () => void peer.stop());
  try {
    await peer.connect({ tracker });
    await task(peer);
  } finally {
    abort.dispose();
    await peer.stop();
  }
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return hostname(); // A user without an entry in the system's list, as in some containers.
  }
}
