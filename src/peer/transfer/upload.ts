import type { Socket } from 'node:net';
import type { Clock } from '../../common/clock';
import { deferred } from '../../common/deferred';
import { onAbort } from '../../common/abort';
import { PeershelfError } from '../../common/errors';
import type { PublishedSource } from './publishedSource';
import { watchForStall } from './stallWatch';

/** One block is read while another is sent. Larger blocks were not faster on loopback. */
const BLOCK_BYTES = 512 * 1024;

export interface UploadOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** A reader that takes nothing for this long is given up. */
  readonly stallMs: number;
  readonly onBytes: (bytes: number) => void;
}

/**
 * Sends an open file over a socket at the speed of its reader, with two blocks in memory. The last
 * block is held back until the file has been seen to be unchanged: a fetcher never gets the
 * announced number of bytes of a mixture.
 * @throws FILE_CHANGED, STALLED, CONNECTION_LOST, CANCELLED.
 */
export async function upload(
  socket: Socket,
  source: PublishedSource,
  options: UploadOptions,
): Promise<void> {
  const { clock, signal, stallMs, onBytes } = options;
  const done = deferred<never>();
  const onClose = (): void => done.reject(connectionLost());
  const abort = onAbort(signal, () => done.reject(new PeershelfError('CANCELLED', 'cancelled')));
  socket.once('close', onClose);

  let position = 0;
  const stall = watchForStall({
    clock,
    stallMs,
    progress: () => position,
    onStall: () => done.reject(stalled(stallMs)),
  });
  const sendAll = async (block: Buffer): Promise<void> => {
    while (position < source.sizeBytes) {
      const start = position;
      const count = source.read(block, start);
      position += count;
      const isLast = position >= source.sizeBytes;
      if (count === 0 || (isLast && !source.isUnchanged())) throw changed();
      await write(socket, block.subarray(0, Math.min(count, source.sizeBytes - start)));
      onBytes(Math.min(position, source.sizeBytes));
    }
  };
  try {
    // Each loop owns one block; they take turns, as every read advances the common position.
    const blocks = [Buffer.allocUnsafe(BLOCK_BYTES), Buffer.allocUnsafe(BLOCK_BYTES)];
    await Promise.race([Promise.all(blocks.map(sendAll)), done.promise]);
  } finally {
    position = Number.POSITIVE_INFINITY; // Stops a loop that still waits for its write.
    stall.dispose();
    abort.dispose();
    socket.off('close', onClose);
  }
}

function write(socket: Socket, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.write(bytes, (cause) => {
      if (cause) reject(connectionLost(cause));
      else resolve();
    });
  });
}

function connectionLost(cause?: unknown): PeershelfError {
  return new PeershelfError('CONNECTION_LOST', 'the reader closed the connection', { cause });
}

function stalled(stallMs: number): PeershelfError {
  return new PeershelfError('STALLED', `the reader took nothing for ${stallMs} ms`);
}

function changed(): PeershelfError {
  return new PeershelfError('FILE_CHANGED', 'the file changed while it was sent');
}
