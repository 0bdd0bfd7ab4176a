import { throwIfAborted } from '../../common/abort';
import type { Clock } from '../../common/clock';
import { mapConcurrently } from '../../common/concurrency';
import { fromPlainError, fromReadError, PeershelfError } from '../../common/errors';
import type { ContentId } from '../../protocol/contentId';
import {
  BLOCK_BYTES,
  blockCount,
  contentOfBlocks,
  HASH_BYTES,
  type HashedContent,
  hasLayer,
} from '../../protocol/hashTree';
import { type FileStamp, inDoubt, isSameStamp, isTooYoung, stampOf } from './fileStamp';
import type { HashCache } from './hashCache';
import type { HashPool } from './hashPool';
import type { LayerStore } from './layerStore';

/** Blocks of one task: short enough to cancel soon and to let a received block go first. */
const BLOCKS_PER_TASK = 16;
/** Small files of one task. */
const FILES_PER_TASK = 64;
/** How often a file that changes while it is read is begun again. */
const MAX_ATTEMPTS = 5;

export interface HashedFile {
  readonly stamp: FileStamp;
  readonly contentId: ContentId;
}

export interface HashOptions {
  readonly signal?: AbortSignal | undefined;
  /** Bytes that have been hashed since the last call; those of files begun again count again. */
  readonly onBytes?: ((bytes: number) => void) | undefined;
  /** Reads every file, whatever is remembered of it. */
  readonly anew?: boolean | undefined;
}

export interface ContentHasherDependencies {
  readonly clock: Clock;
  readonly pool: HashPool;
  readonly cache: HashCache;
  readonly layers: LayerStore;
}

/**
 * Finds out what files hold. What has been hashed before and looks the same since is not read again.
 */
export class ContentHasher {
  constructor(private readonly dependencies: ContentHasherDependencies) {}

  /**
   * The content of each file, or why it is not known, in the order of `paths` (absolute, no links).
   * @throws CANCELLED and what concerns all files; FILE_GONE, FILE_UNREADABLE and FILE_CHANGED are
   * results.
   */
  async hashAll(
    paths: readonly string[],
    options: HashOptions = {},
  ): Promise<(HashedFile | PeershelfError)[]> {
    const { cache } = this.dependencies;
    const results = new Map<string, HashedFile | PeershelfError>();
    const unknown: string[] = [];
    for (const path of new Set(paths)) {
      const known = options.anew === true ? undefined : this.fromCache(path);
      if (known === undefined) unknown.push(path);
      else results.set(path, known);
    }
    const batches: string[][] = [];
    for (let start = 0; start < unknown.length; start += FILES_PER_TASK)
      batches.push(unknown.slice(start, start + FILES_PER_TASK));
    const hash = async (batch: string[]): Promise<void> => {
      for (const [path, result] of await this.hashBatch(batch, options)) results.set(path, result);
    };
    try {
      await mapConcurrently(batches, this.tasksAtOnce, hash);
    } finally {
      cache.save();
    }
    return paths.map((path) => results.get(path) ?? new PeershelfError('INTERNAL', 'not hashed'));
  }

  /** As `hashAll` for one file. @throws what keeps it from being hashed. */
  async hash(path: string, options: HashOptions = {}): Promise<HashedFile> {
    const [result] = await this.hashAll([path], options);
    if (result === undefined || result instanceof PeershelfError) throw PeershelfError.from(result);
    return result;
  }

  /** What a file holds, where that is known without reading it. */
  known(path: string): HashedFile | undefined {
    return this.fromCache(path);
  }

  /**
   * A file has been written with this content, under a temporary name before. It may serve for a
   * copy, no more: after a crash of the machine it may hold less than its looks say. Not stored
   * before the next `save`, as there may be thousands.
   */
  noteWritten(path: string, contentId: ContentId, temporary: string): void {
    const { cache } = this.dependencies;
    cache.forget(temporary);
    try {
      cache.set(path, inDoubt(stampOf(path)), contentId);
    } catch {
      // Somebody has removed it already.
    }
  }

  /** Stores what has been noted. */
  save(): void {
    this.dependencies.cache.save();
  }

