import { createHash } from 'node:crypto';
import { chmodSync, readdirSync, rmSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../common/clock';
import { describeError, PeershelfError, systemCode } from '../common/errors';
import type { Logger } from '../common/logger';
import { makePrivateFolder, PRIVATE_FILE_MODE } from '../common/privateFiles';
import {
  type ContentId,
  formatContentId,
  isSameContent,
  parseContentId,
} from '../protocol/contentId';
import type { LocatedSource } from '../protocol/controlRepliesV2';
import type { SourceInfo } from '../protocol/controlReplies';
import type { ContentHasher } from './hash/contentHasher';
import { resolveLinks } from './paths';
import {
  type FetchOptions,
  type FetchRequest,
  type FetchResult,
  MAX_PREVIEW_BYTES,
  type PreviewRequest,
} from './peerApi';

/** Files kept for looking at again: four of the largest kind, or many small ones. */
const MAX_CACHE_BYTES = 4 * MAX_PREVIEW_BYTES;
const MAX_CACHED_FILES = 1_000;

export interface PreviewsDependencies {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Folder of this window's own, for what was looked at. */
  readonly folder: string;
  readonly hasher: ContentHasher;
  /** Who has a content now, this peer left out. @throws NOT_CONNECTED */
  readonly locate: (id: ContentId) => Promise<LocatedSource[]>;
  readonly fetchFrom: (
    request: FetchRequest,
    sources: readonly SourceInfo[],
    options: FetchOptions,
  ) => Promise<FetchResult>;
  /** Fetches by name, where a publisher of version 1 has no content ids. */
  readonly fetchByName: (request: FetchRequest, options: FetchOptions) => Promise<FetchResult>;
  /** For tests: what the cache may hold. */
  readonly maxCacheBytes?: number;
}

/**
 * Files of others that somebody looks at without fetching them into a workspace: verified as every
 * fetch, and kept in a bounded cache, where what lies on the disk is verified again.
 */
export class Previews {
  constructor(private readonly dependencies: PreviewsDependencies) {}

  /** Absolute path of a file with the content. @throws FILE_TOO_LARGE, NOT_FOUND, what fetching does. */
  async get(request: PreviewRequest, options: FetchOptions): Promise<string> {
    const id = request.contentId === undefined ? undefined : parseContentId(request.contentId);
    const sizeBytes = Math.max(request.sizeBytes, id?.sizeBytes ?? 0);
    if (sizeBytes > MAX_PREVIEW_BYTES)
      throw new PeershelfError('FILE_TOO_LARGE', `${sizeBytes} bytes are no preview`, {
        details: { name: request.name },
      });
    // A preview is nobody else's business, however it was sent.
    makePrivateFolder(this.dependencies.folder);
    const path = await (id === undefined
      ? this.fetchByName(request, options)
      : this.getContent(id, request, options));
    chmodSync(path, PRIVATE_FILE_MODE);
    this.evict(path);
    return path;
  }

  private async getContent(
    id: ContentId,
    { name, hostname }: PreviewRequest,
    options: FetchOptions,
  ): Promise<string> {
    const { hasher, locate, fetchFrom } = this.dependencies;
    // Of each owner a file of its own: what is there was seen to be offered by that owner.
    const owned = `${formatContentId(id)}-${keyOf({ hostname, name })}`;
    const destination = join(this.dependencies.folder, owned);
    if (statSync(destination, { throwIfNoEntry: false })?.size === id.sizeBytes) {
      const { contentId } = await hasher.hash(resolveLinks(destination), options);
      if (isSameContent(contentId, id)) return destination;
    }
    const located = await locate(id);
    const sources = located.map((source) => toSourceInfo(source, id));
    // Others may send it, as its hash is known, but only its owner makes it that owner's file. A host
    // is located by one of the names under which it offers a content.
    const isOffered = located.some((one) => one.hostname === hostname);
    if (!isOffered)
      throw new PeershelfError('NOT_FOUND', `nobody has this content of ${name} any more`, {
        details: { name, hostname },
      });
    const request = { name, destination, ifExists: 'overwrite' } as const;
    return (await fetchFrom(request, sources, options)).path;
  }

  /** Without a content id nothing says whether it is still the same: it is fetched each time. */
  private async fetchByName(
    { name, hostname }: PreviewRequest,
    options: FetchOptions,
  ): Promise<string> {
    const destination = join(this.dependencies.folder, `name-${keyOf({ hostname, name })}`);
    // The publisher may send more than was listed.
    const more = { ifExists: 'overwrite', maxBytes: MAX_PREVIEW_BYTES } as const;
    const request = { name, hostname, destination, ...more };
    return (await this.dependencies.fetchByName(request, options)).path;
  }

  /** Marks `used` as used and removes what was used longest ago when there is too much. */
  private evict(used: string): void {
    const { clock, folder, logger, maxCacheBytes = MAX_CACHE_BYTES } = this.dependencies;
    const nowSeconds = clock.now() / 1000;
    try {
      utimesSync(used, nowSeconds, nowSeconds);
      const files = readdirSync(folder)
        .map((name) => join(folder, name))
        .map((path) => ({ path, ...sizeAndTime(path) }))
        .sort((one, other) => other.mtimeMs - one.mtimeMs);
      let bytes = 0;
      files.forEach(({ path, size }, index) => {
        bytes += size;
        const isTooMuch = bytes > maxCacheBytes || index >= MAX_CACHED_FILES;
        if (isTooMuch && path !== used) rmSync(path, { force: true });
      });
    } catch (error) {
      logger.warn(`old previews cannot be removed: ${describeError(error)}`);
    }
  }
}

function keyOf({ hostname, name }: Pick<PreviewRequest, 'hostname' | 'name'>): string {
  return createHash('sha256')
    .update(JSON.stringify([hostname, name]))
    .digest('hex');
}

/** Another window may have removed it meanwhile. */
function sizeAndTime(path: string): { readonly size: number; readonly mtimeMs: number } {
  try {
    const { size, mtimeMs } = statSync(path);
    return { size, mtimeMs };
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return { size: 0, mtimeMs: 0 };
    throw error;
  }
}

function toSourceInfo(source: LocatedSource, contentId: ContentId): SourceInfo {
  return { ...source, size: contentId.sizeBytes, modified: 0, contentId };
}
