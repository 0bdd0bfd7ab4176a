import type { Socket } from 'node:net';
import type { Clock } from '../../../common/clock';

/** Time for a fetcher to close after the last byte. */
const LINGER_MS = 10_000;

/**
 * Closes gently, and for good when the other side does not; resolves when closed. Input is read and
 * dropped meanwhile: closing over unread input would cut the answer off.
 */
export async function lingeringClose(socket: Socket, clock: Clock): Promise<void> {
  if (socket.destroyed) return;
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  const deadline = clock.after(LINGER_MS, () => socket.destroy());
  socket.end();
  socket.resume();
  await closed;
  deadline.dispose();
}
