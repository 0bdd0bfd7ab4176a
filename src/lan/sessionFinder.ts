import { randomInt } from 'node:crypto';
import { type Clock, delay } from '../common/clock';
import {
  type Disposable,
  DisposableBase,
  DisposableSlot,
  DisposableStore,
  toDisposable,
} from '../common/disposable';
import type { Logger } from '../common/logger';
import type { HostPort } from '../protocol/address';
import type { FoundSession } from '../protocol/announcement';
import { FoundSessions } from './foundSessions';
import { type LanOptions, LanSocket, MULTICAST_DNS_PORT } from './lanSocket';
import { networkAddresses } from './ownAddresses';
import { encodeQuestion, readPacket } from './packets';

/** Packets get lost, the first ones most of all: who had to be looked up was not there yet. */
const FIRST_INTERVAL_MS = 1_000;
/** Between questions; an answer holds for two and a half of them. */
const INTERVAL_MS = 4_000;
/** How long a lookup waits for the first answer: two questions, and room for a slow network. */
const LOOKUP_DEADLINE_MS = 1_500;
/** How long a question about all sessions waits: people wait for what comes of it. */
const SURVEY_MS = 500;
/** Time for others to answer as well, as the fastest one may be a liar. */
const OTHERS_MS = 200;

export interface SessionFinderDependencies {
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What goes on while somebody wants to know. */
interface Asking {
  readonly ask: () => void;
  readonly lifetime: DisposableStore;
}

/**
 * Asks in the networks of this machine for trackers of teams. It asks from a port of its own and takes
 * answers there only, so nothing listens, and only while somebody wants to know. Where multicast does
 * not come through, nothing is found.
 */
export class SessionFinder extends DisposableBase {
  private readonly sessions: FoundSessions;
  /** Those who want to know; the socket is open while there are any. */
  private readonly holders = new Set<Disposable>();
  private asking: Asking | undefined;
  private watcher: Disposable | undefined;

  /** Sessions came or went, while they are watched. */
  readonly onDidChangeFoundSessions: FoundSessions['onDidChange'];

  constructor(
    private readonly dependencies: SessionFinderDependencies,
    private readonly options: LanOptions = {},
  ) {
    super();
    this.sessions = this.register(new FoundSessions(dependencies.clock));
    this.onDidChangeFoundSessions = this.sessions.onDidChange;
    this.register(toDisposable(() => this.close()));
  }

  /** Whether somebody looks at the sessions that are found; they are told by the event. */
  watchSessions({ watching }: { readonly watching: boolean }): Promise<void> {
    const { watcher } = this;
    this.watcher = watching ? (watcher ?? this.hold()) : undefined;
    if (!watching) watcher?.dispose();
    return Promise.resolve();
  }

  /** Those whose trackers answer within half a second. */
  async findSessions(): Promise<readonly FoundSession[]> {
    const holder = this.hold();
    try {
      await delay(this.dependencies.clock, SURVEY_MS);
      return this.sessions.all;
    } finally {
      holder.dispose();
    }
  }

  /**
   * Where the tracker with this certificate may be, as anybody says: the caller has to look at the
   * certificate. Takes 1.5 seconds when nobody answers. @throws CANCELLED.
   */
  async findTracker(fingerprint: string, signal: AbortSignal): Promise<readonly HostPort[]> {
    const { clock } = this.dependencies;
    if (this.addresses().length === 0) return [];
    const found = new AbortController();
    const lifetime = new DisposableStore();
    const isFound = (): boolean => this.sessions.addressesOf(fingerprint).length > 0;
    lifetime.add(
      this.sessions.onDidChange(() => {
        if (isFound()) found.abort();
      }),
    );
    lifetime.add(this.hold());
    try {
      if (!isFound())
        await delay(clock, LOOKUP_DEADLINE_MS, AbortSignal.any([signal, found.signal])).catch(
          () => undefined, // Found, or cancelled, which the next wait says.
        );
      await delay(clock, isFound() ? OTHERS_MS : 0, signal);
      return this.sessions.addressesOf(fingerprint);
    } finally {
      lifetime.dispose();
    }
  }

  private hold(): Disposable {
    const holder = toDisposable(() => {
      this.holders.delete(holder);
      if (this.holders.size === 0) this.close();
    });
    this.holders.add(holder);
    if (this.asking === undefined) this.asking = this.open();
    else this.asking.ask();
    return holder;
  }

  private open(): Asking {
    const { clock, logger } = this.dependencies;
    const lifetime = new DisposableStore();
    // Answers that do not know it are to nobody's question, or to somebody else's.
    const id = randomInt(1, 65_536);
    const socket = lifetime.add(
      new LanSocket(
        { clock, logger, onPacket: (bytes, { address }) => this.receive(bytes, id, address) },
        {
          port: this.options.port ?? MULTICAST_DNS_PORT,
          addresses: () => this.addresses(),
          joins: false,
        },
      ),
    );
    const ask = (): void => {
      socket.refresh();
      void socket.sendToAll(encodeQuestion(id));
    };
    const timer = lifetime.add(new DisposableSlot());
    const askAfter = (delayMs: number): void => {
      const askAgain = (): void => {
        ask();
        askAfter(INTERVAL_MS);
      };
      timer.set(clock.after(delayMs, askAgain));
    };
    socket.open();
    ask();
    askAfter(FIRST_INTERVAL_MS);
    return { ask, lifetime };
  }

  private close(): void {
    this.asking?.lifetime.dispose();
    this.asking = undefined;
    this.sessions.clear();
  }

  private receive(bytes: Buffer, id: number, machine: string): void {
    const packet = readPacket(bytes);
    if (packet?.kind !== 'answer' || packet.id !== id) return;
    for (const announcement of packet.announcements) this.sessions.take(announcement, machine);
  }

  private addresses(): readonly string[] {
    return this.options.addresses ?? networkAddresses();
  }
}
