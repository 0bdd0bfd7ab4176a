import type { Server } from 'node:net';
import { PeershelfError, systemCode } from '../../common/errors';
import type { PortRange } from '../peerApi';

/**
 * Makes `server` listen on the first free port of `ports`, starting at `preferred` if it lies in the
 * range: a peer that comes back keeps its port. `{first: 0, last: 0}` lets the system choose.
 * @throws PORT_IN_USE for a range of one port, NO_FREE_PORT for a longer one, INVALID_ARGUMENT for an
 * address of another computer.
 */
export async function listenInRange(
  server: Server,
  host: string,
  ports: PortRange,
  preferred = ports.first,
): Promise<number> {
  const { first, last } = ports;
  const count = last - first + 1;
  const start = preferred >= first && preferred <= last ? preferred - first : 0;
  for (let offset = 0; offset < count; offset += 1) {
    const port = first + ((start + offset) % count);
    try {
      return await listenOnce(server, host, port);
    } catch (error) {
      // EACCES: Windows reserves ranges of ports that nobody seems to use.
      if (systemCode(error) !== 'EADDRINUSE' && systemCode(error) !== 'EACCES')
        throw fromListenError(error, host);
    }
  }
  const details = { first, last, host };
  throw count === 1
    ? new PeershelfError('PORT_IN_USE', `port ${first} is in use`, { details })
    : new PeershelfError('NO_FREE_PORT', `no free port from ${first} to ${last}`, { details });
}

function fromListenError(cause: unknown, host: string): unknown {
  // "No such address" of all addresses means that there is no IPv6, which the caller knows to handle.
  if (systemCode(cause) !== 'EADDRNOTAVAIL' || host === '::') return cause;
  const message = `this computer has no address ${host}`;
  return new PeershelfError('INVALID_ARGUMENT', message, { cause, details: { argument: host } });
}

function listenOnce(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const onListening = (): void => {
      server.off('error', reject);
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    };
    server.once('error', reject);
    // Exclusive: cluster workers must not share it. `ipv6Only` stays false, so `::` takes IPv4 too.
    server.listen({ host, port, exclusive: true }, onListening);
    server.once('error', () => server.off('listening', onListening));
  });
}
