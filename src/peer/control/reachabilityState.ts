import { DisposableBase } from '../../common/disposable';
import { Emitter } from '../../common/events';
import { type ControlEvent, readReachable } from '../../protocol/controlRepliesV2';
import type { Reachability } from '../peerApi';

const UNKNOWN: Reachability = { kind: 'unknown' };

/** What the tracker has found out about the port of this peer. It holds for one connection and port. */
export class ReachabilityState extends DisposableBase {
  private readonly changeEmitter = this.register(new Emitter<Reachability>());
  private state: Reachability = UNKNOWN;
  private port: number | undefined;

  readonly onDidChange = this.changeEmitter.event;

  get current(): Reachability {
    return this.state;
  }

  /** Where this peer serves now; undefined: nowhere, or there is no connection. */
  setPort(port: number | undefined): void {
    if (port === this.port) return;
    this.port = port;
    this.move(UNKNOWN);
  }

  /** Passes over what is not about the port as it is now. */
  take(event: ControlEvent): void {
    const told = readReachable(event);
    if (told === undefined || told.port !== this.port) return;
    this.move({ kind: told.reachable ? 'reachable' : 'unreachable', port: told.port });
  }

  private move(state: Reachability): void {
    // The port is that of `setPort`, which has begun anew with another one.
    if (state.kind === this.state.kind) return;
    this.state = state;
    this.changeEmitter.fire(state);
  }
}
