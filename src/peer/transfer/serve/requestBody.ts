import type { Clock } from '../../../common/clock';
import { deferred } from '../../../common/deferred';
import { PeershelfError } from '../../../common/errors';
import { MAX_BATCH_BODY_BYTES, REQUEST_DEADLINE_MS } from '../../../protocol/limits';
import type { Exchange } from './exchange';

/**
 * The whole body of a request; `too_large` as soon as it is.
 * @throws TIMED_OUT, CONNECTION_LOST.
 */
export async function readBody(
  { request, signal }: Exchange,
  clock: Clock,
): Promise<Buffer | 'too_large'> {
  const body = deferred<Buffer | 'too_large'>();
  const chunks: Buffer[] = [];
  let bytes = 0;
  const onData = (chunk: Buffer): void => {
    bytes += chunk.length;
    chunks.push(chunk);
    if (bytes > MAX_BATCH_BODY_BYTES) body.resolve('too_large');
  };
  const onEnd = (): void => body.resolve(Buffer.concat(chunks));
  const onLost = (): void =>
    body.reject(new PeershelfError('CONNECTION_LOST', 'the connection ended within a request'));
  const deadline = clock.after(REQUEST_DEADLINE_MS, () =>
    body.reject(new PeershelfError('TIMED_OUT', 'no whole request in time')),
  );
  request.on('error', onLost);
  request.on('data', onData).once('end', onEnd);
  signal.addEventListener('abort', onLost, { once: true });
  return body.promise.finally(() => {
    deadline.dispose();
    signal.removeEventListener('abort', onLost);
    request.off('data', onData).off('end', onEnd);
    request.resume(); // What is still to come is dropped.
  });
}
