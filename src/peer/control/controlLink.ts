import type { Socket } from 'node:net';
import { type Clock, delay } from '../../common/clock';
import { type Deferred, deferred } from '../../common/deferred';
import { DisposableBase } from '../../common/disposable';
import { type ErrorCode, PeershelfError, toPlainError } from '../../common/errors';
import { Emitter } from '../../common/events';
import type { Logger } from '../../common/logger';
import { formatHostPort, type HostPort } from '../../protocol/address';
import { PinFailures } from '../transfer/pinFailures';
import { dial } from './dial';
import { dialTls } from './dialTls';
import { reconnectDelayMs } from './reconnectPolicy';
import { replacedError, TrackerConnection } from './trackerConnection';

/** Longest wait for a tracker to accept a connection. */
const CONNECT_DEADLINE_MS = 10_000;
/** A connection that lasted this long was a good one: after it, retries start from the first delay. */
const STABLE_AFTER_MS = 30_000;
/** Attempts a minute at an address that was found, when none has found the tracker there. */
const MAX_FOUND_FAILURES = 2;

/** A tracker: where it may be found, and what tells it from others. */
export interface TrackerTarget {
  /** At least one. */
  readonly addresses: readonly HostPort[];
  /** Of its certificate, in a team session; undefined: it speaks without TLS. */
  readonly fingerprint?: string | undefined;
}

export type LinkState =
  | {
      readonly kind: 'disconnected';
      /** Why the connection ended for good although nobody wished for it. */
      readonly error?: ReturnType<typeof toPlainError>;
    }
  | { readonly kind: 'connecting'; readonly tracker: HostPort }
  | {
      readonly kind: 'connected';
      readonly tracker: HostPort;
      readonly connection: TrackerConnection;
    }
  | {
      readonly kind: 'waiting';
      readonly tracker: HostPort;
      readonly retryAtMs: number;
      readonly error: ReturnType<typeof toPlainError>;
    };

/** @throws CANCELLED. */
export type FindTracker = (
  fingerprint: string,
  signal: AbortSignal,
) => Promise<readonly HostPort[]>;

export interface ControlLinkDependencies {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Runs on each new connection before it counts as connected: registers what is published. */
  readonly greet: (connection: TrackerConnection) => Promise<void>;
  /** Runs before a connection is closed on purpose, whether it has been greeted whole or not. */
  readonly part: () => Promise<void>;
  /**
   * Where else a tracker with this certificate may be, as anybody says. Asked when it is at none of its
   * addresses.
   */
  readonly findTracker?: FindTracker | undefined;
  /** From 0 to 1, to spread retries. */
  readonly random?: () => number;
}

/** What belongs to every attempt of one run. */
interface Attempt {
  readonly fingerprint: string | undefined;
  readonly signal: AbortSignal;
  readonly onConnected: () => void;
}

/** Failures after which trying again would be of no use, or would harm. */
const FINAL: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'INVITE_OUTDATED',
  'MEMBER_REMOVED',
  'REPLACED',
]);

/**
 * Keeps one control connection to one tracker, for as long as wished: connects, and after every loss
 * connects again with growing, jittered delays. It stays away when a later connection of the same peer
 * has replaced it, as two that take each other's place would never come to rest, and when an owner has
 * said that this member is none any more.
 */
export class ControlLink extends DisposableBase {
  private readonly changeEmitter = this.register(new Emitter<LinkState>());
  private current: LinkState = { kind: 'disconnected' };
  /** Ends the connection that there is, with the reason. */
  private endConnection: ((reason: PeershelfError) => void) | undefined;
  /** Where the tracker was not. */
  private readonly failures: PinFailures;
  /** Where it was last, if anywhere. */
  private lastAddress: HostPort | undefined;
  private run: { readonly controller: AbortController; readonly done: Promise<void> } | undefined;

  readonly onDidChange = this.changeEmitter.event;

  constructor(private readonly dependencies: ControlLinkDependencies) {
    super();
    this.failures = new PinFailures(dependencies.clock, MAX_FOUND_FAILURES);
  }

