import type { Clock } from '../../common/clock';
import { type Disposable, DisposableSlot } from '../../common/disposable';
import type { HeartbeatIntervals } from '../../protocol/controlRepliesV2';
import { HEARTBEAT_INTERVALS_MS, IDLE_THRESHOLD_MS } from '../../protocol/limits';

export type HeartbeatState = keyof typeof HEARTBEAT_INTERVALS_MS;

/** What the peer does, as the tracker is told: transfers make it busy, recent activity active. */
export function heartbeatState(runningTransfers: number, sinceActivityMs: number): HeartbeatState {
  if (runningTransfers > 0) return 'busy';
  return sinceActivityMs < IDLE_THRESHOLD_MS ? 'active' : 'idle';
}

export interface HeartbeatDependencies {
  readonly clock: Clock;
  readonly state: () => HeartbeatState;
  /** What the tracker asked for, if it did; our own intervals otherwise. */
  readonly intervals?: () => HeartbeatIntervals | undefined;
  /** Sends one PING and waits for its reply. Must have a deadline of its own. */
  readonly ping: (state: HeartbeatState) => Promise<void>;
  readonly onError: (error: unknown) => void;
}

/**
 * One timer that pings by the state of the peer. A ping starts only when the one before it has
 * ended. When the state or an interval changes, `update` moves the next ping to where the new interval puts it.
 */
export class Heartbeat implements Disposable {
  private readonly timer = new DisposableSlot();
  private phase: 'stopped' | 'waiting' | 'pinging' = 'stopped';
  private lastBeatMs = 0;

  constructor(private readonly dependencies: HeartbeatDependencies) {}

  /** Starting a running heartbeat changes nothing. */
  start(): void {
    if (this.phase !== 'stopped') return;
    this.lastBeatMs = this.dependencies.clock.monotonic();
    this.wait();
  }

  update(): void {
    if (this.phase === 'waiting') this.wait();
  }

  dispose(): void {
    this.phase = 'stopped';
    this.timer.dispose();
  }

  private wait(): void {
    const { clock, state, intervals } = this.dependencies;
    this.phase = 'waiting';
    const dueMs = this.lastBeatMs + (intervals?.() ?? HEARTBEAT_INTERVALS_MS)[state()];
    this.timer.set(clock.after(Math.max(0, dueMs - clock.monotonic()), () => void this.beat()));
  }

  /** A method, as `dispose` may have been called behind an `await`. */
  private isPinging(): boolean {
    return this.phase === 'pinging';
  }

  private async beat(): Promise<void> {
    const { clock, state, ping, onError } = this.dependencies;
    this.phase = 'pinging';
    this.lastBeatMs = clock.monotonic();
    try {
      await ping(state());
    } catch (error) {
      onError(error);
    }
    if (this.isPinging()) this.wait();
  }
}
