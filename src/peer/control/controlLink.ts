import type { Socket } from 'node:net';
import { type Clock, delay } from '../../common/clock';
import { type Deferred, deferred } from '../../common/deferred';
import { DisposableBase } from '../../common/disposable';
import { type ErrorCode, PeershelfError, toPlainError } from '../../common/errors';
import { Emitter } from '../../common/events';
import type { Logger } from '../../common/logger';
import { formatHostPort, type HostPort } from '../../protocol/address';
import { dial } from './dial';
import { dialTls } from './dialTls';
import { reconnectDelayMs } from './reconnectPolicy';
import { replacedError, TrackerConnection } from './trackerConnection';

/** Longest wait for a tracker to accept a connection. */
const CONNECT_DEADLINE_MS = 10_000;
/** A connection that lasted this long was a good one: after it, retries start from the first delay. */
const STABLE_AFTER_MS = 30_000;

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

export interface ControlLinkDependencies {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Runs on each new connection before it counts as connected: registers what is published. */
  readonly greet: (connection: TrackerConnection) => Promise<void>;
  /** Runs before a connection is closed on purpose, whether it has been greeted whole or not. */
  readonly part: () => Promise<void>;
  /** From 0 to 1, to spread retries. */
  readonly random?: () => number;
}

/** Failures after which trying again would be of no use, or would harm. */
const FINAL: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['NOT_A_MEMBER', 'REPLACED']);

/**
 * Keeps one control connection to one tracker, for as long as wished: connects, and after every loss
 * connects again with growing, jittered delays. It stays away when a later connection of the same peer
 * has replaced it, as two that take each other's place would never come to rest, and when the tracker
 * does not take it for a member any more.
 */
export class ControlLink extends DisposableBase {
  private readonly changeEmitter = this.register(new Emitter<LinkState>());
  private current: LinkState = { kind: 'disconnected' };
  /** Ends the connection that there is, with the reason. */
  private endConnection: ((reason: PeershelfError) => void) | undefined;
  private run: { readonly controller: AbortController; readonly done: Promise<void> } | undefined;

  readonly onDidChange = this.changeEmitter.event;

  constructor(private readonly dependencies: ControlLinkDependencies) {
    super();
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

  /** At the first address that is the tracker's; resolves and throws as `connectOnce` does. */
  private async connectToAny(
    { addresses, fingerprint }: TrackerTarget,
    signal: AbortSignal,
    onConnected: () => void,
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
        if (addresses.length > 1) this.dependencies.logger.info(failure.message);
      }
    }
    throw failure;
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