  get state(): LinkState {
    return this.current;
  }

  /**
   * Starts to keep a connection to a tracker; one to another tracker is closed before. Resolves when
   * connected, rejects when the first attempt fails: attempts go on until `disconnect` all the same.
   */
  async connect(target: TrackerTarget): Promise<void> {
    await this.disconnect();
    this.lastAddress = undefined;
    const controller = new AbortController();
    const first = deferred<undefined>();
    const done = this.keepConnected(target, controller.signal, first);
    this.run = { controller, done };
    await first.promise;
  }

  /** Closes the connection and stops trying. Resolves when nothing is open any more. */
  async disconnect(): Promise<void> {
    const { run } = this;
    run?.controller.abort();
    await run?.done;
    if (this.run !== run) return;
    this.run = undefined;
    const isOverWithError =
      this.current.kind === 'disconnected' && this.current.error !== undefined;
    if (isOverWithError) this.move({ kind: 'disconnected' });
  }

  /** Gives up an attempt that is under way, so that who waits for it does not wait any longer. */
  abandonAttempt(): void {
    if (this.current.kind !== 'connected') this.run?.controller.abort();
  }

  /** The tracker has said that a later connection of this peer took its place: stays away. */
  giveWay(error: PeershelfError): void {
    this.endConnection?.(error);
  }

  private async keepConnected(
    target: TrackerTarget,
    signal: AbortSignal,
    first: Deferred<undefined>,
  ): Promise<void> {
    const { clock, logger } = this.dependencies;
    let attempt = 0;
    while (!signal.aborted) {
      let connectedMs = clock.monotonic();
      const error = await this.connectToAny(target, signal, () => {
        connectedMs = clock.monotonic();
        first.resolve(undefined);
      }).catch((failure: unknown) => PeershelfError.from(failure));
      first.reject(error);
      if (FINAL.has(error.code)) {
        logger.warn(error.message);
        this.move({ kind: 'disconnected', error: toPlainError(error) });
        return;
      }
      if (clock.monotonic() - connectedMs >= STABLE_AFTER_MS) attempt = 0;
      const tracker = this.current.kind === 'disconnected' ? undefined : this.current.tracker;
      if (tracker !== undefined) await this.waitForRetry({ tracker, attempt, error, signal });
      attempt += 1;
    }
    this.move({ kind: 'disconnected' });
  }

  /** Where it may be, or else is found; resolves and throws as `connectOnce` does. */
  private async connectToAny(
    target: TrackerTarget,
    signal: AbortSignal,
    onConnected: () => void,
  ): Promise<PeershelfError> {
    const attempt = { fingerprint: target.fingerprint, signal, onConnected };
    const { lastAddress } = this;
    const others = target.addresses.filter((one) => !isSame(one, lastAddress));
    const addresses = lastAddress === undefined ? others : [lastAddress, ...others];
    try {
      return await this.connectAmong(addresses, attempt);
    } catch (error) {
      return await this.connectElsewhere(addresses, PeershelfError.from(error), attempt);
    }
  }

  /** At the first address that is the tracker's. */
  private async connectAmong(
    addresses: readonly HostPort[],
    { fingerprint, signal, onConnected }: Attempt,
    isFound = false,
  ): Promise<PeershelfError> {
    let failure = new PeershelfError('CANCELLED', 'disconnected');
    for (const tracker of addresses) {
      if (signal.aborted) break;
      this.move({ kind: 'connecting', tracker });
      try {
        const socket = await this.open(tracker, fingerprint, signal);
        return await this.connectOnce(tracker, socket, { signal, onConnected });
      } catch (error) {
        failure = PeershelfError.from(error);
        if (FINAL.has(failure.code)) break;
        this.failures.add(formatHostPort(tracker));
        if (addresses.length > 1 || isFound) this.dependencies.logger.info(failure.message);
      }
    }
    throw failure;
  }

