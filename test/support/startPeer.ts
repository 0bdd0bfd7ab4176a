import { randomUUID } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createLogger, type LogSink, nullLogger } from '../../src/common/logger';
import { Peer, type PeerDependencies } from '../../src/peer/peer';
import { type EngineOptions, type PeerSettings, SECRET_KINDS } from '../../src/peer/peerApi';
import type { HostPort } from '../../src/protocol/address';
import type { Cleanup } from '../../scripts/host/cleanup';
import { HASH_WORKER } from './hashFiles';
import { temporaryFolder } from './temporaryFolder';

export interface StartPeerOptions {
  readonly tracker?: HostPort;
  readonly settings?: Partial<PeerSettings>;
  readonly storageFolder?: string;
  readonly keepCatalogue?: boolean;
  readonly presence?: boolean;
  readonly lazyNetwork?: boolean;
  /** One of its own when none is given. */
  readonly windowId?: string;
  readonly dependencies?: Partial<PeerDependencies>;
  readonly log?: LogSink;
}

/** A peer with a workspace folder of its own. */
export interface TestPeer {
  readonly peer: Peer;
  readonly folder: string;
  readonly storageFolder: string;
  /** Writes a file into the workspace; returns its absolute path. */
  write(name: string, content: string | Uint8Array): string;
  /** Writes and publishes a file under its relative path, whatever it looks like. */
  publish(name: string, content?: string | Uint8Array): Promise<string>;
  /** The absolute path of a name in the workspace. */
  path(name: string): string;
}

/** Starts the peer of somebody in an open session; its hostname is their name in lower case. */
export function startPeerOf(
  cleanup: Cleanup,
  displayName: string,
  tracker: HostPort,
): Promise<TestPeer> {
  const settings = { hostname: displayName.toLowerCase(), displayName };
  return startPeer(cleanup, { tracker, settings });
}

/** Starts a peer, connected to `tracker` if one is given; stopped after the test. */
export async function startPeer(
  cleanup: Cleanup,
  options: StartPeerOptions = {},
): Promise<TestPeer> {
  const folder = temporaryFolder(cleanup);
  const storageFolder = options.storageFolder ?? temporaryFolder(cleanup);
  const engine: EngineOptions = {
    storageFolder,
    keepCatalogue: options.keepCatalogue ?? true,
    windowId: options.windowId ?? randomUUID(),
    presence: options.presence ?? false,
    lazyNetwork: options.lazyNetwork ?? false,
    hashWorker: HASH_WORKER,
    settings: {
      hostname: 'host',
      displayName: 'Somebody',
      ports: { first: 0, last: 0 },
      advertiseAddress: '',
      listenHost: '',
      maxUploads: 0,
      ...options.settings,
    },
  };
  const logger = options.log === undefined ? nullLogger : createLogger(options.log);
  const peer = new Peer({ logger, ...options.dependencies }, engine);
  cleanup.add(() => peer.stop());
  if (options.tracker !== undefined) await peer.connect({ tracker: options.tracker });
  const path = (name: string): string => join(folder, name);
  const write = (name: string, content: string | Uint8Array): string => {
    mkdirSync(dirname(path(name)), { recursive: true });
    writeFileSync(path(name), content);
    return path(name);
  };
  const publish = async (name: string, content: string | Uint8Array = name): Promise<string> => {
    const file = write(name, content);
    const [outcome] = await peer.publish({
      files: [{ path: file, name, folder, consent: SECRET_KINDS }],
    });
    if (outcome?.error !== undefined) throw new Error(outcome.error.message);
    return file;
  };
  return { peer, folder, storageFolder, write, publish, path };
}
