import { onAbort, throwIfAborted } from '../../../common/abort';
import type { Disposable } from '../../../common/disposable';
import { PeershelfError } from '../../../common/errors';
import { MAX_QUEUE_MS } from '../../../protocol/limits';
import type { Exchange } from './exchange';
import type { Problem } from './problems';
import type { ServingContext } from './servingContext';

const BUSY: Problem = { code: 'busy', headers: { 'Retry-After': 1 } };

/** Runs `send` when it is this address's turn to be sent bytes; answers `busy` when that takes long. */
export async function whenAdmitted(
  exchange: Exchange,
  context: ServingContext,
  send: () => Promise<Problem | undefined>,
): Promise<Problem | undefined> {
  const place = await enter(exchange, context);
  if (place === undefined) return BUSY;
  try {
    throwIfAborted(exchange.signal);
    return await send();
  } finally {
    place.dispose();
  }
}

async function enter(
  { recipient, signal }: Exchange,
  { clock, queue }: ServingContext,
): Promise<Disposable | undefined> {
  const giveUp = new AbortController();
  const late = clock.after(MAX_QUEUE_MS, () => giveUp.abort());
  const gone = onAbort(signal, () => giveUp.abort());
  try {
    return await queue.enter(recipient.address, giveUp.signal);
  } catch (error) {
    const isBusy =
      PeershelfError.is(error, 'LIMIT_EXCEEDED') || PeershelfError.is(error, 'CANCELLED');
    if (signal.aborted || !isBusy) throw error;
    return undefined;
  } finally {
    late.dispose();
    gone.dispose();
  }
}
