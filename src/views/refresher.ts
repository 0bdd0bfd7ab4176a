import type { Clock } from '../common/clock';
import { DisposableBase, DisposableSlot } from '../common/disposable';

/** More often nobody reads what is drawn. */
const INTERVAL_MS = 200;
/** Rest after a run, as many times what it took: a large network leaves the editor idle mostly. */
const REST_FACTOR = 3;

/**
 * Runs a task soon after it was asked for: at once after a rest, never twice at the same time, and once
 * for what was asked for meanwhile.
 */
export class Refresher extends DisposableBase {
  private state: 'idle' | 'running' | 'again' = 'idle';
  private restsUntilMs = Number.NEGATIVE_INFINITY;
  private readonly timer = this.register(new DisposableSlot());

  constructor(
    private readonly clock: Clock,
    /** Must not reject. */
    private readonly task: () => Promise<void>,
  ) {
    super();
  }

  schedule(): void {
    if (this.state !== 'idle') {
      this.state = 'again';
      return;
    }
    const waitMs = this.restsUntilMs - this.clock.monotonic();
    if (waitMs <= 0) void this.run();
    else this.timer.set(this.clock.after(waitMs, () => void this.run()));
  }

  private async run(): Promise<void> {
    this.timer.set(undefined);
    this.state = 'running';
    const startMs = this.clock.monotonic();
    await this.task();
    const endMs = this.clock.monotonic();
    this.restsUntilMs = endMs + Math.max(INTERVAL_MS, (endMs - startMs) * REST_FACTOR);
    const wasAsked = this.isAskedAgain();
    this.state = 'idle';
    if (wasAsked) this.schedule();
  }

  /** A method, because it is asked for behind an `await`. */
  private isAskedAgain(): boolean {
    return this.state === 'again';
  }
}
