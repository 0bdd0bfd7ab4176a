import type { Clock } from '../common/clock';
import { type Disposable, DisposableSlot } from '../common/disposable';
import { MAX_CHANGES } from '../protocol/limits';
import {
  CHANGE_DELAY_MS,
  CHANGE_REST_FACTOR,
  MAX_CHANGE_LOG_BYTES,
  MAX_EVENTS_AT_ONCE,
  MAX_PENDING_CHANGE_BYTES,
  MAX_PENDING_CHANGES,
  PENDING_NAME_BYTES,
} from './limits';
import type { MaybePromise } from './maybePromise';
import { changesEvent, goneJson, resyncEvent } from './repliesV2';

/** Files written together: what their hosts have signed of them may be long, and is not known before. */
const NAMES_AT_ONCE = 100;

/** An event is ended when it is this long: a sixteenth of the log, and four times what is common. */
const MAX_EVENT_LENGTH = 512 * 1024;

/** Takes lines that nobody has asked for: a connection. */
export interface Subscriber {
  /** Whether it has room for another line; once it has, it calls `resume` of its subscription. */
  isReady(): boolean;
  send(line: Buffer): void;
}

/** One subscriber's place in what has changed. Disposing ends it. */
export interface Subscription extends Disposable {
  /** Number of the last event before those that it gets. */
  readonly sequence: number;
  /** False once it has been told to begin anew, or disposed. */
  readonly isActive: boolean;
  /** There is room again. */
  resume(): void;
}

/** What a host is now, as far as it has changed. */
export interface RenderedChange {
  /** One member of the list of changes. */
  readonly json: string;
  /** As a member of `records`. */
  readonly record: string | undefined;
}

export interface ChangeFeedOptions {
  readonly clock: Clock;
  /**
   * What the host of that name and its named files are now; undefined when there is no such host.
   * @param isWhole whether the host itself has changed, and not only files of it.
   */
  readonly render: (
    hostname: string,
    names: readonly string[],
    isWhole: boolean,
  ) => RenderedChange | undefined;
  readonly maxLogBytes?: number;
  readonly maxPendingChanges?: number;
  readonly maxPendingBytes?: number;
}

interface HostChanges {
  /** What was under the hostname before is no more, whatever is there now. */
  isGone: boolean;
  isChanged: boolean;
  readonly names: Set<string>;
}

interface Place {
  readonly subscriber: Subscriber;
  /** Number of the next event for it. */
  next: number;
}

/**
 * Tells subscribers what has changed. Changes are collected for a moment, and what they came to is
 * written once for all subscribers, as numbered events. Events stay in one log that all share until
 * everybody has them: a subscriber reads on where it was when it has room. Whoever is so slow that the
 * log has to drop what it still needs is told to begin anew, and is no subscriber any more. So is
 * everybody when more changes than can be written.
 */
export class ChangeFeed {
  private readonly places = new Set<Place>();
  private readonly pending = new Map<string, HostChanges>();
  /** Names in them, of all hosts. */
  private pendingNames = 0;
  /** Cost of all names that wait, those of hosts included. */
  private pendingBytes = 0;
  private readonly log: Buffer[] = [];
  private logBytes = 0;
  /** Number of the last event. */
  private last = 0;
  private readonly timer = new DisposableSlot();
  private isScheduled = false;
  private waiting: ((sequence: number) => void)[] = [];

  constructor(private readonly options: ChangeFeedOptions) {}

  get subscriberCount(): number {
    return this.places.size;
  }

  /** Bytes of events that somebody has not taken yet. */
  get heldBytes(): number {
    return this.logBytes;
  }

  hostChanged(hostname: string): void {
    const changes = this.note(hostname);
    if (changes !== undefined) changes.isChanged = true;
  }

  /** The host is removed; another may come under its name. */
  hostGone(hostname: string): void {
    const changes = this.note(hostname);
    if (changes === undefined) return;
    changes.isGone = true;
    changes.isChanged = false;
    this.pendingNames -= changes.names.size;
    this.pendingBytes -= costOf(changes.names);
    changes.names.clear();
  }

  fileChanged(hostname: string, name: string): void {
    const names = this.note(hostname)?.names;
    if (names === undefined || names.has(name)) return;
    names.add(name);
    this.pendingNames += 1;
    this.pendingBytes += costOf([name]);
    this.giveUpIfTooMuch();
  }

  /** From now on, `subscriber` gets every event, in order and without a gap, or is told that it does not. */
  subscribe(subscriber: Subscriber): Subscription {
    // What has changed before is nothing new to it, and telling it twice does no harm.
    const place: Place = { subscriber, next: this.last + 1 };
    this.places.add(place);
    const { places } = this;
    return {
      sequence: this.last,
      get isActive() {
        return places.has(place);
      },
      resume: () => {
        this.pump(place);
        this.trim();
      },
      dispose: () => this.leave(place),
    };
  }

