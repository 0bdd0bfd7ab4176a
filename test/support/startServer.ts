import { mkdirSync, realpathSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Clock, systemClock } from '../../src/common/clock';
import { createLogger, type LogSink } from '../../src/common/logger';
import type { CatalogueEntry } from '../../src/peer/catalogue/catalogue';
import { stampOf } from '../../src/peer/hash/fileStamp';
import {
  PeerServer,
  type PeerServerDependencies,
  type PeerServerOptions,
} from '../../src/peer/transfer/peerServer';
import { TransferList } from '../../src/peer/transfer/transferList';
import { openSession } from '../../src/peer/transfer/transferSecurity';
import { type ContentId, formatContentId, isSameContent } from '../../src/protocol/contentId';
import { BLOCK_BYTES, contentOfBlocks, hashBlock } from '../../src/protocol/hashTree';
import type { Cleanup } from '../../scripts/host/cleanup';
import { temporaryFolder } from './temporaryFolder';

/** When everything was published and last written, in seconds since 1970. */
const PUBLISHED_S = 1_700_000_000;

export interface StartServerOptions {
  readonly clock?: Clock;
  readonly log?: LogSink;
  readonly host?: string;
  readonly options?: Partial<PeerServerOptions>;
  readonly offer?: Partial<PeerServerDependencies>;
}

/** A serving port with a folder of published files, without a tracker. */
export interface TestServer {
  readonly server: PeerServer;
  readonly transfers: TransferList;
  readonly port: number;
  readonly folder: string;
  readonly entries: Map<string, CatalogueEntry>;
  /** Names of entries whose files were found in trouble, or opened by version 1. */
  readonly seen: string[];
  path(name: string): string;
  /** Writes a file and publishes it; resolves to how its content id is written. */
  publish(name: string, content: string | Uint8Array): string;
  unpublish(name: string): void;
}

/** What a file of these bytes is named by, with the hashes of its pieces. */
export function contentOf(bytes: Uint8Array): { contentId: ContentId; layer: Buffer } {
  const hashes: Buffer[] = [];
  for (let start = 0; start < bytes.length; start += BLOCK_BYTES)
    hashes.push(hashBlock(bytes.subarray(start, start + BLOCK_BYTES), bytes.length));
  return contentOfBlocks(Buffer.concat(hashes), bytes.length);
}

export async function startServer(
  cleanup: Cleanup,
  { clock = systemClock, log, host = '127.0.0.1', options, offer }: StartServerOptions = {},
): Promise<TestServer> {
  const folder = temporaryFolder(cleanup);
  const entries = new Map<string, CatalogueEntry>();
  const layers = new WeakMap<CatalogueEntry, Buffer>();
  const seen: string[] = [];
  const transfers = new TransferList(clock);
  cleanup.add(() => transfers.dispose());
  const server = new PeerServer(
    {
      clock,
      logger: createLogger(log ?? (() => undefined)),
      transfers,
      nameOf: () => undefined,
      security: openSession,
      find: (name) => entries.get(name),
      findContent: (id) =>
        [...entries.values()].find(
          ({ contentId }) => contentId !== undefined && isSameContent(contentId, id),
        ),
      layerOf: (entry) => layers.get(entry),
      onSeen: ({ name }) => seen.push(name),
      ...offer,
    },
    { maxUploads: 0, ...options },
  );
  cleanup.add(() => server.stop());
  const port = await server.ensureListening(host, { first: 0, last: 0 });
  const path = (name: string): string => join(folder, name);
  return {
    server,
    transfers,
    port,
    folder,
    entries,
    seen,
    path,
    publish: (name, content) => {
      const bytes = Buffer.from(content);
      mkdirSync(dirname(path(name)), { recursive: true });
      writeFileSync(path(name), bytes);
      // Of another time than whatever a test writes next: clocks of file systems are coarse.
      utimesSync(path(name), PUBLISHED_S, PUBLISHED_S);
      const stamp = stampOf(path(name));
      const { contentId, layer } = contentOf(bytes);
      const entry: CatalogueEntry = {
        name,
        path: path(name),
        realPath: realpathSync(path(name)),
        sizeBytes: stamp.sizeBytes,
        modifiedMs: stamp.modifiedMs,
        stamp,
        publishedAtMs: PUBLISHED_S * 1_000,
        contentId,
        version: 3,
        sequence: 7,
      };
      entries.set(name, entry);
      layers.set(entry, layer);
      return formatContentId(contentId);
    },
    unpublish: (name) => {
      server.cancelUploadsOf(new Set([name]));
      entries.delete(name);
    },
  };
}
