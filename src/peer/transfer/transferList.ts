import { randomUUID } from 'node:crypto';
import { onAbort } from '../../common/abort';
import type { Clock } from '../../common/clock';
import { deferred } from '../../common/deferred';
import { type Disposable, DisposableBase, DisposableSlot } from '../../common/disposable';
import { PeershelfError, toPlainError } from '../../common/errors';
import { Emitter } from '../../common/events';
import type { ContentId } from '../../protocol/contentId';
import type { Transfer } from '../peerApi';
import {
  canRetry,
  ENDED,
  endFor,
  type Entry,
  NEXT,
  type Stage,
  throughPauses,
} from './transferEntry';
import type {
  RestoredTransfer,
  RunOptions,
  TransferAbout,
  TransferHandle,
  UnfinishedTransfer,
  Wish,
} from './transferHandle';

/** Changes are told at most this often, however fast bytes run. */
const NOTIFY_INTERVAL_MS = 250;
/** Finished transfers that are remembered. */
const MAX_FINISHED = 50;
/** Paused transfers: each holds a pending call and a part on the disk for as long as it lasts. */
export const MAX_PAUSED = 1_000;

/** Names of sources that are told of one transfer. */
const MAX_SOURCES = 64;

/** What is known of an entry from its beginning. */
type NewEntry = Pick<Entry, 'stage' | 'wish' | 'isRestored'> &
  Pick<
    Transfer,
    'direction' | 'name' | 'peer' | 'bytes' | 'totalBytes' | 'startedAtMs' | 'state' | 'path'
  > & { readonly content?: ContentId | undefined };

/** Transfers under way, those that are paused, and the last finished ones. */
export class TransferList extends DisposableBase {
  private readonly entries = new Map<string, Entry>();
  private readonly changeEmitter = this.register(new Emitter<readonly Transfer[]>());
  private readonly runningEmitter = this.register(new Emitter<number>());
  private readonly timer = this.register(new DisposableSlot());
  private pending: Disposable | undefined;
  /** Kept, not counted: there may be thousands that wait. */
  private runningCount = 0;

  readonly onDidChange = this.changeEmitter.event;
  /** Fires when the number of running transfers changes. */
  readonly onDidChangeRunning = this.runningEmitter.event;

  constructor(private readonly clock: Clock) {
    super();
  }

  all(): Transfer[] {
    return [...this.entries.values()].map((entry) => ({
      ...this.withSpeed(entry),
      canRetry: canRetry(entry),
    }));
  }

  /** Neither those that wait for their turn nor those that are paused. */
  get running(): number {
    return this.runningCount;
  }

  start({ state = 'running', wish, path, ...about }: TransferAbout): TransferHandle {
    // Whatever was left of an earlier run is gone on with now.
    if (wish !== undefined) this.dropRestored(wish.request.destination);
    const entry = this.add({
      ...{ stage: state, state, wish, path, bytes: 0, isRestored: false },
      ...about,
      startedAtMs: this.clock.now(),
    });
    if (state === 'running') this.setRunning(this.runningCount + 1);
    return this.handleOf(entry);
  }

  /** Shows a download of an earlier run as paused. Resolves to its id. */
  restore({ content, ...about }: RestoredTransfer): string {
    const entry = this.add({
      ...{ stage: 'paused', state: 'paused', direction: 'download', isRestored: true, content },
      ...about,
      path: about.wish.request.destination,
    });
    return entry.transfer.id;
  }

  /** Whether it is of an earlier run, and nobody has started it again. */
  isRestored(id: string): boolean {
    const entry = this.entries.get(id);
    return entry?.isRestored === true && entry.stage === 'paused';
  }

  /** Downloads that have not ended. */
  unfinished(): UnfinishedTransfer[] {
    return [...this.entries.values()].flatMap((entry) => {
      const { wish, content, stage } = entry;
      if (wish === undefined || ENDED.includes(stage) || stage === 'cancelling') return [];
      const { id, name, peer, state, bytes, totalBytes, startedAtMs } = this.withSpeed(entry);
      const about = { id, name, peer, bytes, totalBytes, startedAtMs };
      return [{ ...about, wish, content, isPaused: state === 'paused' }];
    });
  }

