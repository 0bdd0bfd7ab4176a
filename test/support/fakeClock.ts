import type { Clock } from '../../src/common/clock';
import { type Disposable, toDisposable } from '../../src/common/disposable';

interface Timer {
  readonly dueMs: number;
  readonly callback: () => void;
}

/** A clock that stands still until a test moves it. */
export class FakeClock implements Clock {
  private readonly timers = new Set<Timer>();
  private passedMs = 0;
  /** Difference between the clock on the wall and the time that has passed. */
  private shiftMs = 0;

  constructor(private readonly startMs = 1_700_000_000_000) {}

  now(): number {
    return this.startMs + this.passedMs + this.shiftMs;
  }

  monotonic(): number {
    return this.passedMs;
  }

  /** Sets the clock on the wall back; monotonic time goes on. */
  setBack(byMs: number): void {
    this.shiftMs -= byMs;
  }

  after(delayMs: number, callback: () => void): Disposable {
    const timer = { dueMs: this.passedMs + delayMs, callback };
    this.timers.add(timer);
    return toDisposable(() => this.timers.delete(timer));
  }

  /** Timers that wait. */
  get pending(): number {
    return this.timers.size;
  }

  /** Lets time pass; timers run when their time comes, the earliest first. */
  advance(byMs: number): void {
    const untilMs = this.passedMs + byMs;
    for (let next = this.nextDue(untilMs); next !== undefined; next = this.nextDue(untilMs)) {
      this.timers.delete(next);
      this.passedMs = Math.max(this.passedMs, next.dueMs);
      next.callback();
    }
    this.passedMs = untilMs;
  }

  /** As `advance`, in steps, so that what a timer's promises start can wait for the next one. */
  async advanceSlowly(byMs: number, stepMs = 1_000): Promise<void> {
    for (let left = byMs; left > 0; left -= stepMs) {
      this.advance(Math.min(left, stepMs));
      await flushPromises();
    }
  }

  /** The computer sleeps: time passes, and timers that came due meanwhile run late, once. */
  sleep(forMs: number): void {
    this.passedMs += forMs;
    this.advance(0);
  }

  private nextDue(untilMs: number): Timer | undefined {
    let earliest: Timer | undefined;
    for (const timer of this.timers)
      if (timer.dueMs <= untilMs && (earliest === undefined || timer.dueMs < earliest.dueMs))
        earliest = timer;
    return earliest;
  }
}

/** Resolves when every promise that was ready has called its listeners. */
export function flushPromises(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** A promise of which can be asked whether it has settled; nobody need handle its rejection before. */
export function watch<T>(promise: Promise<T>): {
  readonly promise: Promise<T>;
  readonly isSettled: () => boolean;
} {
  let isSettled = false;
  const settle = (): void => void (isSettled = true);
  promise.then(settle, settle);
  return { promise, isSettled: () => isSettled };
}

/** Only what fails waits for so long. */
const DEADLINE_MS = 40_000;

/**
 * Lets time pass until `isOver`. As sockets are real, more may pass than what is waited for takes:
 * nothing that has a deadline of its own may go on meanwhile.
 */
export async function passTime(
  clock: FakeClock,
  what: string,
  isOver: () => boolean,
  stepMs = 100,
): Promise<void> {
  const startMs = performance.now();
  while (!isOver()) {
    if (performance.now() - startMs > DEADLINE_MS) throw new Error(`not in time: ${what}`);
    clock.advance(stepMs);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
