import { PeershelfError } from '../common/errors';
import { type HostPort, isLoopback, unmapIpv4 } from '../protocol/address';
import { ReachabilityState } from './control/reachabilityState';
import type { PeerSettings } from './peerApi';
import { ALL_ADDRESSES, type PeerServer } from './transfer/peerServer';

/** Where others fetch from this peer, and whether they reach it. */
export class Serving {
  readonly reachability = new ReachabilityState();
  private place: HostPort | undefined;

  constructor(
    private readonly server: PeerServer,
    private readonly settings: () => PeerSettings,
  ) {}

  /** Undefined before anything is published. */
  get current(): HostPort | undefined {
    return this.place;
  }

  /**
   * Opens the listening socket: to this machine only when the tracker is on it, too. Resolves to what the
   * tracker is told; with no address, it takes the one from which it sees the connection come.
   * @param localAddress of the connection to the tracker.
   * @throws PORT_IN_USE, NO_FREE_PORT; TRACKER_UNREACHABLE when the connection is gone.
   */
  async open(localAddress: string): Promise<{ port: number; ip: string }> {
    const { ports, advertiseAddress, listenHost } = this.settings();
    if (localAddress === '')
      throw new PeershelfError('TRACKER_UNREACHABLE', 'the connection is gone');
    // An address to advertise says that others come from elsewhere, through a tunnel for example.
    const isLocal =
      isLoopback(localAddress) && (advertiseAddress === '' || isLoopback(advertiseAddress));
    const ownAddress = unmapIpv4(localAddress);
    const host = listenHost || (isLocal ? ownAddress : ALL_ADDRESSES);
    const port = await this.server.ensureListening(host, ports);
    const ip = advertiseAddress || (host === ALL_ADDRESSES ? '' : host);
    this.place = { host: ip || ownAddress, port };
    this.reachability.setPort(port);
    return { port, ip };
  }

  /** Nothing is served any more. */
  forget(): void {
    this.place = undefined;
    this.reachability.setPort(undefined);
  }
}
