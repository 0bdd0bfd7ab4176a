import { hash } from 'node:crypto';
import type { ContentId } from './contentId';

/**
 * The hash tree of BEP 52 (https://www.bittorrent.org/beps/bep_0052.html): SHA-256 over leaves of
 * 16 KiB, the last one as short as it is; leaves that are not there count as 32 zero bytes.
 */

export const HASH_BYTES = 32;
export const LEAF_BYTES = 16 * 1024;

/**
 * Unit of hashing and of transfer: pieces consist of whole blocks, and a file of one block has only
 * the leaves that it needs.
 */
export const BLOCK_BYTES = 1024 * 1024;

/** Layers are short enough for one message (512 KiB), pieces grow with the file instead. */
export const MAX_PIECES = 16_384;

const LEAVES_PER_BLOCK = BLOCK_BYTES / LEAF_BYTES;
const BLOCK_HEIGHT = Math.log2(LEAVES_PER_BLOCK);

/** Root of a subtree of zero leaves, by height. 40 levels of leaves are far beyond any file. */
const ZERO_ROOTS = zeroRoots(40);

/** Bytes of a piece: the smallest power of two from 1 MiB on that gives at most 16,384 pieces. */
export function pieceBytes(sizeBytes: number): number {
  let bytes = BLOCK_BYTES;
  while (sizeBytes > bytes * MAX_PIECES) bytes *= 2;
  return bytes;
}

/** Pieces of a file; an empty one has none. */
export function pieceCount(sizeBytes: number): number {
  return Math.ceil(sizeBytes / pieceBytes(sizeBytes));
}

/** Blocks of a file; an empty one has none. */
export function blockCount(sizeBytes: number): number {
  return Math.ceil(sizeBytes / BLOCK_BYTES);
}

/** Whether the pieces of a file have hashes of their own. Else its root is its only piece's hash. */
export function hasLayer(sizeBytes: number): boolean {
  return pieceCount(sizeBytes) > 1;
}

/**
 * Hash of one block of a file of `fileBytes`, which is not empty.
 * @param block all bytes of the block: 1 MiB, or what is left of the file.
 */
export function hashBlock(block: Uint8Array, fileBytes: number): Buffer {
  const leafCount = Math.ceil(block.length / LEAF_BYTES);
  const height = fileBytes > BLOCK_BYTES ? BLOCK_HEIGHT : heightFor(leafCount);
  const leaves = Buffer.allocUnsafe(leafCount * HASH_BYTES);
  for (let index = 0; index < leafCount; index += 1) {
    const start = index * LEAF_BYTES;
    leaves.set(sha256(block.subarray(start, start + LEAF_BYTES)), index * HASH_BYTES);
  }
  return foldTree(leaves, 0, height);
}

/**
 * Hash of a piece made of the hashes of its blocks, in order.
 * @param fileBytes size of the whole file: the last piece of several is padded to a full one.
 */
export function hashPiece(blockHashes: Buffer, fileBytes: number): Buffer {
  if (fileBytes <= BLOCK_BYTES) return blockHashes;
  const height = hasLayer(fileBytes)
    ? Math.log2(pieceBytes(fileBytes) / LEAF_BYTES)
    : BLOCK_HEIGHT + heightFor(blockHashes.length / HASH_BYTES);
  return foldTree(blockHashes, BLOCK_HEIGHT, height);
}

/**
 * Root of a file made of the hashes of its pieces, in order.
 * @param bytesPerPiece a power of two from 16 KiB on.
 */
export function rootOfLayer(layer: Buffer, bytesPerPiece: number): Buffer {
  const height = Math.log2(bytesPerPiece / LEAF_BYTES);
  return foldTree(layer, height, height + heightFor(layer.length / HASH_BYTES));
}

/** What is known about a file when all its blocks have been hashed. */
export interface HashedContent {
  readonly contentId: ContentId;
  /** Hashes of the pieces, one after the other; empty when the root says it all. */
  readonly layer: Buffer;
}

/** Puts together the hashes of all blocks of a file (`hashBlock`, in order). */
export function contentOfBlocks(blockHashes: Buffer, fileBytes: number): HashedContent {
  if (fileBytes === 0) return content(sha256(Buffer.alloc(0)), 0, Buffer.alloc(0));
  if (!hasLayer(fileBytes))
    return content(hashPiece(blockHashes, fileBytes), fileBytes, Buffer.alloc(0));
  const stride = (pieceBytes(fileBytes) / BLOCK_BYTES) * HASH_BYTES;
  const layer = Buffer.allocUnsafe(pieceCount(fileBytes) * HASH_BYTES);
  for (let piece = 0; piece * HASH_BYTES < layer.length; piece += 1) {
    const blocks = blockHashes.subarray(piece * stride, (piece + 1) * stride);
    layer.set(hashPiece(blocks, fileBytes), piece * HASH_BYTES);
  }
  return content(rootOfLayer(layer, pieceBytes(fileBytes)), fileBytes, layer);
}

/** Whether a layer that someone else sent belongs to the content. Nothing of it counts before. */
export function isLayerOf(layer: Buffer, { root, sizeBytes }: ContentId): boolean {
  if (!hasLayer(sizeBytes)) return layer.length === 0;
  if (layer.length !== pieceCount(sizeBytes) * HASH_BYTES) return false;
  return rootOfLayer(layer, pieceBytes(sizeBytes)).toString('hex') === root;
}

/** The hash that piece number `index` must have, given a layer that has been checked. */
export function expectedPieceHash(layer: Buffer, id: ContentId, index: number): Buffer {
  if (!hasLayer(id.sizeBytes)) return Buffer.from(id.root, 'hex');
  return layer.subarray(index * HASH_BYTES, (index + 1) * HASH_BYTES);
}

function content(root: Buffer, sizeBytes: number, layer: Buffer): HashedContent {
  return { contentId: { root: root.toString('hex'), sizeBytes }, layer };
}

/** Levels that join `count` nodes into one. */
function heightFor(count: number): number {
  return Math.ceil(Math.log2(Math.max(1, count)));
}

/**
 * Joins nodes two by two from level `from` up to level `to`, with zero subtrees in the place of those
 * that are missing at the end.
 */
function foldTree(nodes: Buffer, from: number, to: number): Buffer {
  let level = Buffer.from(nodes);
  for (let height = from; height < to; height += 1) {
    const count = level.length / HASH_BYTES;
    const next = Buffer.allocUnsafe(Math.ceil(count / 2) * HASH_BYTES);
    for (let index = 0; index < count; index += 2) {
      const start = index * HASH_BYTES;
      const pair =
        index + 1 < count
          ? level.subarray(start, start + 2 * HASH_BYTES)
          : Buffer.concat([level.subarray(start), zeroRoot(height)]);
      next.set(sha256(pair), start / 2);
    }
    level = next;
  }
  return level;
}

function zeroRoot(height: number): Buffer {
  return ZERO_ROOTS[height] ?? Buffer.alloc(HASH_BYTES);
}

function zeroRoots(count: number): readonly Buffer[] {
  const roots: Buffer[] = [];
  let node: Buffer = Buffer.alloc(HASH_BYTES);
  for (let height = 0; height < count; height += 1) {
    roots.push(node);
    node = sha256(Buffer.concat([node, node]));
  }
  return roots;
}

function sha256(bytes: Uint8Array): Buffer {
  return hash('sha256', bytes, 'buffer');
}
