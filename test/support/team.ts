import { strict as assert } from 'node:assert';
import { createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import type { Cleanup } from '../../scripts/host/cleanup';
import { type Clock, systemClock } from '../../src/common/clock';
import { nullLogger } from '../../src/common/logger';
import { createFetchers } from '../../src/peer/createFetchers';
import { HashCache } from '../../src/peer/hash/hashCache';
import { makeIdentity } from '../../src/peer/identity/makeIdentity';
import type { Fetcher } from '../../src/peer/transfer/fetcher';
import type { FolderFetcher } from '../../src/peer/transfer/folder/folderFetcher';
import { TransferList } from '../../src/peer/transfer/transferList';
import { exportFrom, type TransferSecurity } from '../../src/peer/transfer/transferSecurity';
import { readOwnIdentity, tlsOptionsOf } from '../../src/protocol/certificate';
import { proveMembership } from '../../src/protocol/channelProof';
import type { ListedHost, SourceInfo } from '../../src/protocol/controlReplies';
import { startHasher } from './hashFiles';
import { RawConnection } from './rawPeer';
import { startServer, type StartServerOptions, type TestServer } from './startServer';
import { temporaryFolder } from './temporaryFolder';

export function newProofKey(): KeyObject {
  return createSecretKey(randomBytes(32));
}

/** A new member of the team with this key. */
export async function newMember(proofKey: KeyObject): Promise<TransferSecurity> {
  const { certificate, privateKey } = await makeIdentity(new Date());
  const identity = readOwnIdentity(certificate, privateKey);
  return { identity, proofKey, refusalOf: () => undefined };
}

/** A serving port in a team session. */
export function startTeamServer(
  cleanup: Cleanup,
  security: TransferSecurity,
  { offer, ...options }: StartServerOptions = {},
): Promise<TestServer> {
  return startServer(cleanup, { ...options, offer: { ...offer, security: () => security } });
}

/** What a tracker and a verified host record would say of a published file. */
export function sourceOf(
  server: Pick<TestServer, 'entries' | 'port'>,
  name: string,
  fingerprint: string | undefined,
): SourceInfo {
  const { sizeBytes, modifiedMs, contentId } = server.entries.get(name)!;
  const hostname = `host-${server.port}`;
  return {
    ...{ hostname, displayName: hostname, ip: '127.0.0.1', port: server.port, fingerprint },
    ...{ size: sizeBytes, modified: modifiedMs / 1_000, contentId },
  };
}

/** What a tracker lists of everything that a server has. */
export function listedHost(
  { entries, port }: TestServer,
  fingerprint: string | undefined,
): ListedHost {
  const files = [...entries.values()].map(({ name, sizeBytes, modifiedMs, contentId }) => {
    return [name, { size: sizeBytes, modified: modifiedMs, publishedAt: 0, contentId }] as const;
  });
  return {
    ...{ displayName: 'host', ip: '127.0.0.1', port, fingerprint },
    ...{ files: new Map(files), lastSeen: 0, connectedAt: 0 },
  };
}

/** The fetching side of a peer without a tracker. */
export interface TestFetching {
  readonly fetcher: Fetcher;
  readonly folders: FolderFetcher;
  readonly transfers: TransferList;
  readonly path: (name: string) => string;
}

export function startFetching(
  cleanup: Cleanup,
  security: TransferSecurity | undefined,
  {
    clock = systemClock,
    maxBytesPerSecond = 0,
  }: { readonly clock?: Clock; readonly maxBytesPerSecond?: number } = {},
): TestFetching {
  const folder = temporaryFolder(cleanup);
  const storageFolder = temporaryFolder(cleanup);
  const transfers = new TransferList(clock);
  cleanup.add(() => transfers.dispose());
  const fetching = createFetchers(
    {
      ...startHasher(cleanup, storageFolder),
      ...{ clock, transfers, logger: nullLogger, stallMs: 2_000 },
      cache: new HashCache(join(storageFolder, 'hashes.json'), nullLogger),
      security: () => security,
      entryTrust: () => undefined,
      maxBytesPerSecond: () => maxBytesPerSecond,
      locate: () => Promise.resolve([]),
      session: { registeredHostname: undefined, catalogue: undefined },
      client: () => assert.fail('there is no tracker'),
      awayForMs: () => undefined,
      labelled: (host) => host,
    },
    { storageFolder, windowId: 'test' },
  );
  return { ...fetching, transfers, path: (name) => join(folder, name) };
}

/** A connection inside TLS for saying exactly what a test wants to say. */
export class RawTls extends RawConnection {
  constructor(override readonly socket: TLSSocket) {
    super(socket);
  }

  /** The proof of membership for this connection. */
  prove(client: TransferSecurity, server: TransferSecurity): string {
    const claim = {
      exporter: exportFrom(this.socket),
      clientFingerprint: client.identity.fingerprint,
      serverFingerprint: server.identity.fingerprint,
    };
    return proveMembership(claim, client.proofKey);
  }
}

/** @throws what the handshake fails with. */
export async function connectTls(
  cleanup: Cleanup,
  port: number,
  options: ConnectionOptions,
): Promise<RawTls> {
  const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ...options });
  cleanup.add(() => socket.destroy());
  const raw = new RawTls(socket);
  await new Promise<void>((resolve, reject) => {
    socket.once('secureConnect', resolve).once('error', reject);
  });
  return raw;
}

export function connectAs(
  cleanup: Cleanup,
  port: number,
  { identity }: TransferSecurity,
): Promise<RawTls> {
  return connectTls(cleanup, port, tlsOptionsOf(identity));
}
