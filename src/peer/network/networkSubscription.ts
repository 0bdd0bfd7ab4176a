import type { Clock } from '../../common/clock';
import { DisposableBase, DisposableSlot, toDisposable } from '../../common/disposable';
import { describeError, PeershelfError } from '../../common/errors';
import type { Logger } from '../../common/logger';
import type { ControlEvent } from '../../protocol/controlRepliesV2';
import { readChanges, readSequence } from '../../protocol/networkChanges';
import { MAX_PAGES, type NetworkPart, type SubscribableNetwork } from '../control/networkRequests';
import type { NetworkModel } from './networkModel';

/** Rest between the ends of two snapshots: a tracker that always wants another one gets little. */
const RESYNC_REST_MS = 1_000;
/** … or this many times what the last one took. */
const RESYNC_REST_FACTOR = 4;

export interface NetworkSubscriptionDependencies {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly tracker: SubscribableNetwork;
  readonly model: NetworkModel;
  /** Something was told, or a snapshot is whole. */
  readonly onUpdate: () => void;
}

/**
 * Keeps the model what the tracker of one connection knows: takes a snapshot, page by page, and what
 * is pushed meanwhile and from then on. After a gap, or when the tracker says that this peer was too
 * slow, it takes another one; what was known until then stays until that is whole.
 */
export class NetworkSubscription extends DisposableBase {
  /** Number of the last event; undefined until the reply to SUBSCRIBE. */
  private sequence: number | undefined;
  private queue: ControlEvent[] = [];
  private snapshot: Promise<void> | undefined;
  private disposed = false;
  /** Not before this, by the clock that only grows. */
  private nextSnapshotMs = Number.NEGATIVE_INFINITY;
  private readonly timer = this.register(new DisposableSlot());

  constructor(private readonly dependencies: NetworkSubscriptionDependencies) {
    super();
    this.register(toDisposable(() => (this.disposed = true)));
  }

  /** Resolves when everything is known that the tracker knew when this was called. */
  async refresh(): Promise<void> {
    if (this.snapshot === undefined && this.sequence === undefined) {
      await this.takeSnapshot();
      return;
    }
    await this.snapshot;
    await this.catchUp();
  }

  /** Takes what the tracker says without being asked. */
  receive(event: ControlEvent): void {
    if (event.name !== 'changes' && event.name !== 'resync') return;
    this.queue.push(event);
    // A turn later: replies that came before it are taken by promises, and must be first.
    if (this.queue.length === 1) setImmediate(() => this.takeEvents());
  }

  private async catchUp(): Promise<void> {
    const { tracker } = this.dependencies;
    try {
      await tracker.sync();
    } catch (error) {
      // The tracker dropped this subscriber, and the event that says so is on its way.
      if (!PeershelfError.is(error, 'TRACKER_REFUSED')) throw error;
      await this.takeSnapshot();
    }
    await new Promise<void>((resolve) => setImmediate(resolve));
  }

  private takeEvents(): void {
    const { queue } = this;
    this.queue = [];
    for (const { name, members } of queue) {
      if (this.disposed) return;
      try {
        if (name === 'resync') this.resync('this peer was too slow');
        else this.takeChanges(members);
      } catch (error) {
        this.resync(describeError(error));
      }
    }
    this.dependencies.onUpdate();
  }

  private takeChanges(members: Record<string, unknown>): void {
    const sequence = readSequence(members);
    // What belongs to an earlier subscription is known already.
    if (this.sequence === undefined || sequence <= this.sequence) return;
    if (sequence !== this.sequence + 1) {
      this.resync(`event ${this.sequence + 1} is missing`);
      return;
    }
    this.sequence = sequence;
    for (const change of readChanges(members)) this.dependencies.model.apply(change);
  }

  /** Begins anew, though not again and again without a rest. */
  private resync(reason: string): void {
    const { clock, logger } = this.dependencies;
    this.sequence = undefined;
    logger.debug(`another snapshot: ${reason}`);
    // The one that is being taken does not hold any more; when it ends, it sees that itself.
    if (this.snapshot !== undefined) return;
    const waitMs = this.nextSnapshotMs - clock.monotonic();
    if (waitMs <= 0) this.start();
    else this.timer.set(clock.after(waitMs, () => this.start()));
  }

  private start(): void {
    this.takeSnapshot().catch((error: unknown) => {
      this.dependencies.logger.debug(`snapshot: ${describeError(error)}`);
    });
  }

  private takeSnapshot(): Promise<void> {
    this.timer.set(undefined);
    this.snapshot ??= this.takeSnapshotOnce().finally(() => {
      this.snapshot = undefined;
    });
    return this.snapshot;
  }

  private async takeSnapshotOnce(): Promise<void> {
    const { clock } = this.dependencies;
    const startMs = clock.monotonic();
    const isWhole = await this.readPages();
    const endMs = clock.monotonic();
    const restMs = Math.max(RESYNC_REST_MS, (endMs - startMs) * RESYNC_REST_FACTOR);
    this.nextSnapshotMs = endMs + restMs;
    if (!isWhole && !this.disposed) this.timer.set(clock.after(restMs, () => this.start()));
  }

  /** Resolves to whether the model has everything now. */
  private async readPages(): Promise<boolean> {
    const { tracker, model, onUpdate } = this.dependencies;
    model.beginSnapshot((hostname, record) => tracker.identify(hostname, record));
    const first = await tracker.subscribe();
    this.sequence = first.sequence;
    let part: NetworkPart = first;
    for (let count = 0; count < MAX_PAGES; count += 1) {
      if (this.disposed) return false;
      for (const [hostname, host] of part.hosts) model.put(hostname, host, part.recordOf(hostname));
      onUpdate();
      if (part.cursor === undefined) break;
      part = await tracker.page(part.cursor);
      if (this.wasDropped()) return false;
    }
    model.endSnapshot();
    onUpdate();
    return true;
  }

  /** A method, because events are taken behind every `await`. */
  private wasDropped(): boolean {
    return this.sequence === undefined;
  }
}
