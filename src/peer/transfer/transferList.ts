import { randomUUID } from 'node:crypto';
import type { Clock } from '../../common/clock';
import { type Disposable, DisposableBase, DisposableSlot } from '../../common/disposable';
import { PeershelfError, toPlainError } from '../../common/errors';
import { Emitter } from '../../common/events';
import type { Transfer } from '../peerApi';

/** Changes are told at most this often, however fast bytes run. */
const NOTIFY_INTERVAL_MS = 250;
/** Finished transfers that are remembered. */
const MAX_FINISHED = 50;

/** One transfer as the one who runs it sees it. */
export interface TransferHandle {
  readonly id: string;
  /** Aborted when the user cancels. */
  readonly signal: AbortSignal;
  /** The user does not want it any more; without that, an aborted one may be gone on with. */
  readonly isCancelled: boolean;
  setTotal(totalBytes: number): void;
  setBytes(bytes: number): void;
  /** Ends it: without an error as done, with CANCELLED as cancelled. Later calls change nothing. */
  finish(error?: unknown): void;
}

interface Entry {
  transfer: Transfer;
  /** Apart from the rest, as they change thousands of times a second. */
  bytes: number;
  totalBytes: number;
  readonly controller: AbortController;
  isCancelled: boolean;
  readonly startedMs: number;
}

/** Running transfers and the last finished ones. */
export class TransferList extends DisposableBase {
  private readonly entries = new Map<string, Entry>();
  private readonly changeEmitter = this.register(new Emitter<readonly Transfer[]>());
  private readonly runningEmitter = this.register(new Emitter<number>());
  private readonly timer = this.register(new DisposableSlot());
  private pending: Disposable | undefined;

  readonly onDidChange = this.changeEmitter.event;
  /** Fires when the number of running transfers changes. */
  readonly onDidChangeRunning = this.runningEmitter.event;

  constructor(private readonly clock: Clock) {
    super();
  }

  all(): Transfer[] {
    return [...this.entries.values()].map((entry) => this.withSpeed(entry));
  }

  get running(): number {
    return this.ofState('running').length;
  }

  start(about: Pick<Transfer, 'direction' | 'name' | 'peer' | 'totalBytes'>): TransferHandle {
    const id = randomUUID();
    const entry: Entry = {
      controller: new AbortController(),
      isCancelled: false,
      startedMs: this.clock.monotonic(),
      bytes: 0,
      totalBytes: about.totalBytes,
      transfer: {
        ...about,
        id,
        bytes: 0,
        bytesPerSecond: 0,
        startedAtMs: this.clock.now(),
        state: 'running',
        error: undefined,
      },
    };
    this.entries.set(id, entry);
    this.runningEmitter.fire(this.running);
    this.notifySoon();
    return {
      id,
      signal: entry.controller.signal,
      get isCancelled() {
        return entry.isCancelled;
      },
      setTotal: (totalBytes) => {
        entry.totalBytes = totalBytes;
      },
      setBytes: (bytes) => {
        entry.bytes = bytes;
        this.notifySoon();
      },
      finish: (error) => this.finish(entry, error),
    };
  }

  /** Cancels a running transfer; one that has ended or is not known is passed over. */
  cancel(id: string): void {
    const entry = this.entries.get(id);
    if (entry === undefined) return;
    entry.isCancelled = true;
    entry.controller.abort();
  }

  /** Ends all of them because this peer stops. */
  stopAll(): void {
    for (const entry of this.entries.values()) entry.controller.abort();
  }

  private finish(entry: Entry, error: unknown): void {
    if (entry.transfer.state !== 'running') return;
    const state =
      error === undefined ? 'done' : PeershelfError.is(error, 'CANCELLED') ? 'cancelled' : 'failed';
    entry.transfer = {
      ...this.withSpeed(entry),
      state,
      error: error === undefined ? undefined : toPlainError(error),
    };
    const finished = [...this.entries.values()].filter(
      (other) => other.transfer.state !== 'running',
    );
    for (const old of finished.slice(0, -MAX_FINISHED)) this.entries.delete(old.transfer.id);
    this.runningEmitter.fire(this.running);
    this.notifySoon();
  }

  private withSpeed({ transfer, startedMs, bytes, totalBytes }: Entry): Transfer {
    if (transfer.state !== 'running') return transfer;
    const seconds = Math.max(0.001, (this.clock.monotonic() - startedMs) / 1000);
    return { ...transfer, bytes, totalBytes, bytesPerSecond: bytes / seconds };
  }

  private ofState(state: Transfer['state']): Entry[] {
    return [...this.entries.values()].filter((entry) => entry.transfer.state === state);
  }

  private notifySoon(): void {
    if (this.pending !== undefined) return;
    this.pending = this.clock.after(NOTIFY_INTERVAL_MS, () => {
      this.pending = undefined;
      this.changeEmitter.fire(this.all());
    });
    this.timer.set(this.pending);
  }
}
