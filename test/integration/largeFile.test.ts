import { strict as assert } from 'node:assert';
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  openSync,
  readFileSync,
  readSync,
  realpathSync,
  statSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../src/common/clock';
import { stampOf } from '../../src/peer/hash/fileStamp';
import { BlockPool } from '../../src/peer/transfer/pieces/blockPool';
import { ObjectConnection } from '../../src/peer/transfer/pieces/objectConnection';
import { PieceFile, type PieceVerdict } from '../../src/peer/transfer/pieces/pieceFile';
import { SourceDialer } from '../../src/peer/transfer/sourceDialer';
import { openSession } from '../../src/peer/transfer/transferSecurity';
import { BLOCK_BYTES, blockCount, contentOfBlocks, hashBlock } from '../../src/protocol/hashTree';
import { useCleanup } from '../support/cleanup';
import { startHasher } from '../support/hashFiles';
import { isLongRun } from '../support/longRuns';
import { startPeer } from '../support/startPeer';
import { startServer } from '../support/startServer';
import { startTracker } from '../support/startTracker';
import { temporaryFolder } from '../support/temporaryFolder';
import { eventually } from '../support/waitFor';

const GIB = 1024 ** 3;
/** What one transfer may hold, both ends of it in this one process; measured alone it is a sixth. */
const MAX_GROWTH_BYTES = 2 * 64 * 1024 ** 2;
/** Several times what a transfer may hold, and in a long run more than 32 bits can count. */
const LARGE_BYTES = isLongRun ? 5 * GIB : GIB / 2;

describe(`a file of ${LARGE_BYTES / GIB} GiB`, () => {
  const cleanup = useCleanup();

  it('arrives whole, through little memory', async function () {
    this.timeout(240_000);
    const { address: tracker } = await startTracker(cleanup);
    const alice = await startPeer(cleanup, { tracker, settings: { hostname: 'alice' } });
    const bob = await startPeer(cleanup, { tracker, settings: { hostname: 'bob' } });
    const path = alice.write('large.bin', '');
    truncateSync(path, LARGE_BYTES);
    await alice.peer.publish({ files: [{ path, name: 'large.bin' }] });
    const before = process.memoryUsage().rss;
    let peak = before;
    const destination = join(bob.folder, 'large.bin');
    const result = await bob.peer.fetch(
      { name: 'large.bin', destination, ifExists: 'fail' },
      { onProgress: () => (peak = Math.max(peak, process.memoryUsage().rss)) },
    );
    assert.equal(result.sizeBytes, LARGE_BYTES);
    assert.equal(statSync(destination).size, LARGE_BYTES);
    assert.ok(peak - before < MAX_GROWTH_BYTES, `grew by ${(peak - before) / 1024 ** 2} MiB`);
    unlinkSync(destination);
  });
});

describe('a file of more than 4 GiB', () => {
  const cleanup = useCleanup();
  /** The first block of the end, which begins below what 32 bits can count and goes on beyond. */
  const FIRST = (4 * GIB) / BLOCK_BYTES - 1;
  const START = FIRST * BLOCK_BYTES;
  const end = randomBytes(4 * BLOCK_BYTES + 5);
  const SIZE = START + end.length;

  /** Nothing but zeros before its end, which takes no room on the disk and need not be read. */
  const writeLarge = (path: string): void => {
    const descriptor = openSync(path, 'w');
    writeSync(descriptor, end, 0, end.length, START);
    closeSync(descriptor);
  };
  const readEnd = (path: string): Buffer => {
    const bytes = Buffer.alloc(end.length);
    const descriptor = openSync(path, 'r');
    assert.equal(readSync(descriptor, bytes, 0, bytes.length, START), bytes.length);
    closeSync(descriptor);
    return bytes;
  };

  it('is hashed, sent, written and noted at the right places at its end', async () => {
    const folder = temporaryFolder(cleanup);
    const { pool, hasher } = startHasher(cleanup, folder);
    const path = join(folder, 'large.bin');
    writeLarge(path);
    const blocks = Array.from({ length: blockCount(SIZE) - FIRST }, (_, index) =>
      end.subarray(index * BLOCK_BYTES, (index + 1) * BLOCK_BYTES),
    );
    const hashes = Buffer.concat(blocks.map((block) => hashBlock(block, SIZE)));
    const range = [FIRST, blockCount(SIZE)] as const;
    const found = await hasher.hashBlocks({ path, stamp: stampOf(path) }, range, {});
    assert.ok(found.equals(hashes));

    const zeros = hashBlock(Buffer.alloc(BLOCK_BYTES), SIZE);
    const all = Buffer.concat([...Array<Buffer>(FIRST).fill(zeros), hashes]);
    const { contentId, layer } = contentOfBlocks(all, SIZE);
    const server = await startServer(cleanup);
    server.entries.set('large.bin', {
      ...{ name: 'large.bin', path, realPath: realpathSync(path), sizeBytes: SIZE },
      ...{ modifiedMs: statSync(path).mtimeMs, stamp: stampOf(path) },
      ...{ publishedAtMs: 1, contentId },
      ...{ version: 1, sequence: 0 },
    });
    const part = { path: join(folder, 'part'), journal: join(folder, 'journal'), contentId, layer };
    const tools = { pool, hasher, blocks: new BlockPool(blocks.length) };
    const { signal } = new AbortController();
    const file = await PieceFile.open(part, tools, signal);
    const verdicts: PieceVerdict[] = [];
    const connection = new ObjectConnection({
      ...{ contentId, clock: systemClock, signal, blocks: tools.blocks, stallMs: 10_000 },
      dialer: new SourceDialer(systemClock, openSession),
      source: { host: '127.0.0.1', port: server.port },
      onBlock: (block) => void file.store(block).then((verdict) => verdicts.push(verdict)),
      onRange: () => undefined,
    });
    cleanup.add(() => connection.close());
    connection.ended.catch(() => undefined);
    await connection.open();
    connection.request({ start: START, end: SIZE });
    await eventually(() => verdicts.length === blocks.length || undefined, 'the end has come');
    assert.deepEqual(new Set(verdicts), new Set(['right']));
    assert.equal(file.verifiedBytes, end.length);
    file.close();
    assert.equal(statSync(part.path).size, SIZE);
    assert.ok(readEnd(part.path).equals(end));
    const noted = readFileSync(part.journal, 'utf8').trim().split('\n').map(Number);
    assert.deepEqual(
      noted.sort((a, b) => a - b),
      blocks.map((_, index) => FIRST + index),
    );
    const again = await PieceFile.open(part, tools, signal);
    assert.equal(again.verifiedBytes, end.length, 'the next attempt keeps it');
    again.close();
  });
});

describe('places that cannot be written', () => {
  const cleanup = useCleanup();

  it('say so, and nothing is left', async () => {
    const { address: tracker } = await startTracker(cleanup);
    const alice = await startPeer(cleanup, { tracker, settings: { hostname: 'alice' } });
    await alice.publish('a.txt');
    const bob = await startPeer(cleanup, { tracker, settings: { hostname: 'bob' } });
    writeFileSync(join(bob.folder, 'file'), '');
    for (const place of ['file/in/it', 'file/it']) {
      const fetching = bob.peer.fetch({
        name: 'a.txt',
        destination: join(bob.folder, place),
        ifExists: 'fail',
      });
      await assert.rejects(fetching, { code: 'FOLDER_NOT_WRITABLE' });
    }
  });
});