  /** The hashes of some blocks of a file that looks like `stamp`, one after the other. */
  async hashBlocks(
    file: { readonly path: string; readonly stamp: FileStamp },
    [firstBlock, endBlock]: readonly [number, number],
    { signal, onBytes }: HashOptions,
  ): Promise<Buffer> {
    const { path, stamp } = file;
    const starts: number[] = [];
    for (let start = firstBlock; start < endBlock; start += BLOCKS_PER_TASK) starts.push(start);
    const parts = await mapConcurrently(starts, this.tasksAtOnce, async (start) => {
      const end = Math.min(endBlock, start + BLOCKS_PER_TASK);
      const task = { kind: 'range', path, stamp, firstBlock: start, endBlock: end } as const;
      const { hashes } = await this.dependencies.pool.run(task, signal);
      onBytes?.(Math.min(stamp.sizeBytes, end * BLOCK_BYTES) - start * BLOCK_BYTES);
      return hashes;
    });
    return Buffer.concat(parts, (endBlock - firstBlock) * HASH_BYTES);
  }

  /** Enough that no thread waits, few enough that what comes later is not kept behind them. */
  private get tasksAtOnce(): number {
    return this.dependencies.pool.size * 2;
  }

  private fromCache(path: string): HashedFile | undefined {
    const { cache, layers } = this.dependencies;
    if (!cache.has(path)) return undefined;
    let stamp: FileStamp;
    try {
      stamp = stampOf(path);
    } catch {
      return undefined; // Whoever reads it says what is wrong with it.
    }
    const contentId = cache.get(path, stamp);
    if (contentId === undefined) return undefined;
    if (hasLayer(contentId.sizeBytes) && !layers.has(contentId)) return undefined;
    return { stamp, contentId };
  }

  private async hashBatch(
    paths: readonly string[],
    options: HashOptions,
  ): Promise<[string, HashedFile | PeershelfError][]> {
    const { pool } = this.dependencies;
    const { files } = await pool.run({ kind: 'small', paths }, options.signal);
    const done: [string, HashedFile | PeershelfError][] = [];
    for (const [index, path] of paths.entries()) {
      const file = files[index];
      if (file === undefined) continue;
      if ('error' in file) done.push([path, fromPlainError(file.error)]);
      else if (file.root === undefined) done.push([path, await this.hashLarge(path, options)]);
      else {
        const contentId = { root: file.root, sizeBytes: file.stamp.sizeBytes };
        options.onBytes?.(file.stamp.sizeBytes);
        done.push([path, this.keep(path, { stamp: file.stamp, contentId })]);
      }
    }
    return done;
  }

  private async hashLarge(
    path: string,
    options: HashOptions,
  ): Promise<HashedFile | PeershelfError> {
    let failure = new PeershelfError('FILE_CHANGED', `${path} changes all the time`, {
      details: { path },
    });
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
      throwIfAborted(options.signal);
      try {
        return await this.hashOnce(path, options);
      } catch (error) {
        failure = PeershelfError.from(error);
        if (failure.code !== 'FILE_CHANGED') break;
      }
    }
    if (failure.code === 'CANCELLED' || failure.code === 'ENGINE_STOPPED') throw failure;
    return failure;
  }

  private async hashOnce(path: string, options: HashOptions): Promise<HashedFile> {
    const stamp = readStamp(path);
    const blocks = await this.hashBlocks(
      { path, stamp },
      [0, blockCount(stamp.sizeBytes)],
      options,
    );
    if (!isSameStamp(readStamp(path), stamp))
      throw new PeershelfError('FILE_CHANGED', `${path} changed while it was read`, {
        details: { path },
      });
    const { contentId, layer }: HashedContent = contentOfBlocks(blocks, stamp.sizeBytes);
    this.dependencies.layers.put(contentId, layer);
    return this.keep(path, { stamp, contentId });
  }

  private keep(path: string, hashed: HashedFile): HashedFile {
    const { cache, clock } = this.dependencies;
    const { stamp, contentId } = hashed;
    // One that is too young is hashed again by who wants to be sure, but may serve for a copy.
    cache.set(path, isTooYoung(stamp, clock.now()) ? inDoubt(stamp) : stamp, contentId);
    return hashed;
  }
}

function readStamp(path: string): FileStamp {
  try {
    return stampOf(path);
  } catch (error) {
    throw fromReadError(error, path);
  }
}
