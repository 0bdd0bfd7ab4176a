import { deferred } from '../../../common/deferred';
import { PeershelfError } from '../../../common/errors';
import { MAX_BATCH_BODY_BYTES, REQUEST_DEADLINE_MS } from '../../../protocol/limits';
import { CountedBytes } from './countedBytes';
import type { Exchange } from './exchange';
import type { ServingContext } from './servingContext';

export type BodyContext = Pick<ServingContext, 'clock' | 'input'>;

/**
 * The whole body of a request; `too_large` as soon as it has more than `maxBytes`.
 * @throws TIMED_OUT, CONNECTION_LOST, LIMIT_EXCEEDED.
 */
export async function readBody(
  { request, signal }: Exchange,
  { clock, input }: BodyContext,
  maxBytes = MAX_BATCH_BODY_BYTES,
): Promise<Buffer | 'too_large'> {
  const body = deferred<Buffer | 'too_large'>();
  const bytes = new CountedBytes(input, maxBytes, (error) => body.reject(error));
  const onData = (chunk: Buffer): void => {
    if (bytes.length + chunk.length > maxBytes) body.resolve('too_large');
    else bytes.append(chunk);
  };
  const onEnd = (): void => body.resolve(bytes.copy());
  const onLost = (): void =>
    body.reject(new PeershelfError('CONNECTION_LOST', 'the connection ended within a request'));
  const deadline = clock.after(REQUEST_DEADLINE_MS, () =>
    body.reject(new PeershelfError('TIMED_OUT', 'no whole request in time')),
  );
  request.on('error', onLost);
  request.on('data', onData).once('end', onEnd);
  signal.addEventListener('abort', onLost, { once: true });
  return body.promise.finally(() => {
    bytes.dispose();
    deadline.dispose();
    signal.removeEventListener('abort', onLost);
    request.off('data', onData).off('end', onEnd);
    request.resume(); // What is still to come is dropped.
  });
}
