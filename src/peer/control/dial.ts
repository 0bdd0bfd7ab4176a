import { connect, type Socket, type TcpNetConnectOpts } from 'node:net';
import { onAbort } from '../../common/abort';
import type { Clock } from '../../common/clock';
import { type ErrorCode, PeershelfError } from '../../common/errors';
import { formatHostPort } from '../../protocol/address';

export interface DialRequest {
  readonly options: TcpNetConnectOpts & { readonly host: string };
  /** Code of the error when nobody answers there. */
  readonly unreachable: ErrorCode;
  readonly deadlineMs: number;
  readonly clock: Clock;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Opens a TCP connection. The caller owns the socket, its errors included.
 * @throws the given code with the system's error as its cause, or CANCELLED.
 */
export function dial(request: DialRequest): Promise<Socket> {
  const { options, unreachable, deadlineMs, clock, signal } = request;
  const address = formatHostPort(options);
  return new Promise((resolve, reject) => {
    const socket = connect({ ...options, noDelay: true });
    const fail = (cause: unknown): void => {
      settle();
      socket.on('error', () => undefined); // A refusal may still follow; it has been reported.
      socket.destroy();
      reject(
        PeershelfError.is(cause)
          ? cause
          : new PeershelfError(unreachable, `cannot connect to ${address}`, {
              cause,
              details: { address },
            }),
      );
    };
    const onConnect = (): void => {
      settle();
      resolve(socket);
    };
    const deadline = clock.after(deadlineMs, () => fail(`no answer within ${deadlineMs} ms`));
    const abort = onAbort(signal, () => fail(new PeershelfError('CANCELLED', 'cancelled')));
    const settle = (): void => {
      deadline.dispose();
      abort.dispose();
      socket.off('error', fail).off('connect', onConnect);
    };
    socket.once('error', fail).once('connect', onConnect);
  });
}