  /** The number of the event with which everything is told that has changed until now. */
  flushed(): MaybePromise<number> {
    if (this.pending.size === 0) return this.last;
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  /** Where to note a change, unless nobody wants to hear of any. */
  private note(hostname: string): HostChanges | undefined {
    if (this.places.size === 0) return undefined;
    this.schedule(CHANGE_DELAY_MS);
    let changes = this.pending.get(hostname);
    if (changes === undefined) {
      changes = { isGone: false, isChanged: false, names: new Set() };
      this.pending.set(hostname, changes);
      this.pendingBytes += costOf([hostname]);
      this.giveUpIfTooMuch();
    }
    return this.pending.has(hostname) ? changes : undefined;
  }

  private schedule(delayMs: number): void {
    if (this.isScheduled) return;
    this.isScheduled = true;
    this.timer.set(this.options.clock.after(delayMs, () => this.flush()));
  }

  /** Writes what has changed, not too much at once: the tracker has others to answer. */
  private flush(): void {
    const { clock } = this.options;
    const startMs = clock.monotonic();
    this.isScheduled = false;
    for (let count = 0; count < MAX_EVENTS_AT_ONCE && this.pending.size > 0; count += 1)
      this.append(this.nextEvent());
    for (const place of this.places) this.pump(place);
    this.trim();
    if (this.pending.size === 0) this.answerWaiting();
    // With many subscribers an event costs more: they hear less often, and the tracker stays free.
    const restMs = (clock.monotonic() - startMs) * CHANGE_REST_FACTOR;
    if (this.pending.size > 0) this.schedule(Math.max(CHANGE_DELAY_MS, restMs));
  }

  private nextEvent(): Buffer {
    const changes: string[] = [];
    const records: string[] = [];
    let left = MAX_CHANGES;
    let length = 0;
    for (let next = this.nextPending(); next !== undefined; next = this.nextPending()) {
      if (left <= 0 || length >= MAX_EVENT_LENGTH) break;
      const [hostname, change] = next;
      const names = takeFirst(change.names, Math.min(left, NAMES_AT_ONCE));
      this.pendingNames -= names.length;
      this.pendingBytes -= costOf(names);
      left -= names.length + 1;
      if (change.isGone) changes.push(goneJson(hostname));
      const rendered = this.options.render(hostname, names, change.isChanged);
      if (rendered !== undefined) changes.push(rendered.json);
      if (rendered?.record !== undefined) records.push(rendered.record);
      length += (rendered?.json.length ?? 0) + (rendered?.record?.length ?? 0);
      change.isGone = change.isChanged = false;
      if (change.names.size > 0) continue;
      this.pending.delete(hostname);
      this.pendingBytes -= costOf([hostname]);
    }
    this.last += 1;
    const nowMs = Math.floor(this.options.clock.now());
    return Buffer.from(changesEvent({ nowMs, sequence: this.last, changes, records }), 'latin1');
  }

  private nextPending(): [hostname: string, changes: HostChanges] | undefined {
    for (const entry of this.pending) return entry;
    return undefined;
  }

  private append(event: Buffer): void {
    this.log.push(event);
    this.logBytes += event.length;
  }

  private pump(place: Place): void {
    const { subscriber } = place;
    while (this.places.has(place) && place.next <= this.last && subscriber.isReady()) {
      const event = this.log[place.next - this.first];
      if (event === undefined) return;
      place.next += 1;
      subscriber.send(event);
    }
  }

  /** Drops what everybody has, and what is too much to keep for the slowest. */
  private trim(): void {
    let needed = this.last + 1;
    for (const { next } of this.places) needed = Math.min(needed, next);
    const { maxLogBytes = MAX_CHANGE_LOG_BYTES } = this.options;
    while (this.first < needed || this.logBytes > maxLogBytes)
      this.logBytes -= this.log.shift()?.length ?? this.logBytes;
    for (const place of this.places) if (place.next < this.first) this.giveUp(place);
  }

  /** Number of the oldest event in the log. */
  private get first(): number {
    return this.last - this.log.length + 1;
  }

  /** More than can be told: everybody begins anew, and nothing waits any more. */
  private giveUpIfTooMuch(): void {
    const { maxPendingChanges = MAX_PENDING_CHANGES } = this.options;
    const { maxPendingBytes = MAX_PENDING_CHANGE_BYTES } = this.options;
    if (this.pendingNames <= maxPendingChanges && this.pendingBytes <= maxPendingBytes) return;
    for (const place of this.places) this.giveUp(place);
  }

  private giveUp(place: Place): void {
    this.leave(place);
    const nowMs = Math.floor(this.options.clock.now());
    // Once, whether there is room or not: it is a short line.
    place.subscriber.send(Buffer.from(resyncEvent(nowMs), 'latin1'));
  }

  private leave(place: Place): void {
    if (!this.places.delete(place) || this.places.size > 0) return;
    this.timer.set(undefined);
    this.isScheduled = false;
    this.pending.clear();
    this.pendingNames = this.pendingBytes = 0;
    this.log.length = this.logBytes = 0;
    this.answerWaiting();
  }

  private answerWaiting(): void {
    const { waiting } = this;
    this.waiting = [];
    for (const resolve of waiting) resolve(this.last);
  }
}

function costOf(names: Iterable<string>): number {
  let cost = 0;
  for (const { length } of names) cost += length + PENDING_NAME_BYTES;
  return cost;
}

function takeFirst(names: Set<string>, count: number): string[] {
  const taken: string[] = [];
  for (const name of names) {
    if (taken.length >= count) break;
    taken.push(name);
    names.delete(name);
  }
  return taken;
}
