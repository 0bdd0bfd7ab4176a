import type { Clock } from '../common/clock';
import { DisposableSlot } from '../common/disposable';
import { TokenBucket } from '../common/tokenBucket';
import type { DialBack } from './dialBack';
import { DIALS_BACK_PER_MINUTE } from './limits';

export interface ReachabilityDependencies {
  readonly clock: Clock;
  readonly dialBack: Pick<DialBack, 'dial'>;
  /** Where the connection comes from: nothing else is ever dialed. */
  readonly address: string;
  /** Called with what was found out. */
  readonly tell: (port: number, isReachable: boolean) => void;
}

/**
 * Whether the host of one connection can be reached where it says that it serves. Only where that is
 * the address from which the connection comes: with another one, a client could have any machine tried.
 */
export class Reachability {
  private readonly bucket: TokenBucket;
  private readonly dialing = new DisposableSlot();
  /** Of the last registration, as far as it may be dialed. */
  private port: number | undefined;
  private wasUnreachable = false;

  constructor(private readonly dependencies: ReachabilityDependencies) {
    this.bucket = new TokenBucket(
      { ratePerSecond: DIALS_BACK_PER_MINUTE / 60, burst: DIALS_BACK_PER_MINUTE },
      dependencies.clock.monotonic(),
    );
  }

  /** The host says that it serves there; port 0 says that it does not. */
  onRegistered({ ip, port }: { readonly ip: string; readonly port: number }): void {
    const isOwn = ip === this.dependencies.address && port !== 0;
    this.port = isOwn ? port : undefined;
    this.wasUnreachable = false;
    this.dialing.set(undefined);
    this.check();
  }

  /** A sign of life: who could not be reached may have opened its firewall. */
  onSeen(): void {
    if (this.wasUnreachable) this.check();
  }

  /** The connection is gone. */
  dispose(): void {
    this.port = undefined;
    this.dialing.dispose();
  }

  private check(): void {
    const { port } = this;
    const { address, clock, dialBack, tell } = this.dependencies;
    if (port === undefined || !this.bucket.take(clock.monotonic())) return;
    const target = { host: address, port };
    this.dialing.set(
      dialBack.dial(target, (isReachable) => {
        this.wasUnreachable = !isReachable;
        tell(port, isReachable);
      }),
    );
  }
}
