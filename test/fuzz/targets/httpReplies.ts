import { strict as assert } from 'node:assert';
import type { OnReadOpts } from 'node:net';
import fc from 'fast-check';
import { PeershelfError } from '../../../src/common/errors';
import { BatchReply } from '../../../src/peer/transfer/folder/batchReply';
import { BlockPool } from '../../../src/peer/transfer/pieces/blockPool';
import {
  ObjectConnection,
  type ReceivedBlock,
} from '../../../src/peer/transfer/pieces/objectConnection';
import type { SourceDialer } from '../../../src/peer/transfer/sourceDialer';
import { parseTransferReply } from '../../../src/protocol/transferV1';
import { FakeClock } from '../../support/fakeClock';
import { type FuzzTarget, orRefused } from '../fuzzTarget';
import { StreamSocket } from '../memorySocket';
import { anyText, inPieces, mutated, pieceLengths } from '../mutation';

const BLOCK = 16 * 1024;
const CONTENT = { root: 'ab'.repeat(32), sizeBytes: BLOCK + 10 };
const ID = `${CONTENT.root}-${CONTENT.sizeBytes}`;
const RANGES = [
  { start: 0, end: BLOCK },
  { start: BLOCK, end: BLOCK + 10 },
];
const SMALL = [
  { root: 'ab'.repeat(32), sizeBytes: 3 },
  { root: 'cd'.repeat(32), sizeBytes: 0 },
  { root: 'ef'.repeat(32), sizeBytes: 5 },
];
const CODES = [
  ...(['INVALID_MESSAGE', 'CONNECTION_LOST', 'NOT_A_MEMBER', 'NOT_PUBLISHED'] as const),
  ...(['CONTENT_CHANGED', 'FILE_GONE', 'FILE_UNREADABLE', 'PEER_BUSY', 'CANCELLED'] as const),
];

const reply = ({ start, end }: { start: number; end: number }): string =>
  [
    'HTTP/1.1 206 Partial Content',
    `Content-Range: bytes ${start}-${end - 1}/${CONTENT.sizeBytes}`,
    `Content-Length: ${end - start}`,
    `ETag: "${ID}"`,
    '',
    'x'.repeat(end - start),
  ].join('\r\n');

/** A connection of a fetcher that asks for both ranges, and the hands of whoever answers it. */
async function fetchFrom(bytes: Buffer, lengths: readonly number[]): Promise<ReceivedBlock[]> {
  const blocks: ReceivedBlock[] = [];
  const socket = new StreamSocket();
  let onread: OnReadOpts | undefined;
  const dialer: Pick<SourceDialer, 'dial'> = {
    dial: (request) => {
      onread = request.onread;
      return Promise.resolve({ socket: socket as never, authorization: undefined });
    },
  };
  const connection = new ObjectConnection({
    dialer: dialer as SourceDialer,
    source: { host: '127.0.0.1', port: 1 },
    ...{ contentId: CONTENT, clock: new FakeClock(), blocks: new BlockPool(8), stallMs: 1_000 },
    signal: new AbortController().signal,
    onBlock: (block) => blocks.push(block),
    onRange: () => undefined,
  });
  await connection.open();
  for (const range of RANGES) connection.request(range);
  for (const piece of inPieces(bytes, lengths)) if (!deliver(onread!, piece)) break;
  connection.close();
  await connection.ended.catch((error: unknown) => {
    assert.ok(
      CODES.some((code) => PeershelfError.is(error, code)),
      String(error),
    );
  });
  return blocks;
}

/** False when the fetcher wants no more. */
function deliver(onread: OnReadOpts, bytes: Buffer): boolean {
  for (let start = 0; start < bytes.length;) {
    const memory = typeof onread.buffer === 'function' ? onread.buffer() : onread.buffer;
    const count = Math.min(memory.length, bytes.length - start);
    assert.ok(count > 0, 'there is room for more');
    memory.set(bytes.subarray(start, start + count));
    start += count;
    if (!onread.callback(count, memory)) return false;
  }
  return true;
}

/** What a publisher answers to ranges: no byte is taken that was not asked for. */
export const httpReplies: FuzzTarget = {
  name: 'http-replies',
  share: 6,
  property: () => {
    const honest = RANGES.map(reply).join('');
    const heads = fc.constantFrom(honest, honest.replaceAll('x', ''), 'HTTP/1.1 404 No\r\n\r\n');
    const texts = fc.oneof(
      { weight: 1, arbitrary: fc.constant(honest) },
      { weight: 3, arbitrary: mutated(heads) },
      anyText(),
    );
    return fc.asyncProperty(texts, pieceLengths(), async (text, lengths) => {
      const blocks = await fetchFrom(Buffer.from(text), lengths);
      const taken = blocks.map(({ position, length }) => [position, position + length]);
      assert.deepEqual(taken, RANGES.map(({ start, end }) => [start, end]).slice(0, taken.length));
      if (text === honest) assert.equal(taken.length, 2);
    });
  },
};

/** Answers to a batch, and the one line of version 1. */
export const batchReplies: FuzzTarget = {
  name: 'batch-replies',
  share: 10,
  property: () => {
    const honest = SMALL.map(
      ({ root, sizeBytes }) => `200 ${root}-${sizeBytes}\n${'x'.repeat(sizeBytes)}`,
    ).join('');
    const texts = fc.oneof(fc.constant(honest), mutated(fc.constant(honest)), anyText());
    return fc.property(texts, pieceLengths(), (text, lengths) => {
      const codes = ['INVALID_MESSAGE', 'CONNECTION_LOST'] as const;
      const items = orRefused(codes, () => {
        const batch = new BatchReply(SMALL);
        for (const piece of inPieces(Buffer.from(text), lengths)) batch.push(piece);
        return batch.end();
      });
      if (text === honest) assert.equal(items?.length, SMALL.length);
      items?.forEach((item, index) => {
        if (item.start !== undefined) assert.equal(item.length, SMALL[index]!.sizeBytes);
      });
      const length = orRefused(
        ['INVALID_MESSAGE', 'NOT_PUBLISHED', 'FILE_GONE', 'FILE_UNREADABLE', 'PEER_BUSY'],
        () => parseTransferReply(Buffer.from(text)),
      );
      assert.ok(length === undefined || (Number.isSafeInteger(length) && length >= 0));
    });
  },
};
