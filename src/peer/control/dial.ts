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

export interface EstablishRequest<T> extends DialRequest {
  /** Looks at the connection before anybody gets it; what it throws ends it. */
  readonly check?: (socket: T) => void;
}

/**
 * Opens a TCP connection. The caller owns the socket, its errors included.
 * @throws the given code with the system's error as its cause, or CANCELLED.
 */
export function dial(request: DialRequest): Promise<Socket> {
  return established(connect({ ...request.options, noDelay: true }), 'connect', request);
}

/**
 * As `dial`, for a socket that is connecting: resolves to it when `event` comes, and destroys it when
 * that does not happen in time or at all.
 */
export function established<T extends Socket>(
  socket: T,
  event: 'connect' | 'secureConnect',
  request: EstablishRequest<T>,
): Promise<T> {
  const { options, unreachable, deadlineMs, clock, signal, check } = request;
  const address = formatHostPort(options);
  return new Promise((resolve, reject) => {
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
    const onEstablished = (): void => {
      try {
        check?.(socket);
      } catch (error) {
        fail(error);
        return;
      }
      settle();
      resolve(socket);
    };
    const deadline = clock.after(deadlineMs, () => fail(`no answer within ${deadlineMs} ms`));
    const abort = onAbort(signal, () => fail(new PeershelfError('CANCELLED', 'cancelled')));
    const settle = (): void => {
      deadline.dispose();
      abort.dispose();
      socket.off('error', fail).off(event, onEstablished);
    };
    socket.once('error', fail).once(event, onEstablished);
  });
}
