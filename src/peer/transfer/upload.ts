import type { Writable } from 'node:stream';
import { PeershelfError } from '../../common/errors';
import { PacedWriter, type PacedWriterOptions } from './pacedWriter';
import type { PublishedSource } from './publishedSource';
import type { ByteRange } from './serve/byteRange';
import type { UploadBlocks } from './uploadBlocks';

export interface UploadOptions extends PacedWriterOptions {
  readonly blocks: UploadBlocks;
  /** Told the bytes of this upload so far. */
  readonly onBytes: (bytes: number) => void;
  /** The whole file, unless said otherwise. */
  readonly range?: ByteRange;
  /** Whether the file is still what was announced. The default looks at the open file. */
  readonly isIntact?: () => boolean;
}

/**
 * Sends an open file at the speed of its reader, with two blocks in memory. The last block is held
 * back until the file has been seen to be unchanged: a fetcher never gets the announced number of
 * bytes of a mixture.
 * @throws FILE_CHANGED, STALLED, CONNECTION_LOST, CANCELLED.
 */
export async function upload(
  target: Writable,
  source: PublishedSource,
  options: UploadOptions,
): Promise<void> {
  const { limiter, blocks: pool, onBytes, isIntact = () => source.isUnchanged() } = options;
  const { start: first, end } = options.range ?? { start: 0, end: source.sizeBytes };
  const writer = new PacedWriter(target, options);
  let position = first;
  const sendAll = async (block: Buffer): Promise<void> => {
    while (position < end && !writer.isStopped()) {
      const wanted = Math.min(block.length, end - position, limiter.blockBytes);
      const count = source.read(block.subarray(0, wanted), position);
      position += count;
      if (count === 0 || (position === end && !isIntact())) throw changed();
      const sent = position - first;
      await writer.write(block.subarray(0, count));
      if (!writer.isStopped()) onBytes(sent);
    }
  };
  try {
    // Each loop owns one block; they take turns, as every read advances the common position.
    const blocks = [pool.take(end - first), pool.take(end - first)];
    await writer.run(Promise.all(blocks.map(sendAll)));
    // Not after a failure: the system may still be sending from them.
    for (const block of blocks) pool.give(block);
  } finally {
    writer.dispose();
  }
}

function changed(): PeershelfError {
  return new PeershelfError('FILE_CHANGED', 'the file changed while it was sent');
}