  /** Makes `work` a transfer, from its start to whatever becomes of it. */
  async run<T>(
    about: TransferAbout,
    { signal, onStarted }: RunOptions,
    work: (handle: TransferHandle) => Promise<T>,
  ): Promise<T> {
    const handle = this.start(about);
    onStarted?.(handle.id);
    const abort = onAbort(signal, () => this.cancel(handle.id));
    try {
      const result = await work(handle);
      handle.finish();
      return result;
    } catch (error) {
      const cause = this.entries.get(handle.id)?.reason ?? error;
      handle.finish(cause);
      throw cause;
    } finally {
      abort.dispose();
    }
  }

  /** Cancels one that is under way or paused; one that has ended or is not known is passed over. */
  cancel(id: string): void {
    const entry = this.entries.get(id);
    if (entry === undefined) return;
    if (!entry.isRestored) this.change(entry, 'cancelling');
    else this.change(entry, 'cancelled', new PeershelfError('CANCELLED', 'cancelled'));
  }

  /**
   * Pauses a download that runs or waits; whatever else has this id is passed over.
   * @throws LIMIT_EXCEEDED when too many are paused.
   */
  pause(id: string): void {
    const entry = this.entries.get(id);
    if (entry?.transfer.direction !== 'download' || !NEXT[entry.stage].includes('paused')) return;
    if (this.ofState('paused').length >= MAX_PAUSED)
      throw new PeershelfError('LIMIT_EXCEEDED', 'too many transfers are paused', {
        details: { limit: MAX_PAUSED },
      });
    this.change(entry, 'paused');
  }

  /** Lets a paused one wait for its turn; whatever else has this id is passed over. */
  resume(id: string): void {
    const entry = this.entries.get(id);
    if (entry?.stage === 'paused' && !entry.isRestored) this.change(entry, 'waiting');
  }

  /**
   * What a download was asked for with that has failed, was cancelled, or is of an earlier run, for
   * somebody who starts it again; not twice: a second wish for the same would make two of one.
   */
  takeWish(id: string): Wish | undefined {
    const entry = this.entries.get(id);
    if (entry === undefined || entry.isStarting) return undefined;
    if (!canRetry(entry) && !this.isRestored(id)) return undefined;
    entry.isStarting = true;
    this.notifySoon();
    return entry.wish;
  }

  /** It was started again, as another one, or could not be: then it may be tried once more. */
  noteStarted(id: string, isStarted: boolean): void {
    const entry = this.entries.get(id);
    if (entry === undefined) return;
    if (isStarted) entry.wish = undefined;
    entry.isStarting = false;
    this.notifySoon();
  }

  /** Forgets those that have ended. */
  clear(): void {
    for (const [id, { stage }] of this.entries) if (ENDED.includes(stage)) this.entries.delete(id);
    this.notifySoon();
  }

  /**
   * Ends the downloads because this peer leaves its session. None can be tried again: names, and who is
   * behind them, mean nothing in another one.
   */
  leaveSession(reason: PeershelfError): void {
    for (const [id, entry] of this.entries) {
      if (entry.transfer.direction === 'upload') continue;
      entry.wish = undefined;
      entry.reason = reason;
      // Nobody works on it, so nobody would say that it has ended.
      if (entry.isRestored && !ENDED.includes(entry.stage)) this.entries.delete(id);
      else this.change(entry, 'stopping');
    }
    this.notifySoon();
  }

  /** Ends all of them because this peer stops. */
  stopAll(): void {
    for (const entry of this.entries.values()) this.change(entry, 'stopping');
  }

  private add({ stage, wish, content, isRestored, ...about }: NewEntry): Entry {
    const { bytes, totalBytes } = about;
    const entry: Entry = {
      controller: new AbortController(),
      period: new AbortController(),
      resumed: deferred<undefined>(),
      since: { ms: this.clock.monotonic(), bytes },
      ...{ stage, bytes, totalBytes, wish, content, isRestored },
      ...{ isStarting: false, reason: undefined },
      transfer: {
        ...about,
        id: randomUUID(),
        bytesPerSecond: 0,
        error: undefined,
        kind: wish?.kind ?? 'file',
        leftOutFiles: 0,
        sources: [],
        canRetry: false,
      },
    };
    this.entries.set(entry.transfer.id, entry);
    this.notifySoon();
    return entry;
  }

