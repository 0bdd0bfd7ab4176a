import { join } from 'node:path';
import type { Cleanup } from '../../scripts/host/cleanup';
import { type Clock, systemClock } from '../../src/common/clock';
import { nullLogger } from '../../src/common/logger';
import { ContentHasher } from '../../src/peer/hash/contentHasher';
import { HashCache } from '../../src/peer/hash/hashCache';
import { HashPool } from '../../src/peer/hash/hashPool';
import { LayerStore } from '../../src/peer/hash/layerStore';
import {
  BLOCK_BYTES,
  contentOfBlocks,
  hashBlock,
  type HashedContent,
} from '../../src/protocol/hashTree';

/** The built worker: a thread has no loader for sources. */
export const HASH_WORKER = join(__dirname, '../../dist/hashWorker.js');

/** What the hash tree says about bytes in memory. */
export function hashBytes(bytes: Uint8Array): HashedContent {
  const hashes: Buffer[] = [];
  for (let start = 0; start < bytes.length; start += BLOCK_BYTES)
    hashes.push(hashBlock(bytes.subarray(start, start + BLOCK_BYTES), bytes.length));
  return contentOfBlocks(Buffer.concat(hashes), bytes.length);
}

/** Counts what is read, to show that something is not. */
class CountingPool extends HashPool {
  tasks = 0;

  override run: HashPool['run'] = (task, signal) => {
    this.tasks += 1;
    return HashPool.prototype.run.call(this, task, signal) as never;
  };
}

export interface TestHasher {
  readonly pool: CountingPool;
  readonly hasher: ContentHasher;
  readonly layers: LayerStore;
}

/** A hasher with threads and a store of its own; another one on the same folder shares what it knows. */
export function startHasher(
  cleanup: Cleanup,
  folder: string,
  { workers = 2, clock = systemClock }: { workers?: number; clock?: Clock } = {},
): TestHasher {
  const pool = new CountingPool({ bundle: HASH_WORKER, clock: systemClock, workers });
  cleanup.add(() => pool.stop());
  const cache = new HashCache(join(folder, 'hashes.json'), nullLogger);
  const layers = new LayerStore(join(folder, 'layers'), nullLogger, clock);
  return {
    pool,
    layers,
    hasher: new ContentHasher({ clock: systemClock, pool, cache, layers }),
  };
}
