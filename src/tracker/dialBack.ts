import { connect, type Socket } from 'node:net';
import type { Clock } from '../common/clock';
import { type Disposable, toDisposable } from '../common/disposable';
import type { HostPort } from '../protocol/address';
import { MAX_DIALS_BACK, MAX_WAITING_DIALS_BACK, DIAL_BACK_DEADLINE_MS } from './limits';

interface Waiting {
  readonly target: HostPort;
  readonly onResult: (isReachable: boolean) => void;
}

/**
 * Tries for a tracker whether its peers can be reached: it opens a TCP connection and closes it, and
 * sends nothing. Only so many at once; the others wait, and of those that are too many nothing is said.
 */
export class DialBack implements Disposable {
  private readonly waiting = new Set<Waiting>();
  private readonly running = new Map<Socket, Disposable>();

  constructor(
    private readonly clock: Clock,
    private readonly open: (target: HostPort) => Socket = connect,
  ) {}

  /** Disposing what it gives forgets the result, and the dial if that has not begun. */
  dial(target: HostPort, onResult: (isReachable: boolean) => void): Disposable {
    let isWanted = true;
    const entry = {
      target,
      onResult: (isReachable: boolean): void => {
        if (isWanted) onResult(isReachable);
      },
    };
    if (this.waiting.size < MAX_WAITING_DIALS_BACK) this.waiting.add(entry);
    this.startNext();
    return toDisposable(() => {
      isWanted = false;
      this.waiting.delete(entry);
    });
  }

  /** Ends all dials; nobody hears of them. */
  dispose(): void {
    this.waiting.clear();
    for (const [socket, deadline] of this.running) {
      deadline.dispose();
      socket.destroy();
    }
    this.running.clear();
  }

  private startNext(): void {
    for (const entry of this.waiting) {
      if (this.running.size >= MAX_DIALS_BACK) return;
      this.waiting.delete(entry);
      this.start(entry);
    }
  }

  private start({ target, onResult }: Waiting): void {
    const socket = this.open(target);
    socket.unref();
    const end = (isReachable: boolean): void => {
      const deadline = this.running.get(socket);
      if (deadline === undefined) return;
      this.running.delete(socket);
      deadline.dispose();
      socket.destroy();
      onResult(isReachable);
      this.startNext();
    };
    const deadline = this.clock.after(DIAL_BACK_DEADLINE_MS, () => end(false));
    this.running.set(socket, deadline);
    socket.once('connect', () => end(true));
    socket.on('error', () => end(false));
  }
}
