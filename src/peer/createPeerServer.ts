import type { Clock } from '../common/clock';
import type { Logger } from '../common/logger';
import type { LayerStore } from './hash/layerStore';
import type { NetworkIndex } from './network/networkIndex';
import type { PeerSettings } from './peerApi';
import type { Publisher } from './publisher';
import type { TrackerSession } from './trackerSession';
import { PeerServer } from './transfer/peerServer';
import type { TransferList } from './transfer/transferList';

export interface PeerServerParts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly transfers: TransferList;
  readonly layers: LayerStore;
  /** Asked when somebody fetches: all of them need the server when they are made. */
  readonly session: () => TrackerSession;
  readonly publisher: () => Publisher;
  readonly network: () => NetworkIndex;
  /** Milliseconds without progress after which an upload is given up. */
  readonly slowReaderMs: number | undefined;
}

/** The serving port of a peer, which offers what its session's catalogue has. */
export function createPeerServer(
  { clock, logger, transfers, layers, session, publisher, network, slowReaderMs }: PeerServerParts,
  { maxUploads, maxUploadBytesPerSecond = 0 }: PeerSettings,
): PeerServer {
  return new PeerServer(
    {
      ...{ clock, transfers, logger: logger.child('server') },
      nameOf: (recipient) => network().nameOf(recipient),
      security: () => session().security,
      find: (name) => session().catalogue?.get(name),
      signatures: () => session().signatures,
      findContent: (id) => publisher().findContent(id),
      layerOf: ({ contentId }) => contentId && layers.get(contentId),
      onSeen: (entry) => publisher().onSeen(entry),
    },
    {
      maxUploads,
      maxUploadBytesPerSecond,
      ...(slowReaderMs === undefined ? {} : { slowReaderMs }),
    },
  );
}
