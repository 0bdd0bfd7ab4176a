import { strict as assert } from 'node:assert';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import {
  BLOCK_BYTES,
  blockCount,
  contentOfBlocks,
  expectedPieceHash,
  hashBlock,
  hashPiece,
  hasLayer,
  type HashedContent,
  isLayerOf,
  LEAF_BYTES,
  MAX_PIECES,
  pieceBytes,
  pieceCount,
  rootOfLayer,
} from '../../../src/protocol/hashTree';

interface Vectors {
  readonly published: readonly {
    file: string;
    sizeBytes: number;
    pieceBytes: number;
    root: string;
    layer: string;
  }[];
  readonly generated: readonly { sizeBytes: number; root: string; layer: string }[];
}

const VECTORS = JSON.parse(
  readFileSync(join(__dirname, '../../fixtures/bep52.json'), 'utf8'),
) as Vectors;

const MIB = 1024 * 1024;

function hashContent(bytes: Buffer): HashedContent {
  const hashes: Buffer[] = [];
  for (let start = 0; start < bytes.length; start += BLOCK_BYTES)
    hashes.push(hashBlock(bytes.subarray(start, start + BLOCK_BYTES), bytes.length));
  return contentOfBlocks(Buffer.concat(hashes), bytes.length);
}

/** As BEP 52 says it, word for word and without any thought of speed. */
function slowRoot(bytes: Buffer): string {
  const sha = (data: Buffer): Buffer => createHash('sha256').update(data).digest();
  let level: Buffer[] = [];
  for (let start = 0; start < bytes.length; start += 16_384)
    level.push(sha(bytes.subarray(start, start + 16_384)));
  if (level.length === 0) return sha(bytes).toString('hex');
  while (Math.log2(level.length) % 1 !== 0) level.push(Buffer.alloc(32));
  while (level.length > 1) {
    const above: Buffer[] = [];
    for (let index = 0; index < level.length; index += 2)
      above.push(sha(Buffer.concat(level.slice(index, index + 2))));
    level = above;
  }
  return level[0]?.toString('hex') ?? '';
}

function pattern(sizeBytes: number): Buffer {
  const bytes = Buffer.alloc(sizeBytes);
  for (let i = 0; i < sizeBytes; i += 1) bytes[i] = (i * 31 + (i >> 8) * 7 + (i >> 16)) & 255;
  return bytes;
}

describe('hash tree', () => {
  for (const { file, sizeBytes, pieceBytes: bytesPerPiece, root, layer } of VECTORS.published)
    it(`gets from the published layer of ${file} (${sizeBytes} bytes) to its root`, () => {
      const hashes = Buffer.from(layer, 'base64');
      assert.equal(rootOfLayer(hashes, bytesPerPiece).toString('hex'), root);
      if (bytesPerPiece === pieceBytes(sizeBytes))
        assert.ok(isLayerOf(hashes, { root, sizeBytes }));
    });

  for (const { sizeBytes, root, layer } of VECTORS.generated)
    it(`hashes ${sizeBytes} bytes as another implementation does`, () => {
      const hashed = hashContent(pattern(sizeBytes));
      assert.equal(hashed.contentId.root, root);
      assert.equal(hashed.layer.toString('base64'), layer);
    });

  it('hashes an empty file as nothing, without pieces', () => {
    const { contentId, layer } = hashContent(Buffer.alloc(0));
    assert.equal(contentId.root, createHash('sha256').digest('hex'));
    assert.equal(layer.length, 0);
    assert.equal(pieceCount(0), 0);
    assert.equal(blockCount(0), 0);
  });

  it('equals the slow implementation for any size', () => {
    const edges = fc.constantFrom(LEAF_BYTES, 3 * LEAF_BYTES, MIB, 2 * MIB, 3 * MIB, 4 * MIB);
    const size = fc
      .tuple(edges, fc.integer({ min: -2, max: 2 }))
      .map(([edge, shift]) => edge + shift);
    fc.assert(
      fc.property(fc.oneof(size, fc.integer({ min: 0, max: 5 * MIB })), (sizeBytes) => {
        const bytes = pattern(sizeBytes);
        const { contentId, layer } = hashContent(bytes);
        assert.equal(contentId.root, slowRoot(bytes));
        assert.ok(isLayerOf(layer, contentId));
      }),
      { numRuns: 40 },
    );
  });

  it('has one root for two sizes, which is why the size belongs to the id', () => {
    const large = pattern(2 * LEAF_BYTES);
    const leaves = [large.subarray(0, LEAF_BYTES), large.subarray(LEAF_BYTES)];
    const small = Buffer.concat(leaves.map((leaf) => createHash('sha256').update(leaf).digest()));
    assert.equal(small.length, 64);
    assert.equal(hashContent(small).contentId.root, hashContent(large).contentId.root);
  });

  it('chooses pieces by the size of the file', () => {
    assert.equal(pieceBytes(0), MIB);
    assert.equal(pieceBytes(MAX_PIECES * MIB), MIB);
    assert.equal(pieceBytes(MAX_PIECES * MIB + 1), 2 * MIB);
    assert.equal(pieceCount(MAX_PIECES * MIB + 1), MAX_PIECES / 2 + 1);
    assert.ok(!hasLayer(MIB));
    assert.ok(hasLayer(MIB + 1));
  });

  it('joins blocks to pieces larger than a block, the last one padded', () => {
    // 16 GiB and 3 blocks: pieces of 2 MiB, the last of them half full. Blocks are made up.
    const fileBytes = MAX_PIECES * MIB + 3 * MIB;
    const blocks = Buffer.alloc(blockCount(fileBytes) * 32, 7);
    const { contentId, layer } = contentOfBlocks(blocks, fileBytes);
    assert.equal(layer.length, pieceCount(fileBytes) * 32);
    assert.equal(rootOfLayer(blocks, MIB).toString('hex'), contentId.root);
    const last = pieceCount(fileBytes) - 1;
    const lastPiece = hashPiece(blocks.subarray(last * 64), fileBytes);
    assert.ok(lastPiece.equals(expectedPieceHash(layer, contentId, last)));
  });

  it('takes the root for the hash of the only piece', () => {
    const bytes = pattern(100_000);
    const { contentId, layer } = hashContent(bytes);
    assert.equal(layer.length, 0);
    assert.ok(hashBlock(bytes, bytes.length).equals(expectedPieceHash(layer, contentId, 0)));
  });

  it('refuses layers that are wrong, too short, too long or superfluous', () => {
    const { contentId, layer } = hashContent(pattern(3 * MIB));
    const wrong = Buffer.from(layer);
    wrong[40] = (wrong[40] ?? 0) ^ 1;
    for (const bad of [wrong, layer.subarray(32), Buffer.concat([layer, layer.subarray(0, 32)])])
      assert.ok(!isLayerOf(bad, contentId));
    assert.ok(!isLayerOf(Buffer.alloc(32), hashContent(pattern(10)).contentId));
  });
});
