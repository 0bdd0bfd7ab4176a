import { readdirSync, readFileSync, rmSync, statSync, utimesSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { moveFile } from '../../common/busyFile';
import type { Clock } from '../../common/clock';
import { describeError, systemCode } from '../../common/errors';
import type { Logger } from '../../common/logger';
import { makePrivateFolder, writePrivateFile } from '../../common/privateFiles';
import { type ContentId, formatContentId } from '../../protocol/contentId';
import { hasLayer, isLayerOf } from '../../protocol/hashTree';

/** Layers that nobody has used for this long are removed; they can be made again. */
const KEEP_MS = 30 * 24 * 3_600_000;
/** What has been used within a day is not marked as used again. */
const TOUCH_INTERVAL_MS = 24 * 3_600_000;

/** Layers kept in memory, at most half a megabyte each. */
const MAX_IN_MEMORY = 16;

/**
 * Piece layers of what has been hashed, one small file each, shared by all windows. Whatever comes
 * from a file is checked against its content id before it is used.
 */
export class LayerStore {
  private readonly memory = new Map<string, Buffer>();

  constructor(
    private readonly folder: string,
    private readonly logger: Logger,
    private readonly clock: Clock,
  ) {}

  /** Removes what nobody has used for long, and what a crash has left half-written. */
  sweep(): void {
    try {
      for (const name of readdirSync(this.folder)) {
        const path = join(this.folder, name);
        const ageMs = this.clock.now() - statSync(path).mtimeMs;
        const isHalf = name.endsWith('.new') && ageMs > TOUCH_INTERVAL_MS;
        if (isHalf || (name.endsWith('.layer') && ageMs > KEEP_MS)) rmSync(path, { force: true });
      }
    } catch (error) {
      if (systemCode(error) !== 'ENOENT')
        this.logger.warn(`old piece layers cannot be removed: ${describeError(error)}`);
    }
  }

  has(id: ContentId): boolean {
    return this.get(id) !== undefined;
  }

  /** The layer, or undefined when it is not known or the content has none. */
  get(id: ContentId): Buffer | undefined {
    if (!hasLayer(id.sizeBytes)) return undefined;
    const key = formatContentId(id);
    const layer = this.memory.get(key) ?? this.read(key, id);
    if (layer !== undefined) this.remember(key, layer);
    return layer;
  }

  /** Keeps a layer that is known to be right. When it cannot be stored it is hashed again one day. */
  put(id: ContentId, layer: Buffer): void {
    if (!hasLayer(id.sizeBytes)) return;
    const key = formatContentId(id);
    this.remember(key, layer);
    const temporary = join(this.folder, `${randomUUID()}.new`);
    try {
      makePrivateFolder(this.folder);
      writePrivateFile(temporary, layer);
      moveFile(temporary, this.path(key));
    } catch (error) {
      rmSync(temporary, { force: true });
      this.logger.warn(`a piece layer cannot be stored: ${describeError(error)}`);
    }
  }

  private read(key: string, id: ContentId): Buffer | undefined {
    let layer: Buffer;
    try {
      layer = readFileSync(this.path(key));
    } catch (error) {
      if (systemCode(error) !== 'ENOENT')
        this.logger.warn(`a piece layer cannot be read: ${describeError(error)}`);
      return undefined;
    }
    if (isLayerOf(layer, id)) {
      this.touch(this.path(key));
      return layer;
    }
    this.logger.warn(`the stored piece layer ${key} is damaged`);
    rmSync(this.path(key), { force: true });
    return undefined;
  }

  private touch(path: string): void {
    const nowMs = this.clock.now();
    try {
      if (nowMs - statSync(path).mtimeMs > TOUCH_INTERVAL_MS)
        utimesSync(path, nowMs / 1000, nowMs / 1000);
    } catch (error) {
      this.logger.debug(`a piece layer cannot be marked as used: ${describeError(error)}`);
    }
  }

  private remember(key: string, layer: Buffer): void {
    this.memory.delete(key);
    this.memory.set(key, layer);
    if (this.memory.size <= MAX_IN_MEMORY) return;
    const [oldest] = this.memory.keys();
    if (oldest !== undefined) this.memory.delete(oldest);
  }

  private path(key: string): string {
    return join(this.folder, `${key}.layer`);
  }
}
