import { join } from 'node:path';
import type { Clock } from '../../common/clock';
import type { Logger } from '../../common/logger';
import type { EngineOptions } from '../peerApi';
import { ContentHasher } from './contentHasher';
import { HashCache } from './hashCache';
import { HashPool } from './hashPool';
import { LayerStore } from './layerStore';

/** What finds out what files hold, with what it remembers. */
export function createHasher(
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
  { storageFolder, hashWorker }: Pick<EngineOptions, 'storageFolder' | 'hashWorker'>,
): {
  readonly pool: HashPool;
  readonly cache: HashCache;
  readonly layers: LayerStore;
  readonly hasher: ContentHasher;
} {
  const pool = new HashPool({ bundle: hashWorker, clock });
  const layers = new LayerStore(join(storageFolder, 'layers'), logger.child('hash'), clock);
  layers.sweep();
  const cache = new HashCache(join(storageFolder, 'hashes.json'), logger.child('hash'));
  return { pool, cache, layers, hasher: new ContentHasher({ clock, pool, cache, layers }) };
}
