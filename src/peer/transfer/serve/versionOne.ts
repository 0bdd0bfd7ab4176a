import type { Socket } from 'node:net';
import { describeError, PeershelfError } from '../../../common/errors';
import {
  encodeLength,
  encodeTransferError,
  parseGet,
  type TransferError,
} from '../../../protocol/transferV1';
import type { CatalogueEntry } from '../../catalogue/catalogue';
import { PublishedSource } from '../publishedSource';
import { upload } from '../upload';
import { recipientOf } from './connections';
import { lingeringClose } from './lingeringClose';
import type { ServingContext } from './servingContext';

/** Answers one request of version 1 and closes. */
export async function serveVersionOne(
  socket: Socket,
  line: Buffer,
  context: ServingContext,
): Promise<void> {
  socket.resume(); // Further input is dropped: closing over unread input would cut the answer off.
  const name = parseGet(line);
  const entry = name === undefined ? undefined : context.offer.find(name);
  const error = entry === undefined ? 'notfound' : await send(socket, entry, context);
  if (error !== undefined) socket.write(encodeTransferError(error));
  await lingeringClose(socket, context.clock);
}

/** Resolves to the reason when nothing has been sent, and throws when it was not all. */
async function send(
  socket: Socket,
  entry: CatalogueEntry,
  context: ServingContext,
): Promise<TransferError | undefined> {
  // Version 1 has no word of its own for it.
  if (context.uploads.isDeclined(recipientOf(socket), entry.name)) return 'interrupted';
  const place = context.queue.tryEnter();
  if (place === undefined) return 'interrupted';
  try {
    const source = open(entry, context);
    if (!(source instanceof PublishedSource)) return source;
    try {
      await sendOpened(socket, { entry, source }, context);
      return undefined;
    } finally {
      source.close();
    }
  } finally {
    place.dispose();
  }
}

async function sendOpened(
  socket: Socket,
  { entry, source }: { readonly entry: CatalogueEntry; readonly source: PublishedSource },
  { clock, limiter, blocks, slowReaderMs, uploads }: ServingContext,
): Promise<void> {
  const running = uploads.start({
    name: entry.name,
    recipient: recipientOf(socket),
    totalBytes: source.sizeBytes,
  });
  try {
    socket.write(encodeLength(source.sizeBytes));
    await upload(socket, source, {
      clock,
      limiter,
      blocks,
      signal: running.signal,
      stallMs: slowReaderMs,
      onBytes: (bytes) => running.setBytes(bytes),
    });
    running.finish();
  } catch (error) {
    running.finish(error);
    throw error;
  }
}

function open(
  entry: CatalogueEntry,
  { logger, offer }: ServingContext,
): PublishedSource | TransferError {
  try {
    return PublishedSource.open(entry);
  } catch (error) {
    logger.warn(`${entry.name}: ${describeError(error)}`);
    // Another file in its place is not the one that was published: that one is gone.
    const isGone =
      PeershelfError.is(error, 'FILE_GONE') || PeershelfError.is(error, 'FILE_CHANGED');
    return isGone ? 'filenotfound' : 'readerror';
  } finally {
    offer.onSeen(entry);
  }
}
