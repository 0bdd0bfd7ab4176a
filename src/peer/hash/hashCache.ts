import * as v from 'valibot';
import { describeError } from '../../common/errors';
import type { Logger } from '../../common/logger';
import { type ContentId, isSameContent, toContentId } from '../../protocol/contentId';
import { readJsonFile, writeJsonFile } from '../../common/jsonFile';
import { type FileStamp, isSameStamp } from './fileStamp';

/** Files that are remembered; those used longest ago are forgotten first. About 25 MB as a file. */
const MAX_ENTRIES = 100_000;

/** 2: stamps with time of change and device. */
const CACHE_VERSION = 2;

/** `[path, size, modified, changed, device, inode, root]`: short, as there are many. */
const entrySchema = v.tuple([
  v.string(),
  v.number(),
  v.number(),
  v.string(),
  v.string(),
  v.string(),
  v.string(),
]);
const cacheSchema = v.object({
  version: v.literal(CACHE_VERSION),
  files: v.pipe(v.array(entrySchema), v.maxLength(MAX_ENTRIES)),
});

interface CachedFile {
  readonly stamp: FileStamp;
  readonly contentId: ContentId;
}

/**
 * What files held when they looked as they do. Kept in one file that all windows share: each reads
 * it once and puts its own findings on top, so the worst that can happen is that a file is hashed
 * twice.
 */
export class HashCache {
  private readonly entries = new Map<string, CachedFile>();
  private state: 'unread' | 'saved' | 'changed' = 'unread';

  constructor(
    private readonly file: string,
    private readonly logger: Logger,
  ) {}

  /** Whether anything is known about a path, at no cost. */
  has(path: string): boolean {
    if (this.state === 'unread') this.read();
    return this.entries.has(path);
  }

  get(path: string, stamp: FileStamp): ContentId | undefined {
    if (this.state === 'unread') this.read();
    const found = this.entries.get(path);
    if (found === undefined || !isSameStamp(found.stamp, stamp)) return undefined;
    this.entries.delete(path); // To the end: the order is that of use.
    this.entries.set(path, found);
    return found.contentId;
  }

  set(path: string, stamp: FileStamp, contentId: ContentId): void {
    if (this.state === 'unread') this.read();
    this.entries.delete(path);
    this.entries.set(path, { stamp, contentId });
    this.state = 'changed';
    if (this.entries.size <= MAX_ENTRIES) return;
    const [oldest] = this.entries.keys();
    if (oldest !== undefined) this.entries.delete(oldest);
  }

  /** Nothing is known of a path any more. */
  forget(path: string): void {
    if (this.state === 'unread') this.read();
    if (this.entries.delete(path)) this.state = 'changed';
  }

  /** Files that held this content when they were hashed or written, and may hold it still. */
  pathsOf(id: ContentId): string[] {
    if (this.state === 'unread') this.read();
    return [...this.entries].flatMap(([path, { contentId }]) =>
      isSameContent(contentId, id) ? [path] : [],
    );
  }

  /** Stores what is new. A failure costs time later, nothing else. */
  save(): void {
    if (this.state !== 'changed') return;
    const files = [...this.entries].map(([path, { stamp, contentId }]) => [
      path,
      stamp.sizeBytes,
      stamp.modifiedMs,
      stamp.changedNs,
      stamp.device,
      stamp.inode,
      contentId.root,
    ]);
    try {
      writeJsonFile(this.file, { version: CACHE_VERSION, files });
      this.state = 'saved';
    } catch (error) {
      this.logger.warn(`the hash cache cannot be stored: ${describeError(error)}`);
    }
  }

  private read(): void {
    this.state = 'saved';
    const stored = readJsonFile(this.file, cacheSchema, this.logger);
    for (const [path, sizeBytes, modifiedMs, changedNs, device, inode, root] of stored?.files ??
      []) {
      const contentId = toContentId(root, sizeBytes);
      if (contentId === undefined) continue;
      const stamp = { sizeBytes, modifiedMs, changedNs, device, inode };
      this.entries.set(path, { stamp, contentId });
    }
  }
}