  private dropRestored(destination: string): void {
    for (const [id, { isRestored, stage, transfer }] of this.entries)
      if (isRestored && stage === 'paused' && transfer.path === destination)
        this.entries.delete(id);
  }

  private handleOf(entry: Entry): TransferHandle {
    return {
      id: entry.transfer.id,
      signal: entry.controller.signal,
      get isCancelled() {
        return entry.stage === 'cancelling' || entry.stage === 'cancelled';
      },
      throughPauses: (attempt) => throughPauses(entry, attempt),
      begin: () => this.change(entry, 'running'),
      setTotal: (totalBytes) => {
        entry.totalBytes = totalBytes;
      },
      setBytes: (bytes) => {
        entry.bytes = bytes;
        // It has begun anew, or lost what it had.
        if (bytes < entry.since.bytes) entry.since = { ms: this.clock.monotonic(), bytes };
        this.notifySoon();
      },
      setLeftOut: (leftOutFiles) => {
        entry.transfer = { ...entry.transfer, leftOutFiles };
      },
      addSource: (displayName) => {
        const { sources } = entry.transfer;
        if (sources.includes(displayName) || sources.length >= MAX_SOURCES) return;
        entry.transfer = { ...entry.transfer, sources: [...sources, displayName] };
        this.notifySoon();
      },
      setContent: (content) => {
        entry.content = content;
      },
      setPath: (path) => {
        entry.transfer = { ...entry.transfer, path };
      },
      finish: (error) => this.change(entry, endFor(error), error),
    };
  }

  /** The only place where a transfer gets to another stage. What does not lead there is passed over. */
  private change(entry: Entry, stage: Stage, error?: unknown): void {
    if (!NEXT[entry.stage].includes(stage)) return;
    const shown = this.withSpeed(entry);
    entry.stage = stage;
    switch (stage) {
      case 'cancelling':
      case 'stopping':
        entry.controller.abort();
        entry.period.abort();
        return; // Shown as it was until it has cleaned up behind itself.
      case 'paused':
        entry.resumed = deferred<undefined>();
        entry.transfer = { ...shown, state: stage };
        entry.period.abort();
        break;
      case 'waiting':
        entry.transfer = { ...shown, state: stage };
        entry.period = new AbortController();
        entry.resumed.resolve(undefined);
        break;
      case 'running':
        entry.since = { ms: this.clock.monotonic(), bytes: entry.bytes };
        entry.transfer = { ...shown, state: stage };
        break;
      case 'done':
      case 'failed':
      case 'cancelled':
        this.end(entry, { ...shown, state: stage }, error);
    }
    if (stage === 'running') this.setRunning(this.runningCount + 1);
    else if (shown.state === 'running') this.setRunning(this.runningCount - 1);
    this.notifySoon();
  }

  private setRunning(count: number): void {
    this.runningCount = count;
    this.runningEmitter.fire(count);
  }

  private end(entry: Entry, transfer: Transfer, error: unknown): void {
    entry.transfer = { ...transfer, error: error === undefined ? undefined : toPlainError(error) };
    const finished = [...this.entries.values()].filter(({ stage }) => ENDED.includes(stage));
    for (const old of finished.slice(0, -MAX_FINISHED)) this.entries.delete(old.transfer.id);
  }

  private withSpeed({ transfer, stage, since, bytes, totalBytes }: Entry): Transfer {
    if (ENDED.includes(stage)) return transfer;
    if (transfer.state !== 'running') return { ...transfer, bytes, totalBytes, bytesPerSecond: 0 };
    const seconds = Math.max(0.001, (this.clock.monotonic() - since.ms) / 1000);
    const moved = Math.max(0, bytes - since.bytes);
    return { ...transfer, bytes, totalBytes, bytesPerSecond: moved / seconds };
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