  /**
   * Where anybody says that a tracker with this certificate is; what it shows there decides.
   * @throws the given failure when it is not found.
   */
  private async connectElsewhere(
    addresses: readonly HostPort[],
    failure: PeershelfError,
    attempt: Attempt,
  ): Promise<PeershelfError> {
    const { findTracker, logger } = this.dependencies;
    const { fingerprint, signal } = attempt;
    const isOver = signal.aborted || FINAL.has(failure.code);
    if (fingerprint === undefined || findTracker === undefined || isOver) throw failure;
    const found = (await findTracker(fingerprint, signal)).filter(
      (place) =>
        !addresses.some((one) => isSame(one, place)) &&
        !this.failures.isSpent(formatHostPort(place)),
    );
    if (found.length === 0) throw failure;
    logger.info(`the tracker may be at ${found.map(formatHostPort).join(', ')}`);
    try {
      return await this.connectAmong(found, attempt, true);
    } catch (error) {
      // Only the tracker itself can say that it is of no use; anybody else could have led us there.
      throw PeershelfError.is(error) && FINAL.has(error.code) ? error : failure;
    }
  }

  private open(
    tracker: HostPort,
    fingerprint: string | undefined,
    signal: AbortSignal,
  ): Promise<Socket> {
    const request = {
      options: tracker,
      unreachable: 'TRACKER_UNREACHABLE',
      deadlineMs: CONNECT_DEADLINE_MS,
      clock: this.dependencies.clock,
      signal,
    } as const;
    return fingerprint === undefined ? dial(request) : dialTls(request, fingerprint);
  }

  /** Resolves to the reason when an established connection ends; throws when none comes about. */
  private async connectOnce(
    tracker: HostPort,
    socket: Socket,
    { signal, onConnected }: { readonly signal: AbortSignal; readonly onConnected: () => void },
  ): Promise<PeershelfError> {
    const { clock, logger, greet, part } = this.dependencies;
    const connection = new TrackerConnection(socket, { clock, logger });
    const closed = deferred<PeershelfError>();
    this.endConnection = closed.resolve;
    connection.onDidClose(closed.resolve);
    connection.onDidReceiveEvent(({ name }) => {
      if (name === 'replaced') closed.resolve(replacedError());
    });
    const abort = (): void => closed.resolve(new PeershelfError('CANCELLED', 'disconnected'));
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
    const greeting = greet(connection).then(() => undefined);
    try {
      const lost = await Promise.race([greeting, closed.promise]);
      if (lost !== undefined) return lost;
      logger.info(`connected to ${formatHostPort(tracker)}`);
      this.lastAddress = tracker;
      this.move({ kind: 'connected', tracker, connection });
      onConnected();
      return await closed.promise;
    } finally {
      this.endConnection = undefined;
      signal.removeEventListener('abort', abort);
      if (signal.aborted) await part();
      await connection.close();
      // Nothing of this connection may go on behind it. What failed in it has been reported.
      await greeting.catch(() => undefined);
    }
  }

  private async waitForRetry(retry: {
    tracker: HostPort;
    attempt: number;
    error: PeershelfError;
    signal: AbortSignal;
  }): Promise<void> {
    if (retry.signal.aborted) return;
    const { clock, logger, random = Math.random } = this.dependencies;
    const delayMs = reconnectDelayMs(retry.attempt, random());
    logger.info(`${retry.error.message}; next attempt in ${delayMs} ms`);
    this.move({
      kind: 'waiting',
      tracker: retry.tracker,
      retryAtMs: clock.now() + delayMs,
      error: toPlainError(retry.error),
    });
    try {
      await delay(clock, delayMs, retry.signal);
    } catch (error) {
      if (!PeershelfError.is(error, 'CANCELLED')) throw error;
    }
  }

  private move(state: LinkState): void {
    this.current = state;
    this.changeEmitter.fire(state);
  }
}

function isSame(one: HostPort, other: HostPort | undefined): boolean {
  return one.host === other?.host && one.port === other.port;
}
