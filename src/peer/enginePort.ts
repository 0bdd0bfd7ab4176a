import type { MessagePort, Worker } from 'node:worker_threads';
import { type Disposable, DisposableBase, toDisposable } from '../common/disposable';
import { fromPlainError, PeershelfError, type PlainError, toPlainError } from '../common/errors';
import { Emitter, type Event } from '../common/events';
import type { LogLevel, LogSink } from '../common/logger';
import type { FetchOptions, LanApi, LanEvents, PeerApi, PeerEvents, TeamKeyApi } from './peerApi';

/** All calls that the engine answers. */
export type EngineApi = PeerApi & TeamKeyApi & LanApi;

/** All that the engine tells. */
export type EngineEvents = PeerEvents & LanEvents;

/**
 * The typed message port between the editor and the engine worker: calls with replies, progress and
 * cancellation in one direction, events and log lines in the other. All messages are plain data.
 */
type PeerMethod = keyof EngineApi;
type PeerEventName = keyof EngineEvents;
type EventValue<E extends PeerEventName> = EngineEvents[E] extends Event<infer T> ? T : never;

export type ToEngine =
  | {
      readonly type: 'call';
      readonly id: number;
      readonly method: PeerMethod;
      readonly request: unknown;
    }
  | { readonly type: 'cancel'; readonly id: number };

export type FromEngine =
  | { readonly type: 'result'; readonly id: number; readonly value: unknown }
  | { readonly type: 'error'; readonly id: number; readonly error: PlainError }
  | { readonly type: 'progress'; readonly id: number; readonly value: unknown }
  | { readonly type: 'event'; readonly event: PeerEventName; readonly value: unknown }
  | {
      readonly type: 'log';
      readonly level: LogLevel;
      readonly tag: string;
      readonly message: string;
    };

/** The part of a worker or message port that is used: tests hand in a `MessageChannel`. */
export type PortLike = Pick<MessagePort | Worker, 'postMessage' | 'on' | 'off'>;

const METHODS: Readonly<Record<PeerMethod, true>> = {
  connect: true,
  disconnect: true,
  publish: true,
  findDuplicates: true,
  findFiles: true,
  compareSelection: true,
  publishSelection: true,
  unpublish: true,
  followRenames: true,
  fetch: true,
  fetchFolder: true,
  preview: true,
  cancelTransfer: true,
  pauseTransfer: true,
  resumeTransfer: true,
  retryTransfer: true,
  clearTransfers: true,
  refreshNetwork: true,
  watchNetwork: true,
  networkPeers: true,
  networkPeerPage: true,
  networkFiles: true,
  networkRows: true,
  searchNetwork: true,
  networkFolder: true,
  compareFiles: true,
  discover: true,
  ping: true,
  countKept: true,
  snapshot: true,
  configure: true,
  stop: true,
  createIdentity: true,
  bringStatement: true,
  synchroniseSession: true,
  members: true,
  removeMembers: true,
  renewLease: true,
  createSession: true,
  renewSession: true,
  describeSession: true,
  makeInvite: true,
  watchSessions: true,
  findSessions: true,
};

const EVENTS: Readonly<Record<PeerEventName, true>> = {
  onDidChangeConnection: true,
  onDidChangePublished: true,
  onDidChangeNetwork: true,
  onDidChangeTransfers: true,
  onDidChangeReachability: true,
  onDidNotice: true,
  onDidChangeFoundSessions: true,
};

type AnyMethod = (request: unknown, options: FetchOptions) => Promise<unknown>;

/** Answers the calls that arrive on `port` with `peer`, until disposed. Runs in the worker. */
export function serveEngine(peer: EngineApi & EngineEvents, port: PortLike): Disposable {
  const running = new Map<number, AbortController>();
  const post = (message: FromEngine): void => port.postMessage(message);

  const call = async (id: number, method: PeerMethod, request: unknown): Promise<void> => {
    const controller = new AbortController();
    running.set(id, controller);
    try {
      const run = (peer[method] as AnyMethod).bind(peer);
      const value = await run(request, {
        signal: controller.signal,
        onProgress: (progress) => post({ type: 'progress', id, value: progress }),
      });
      post({ type: 'result', id, value });
    } catch (error) {
      post({ type: 'error', id, error: toPlainError(error) });
    } finally {
      running.delete(id);
    }
  };
  const onMessage = (message: ToEngine): void => {
    if (message.type === 'cancel') running.get(message.id)?.abort();
    else void call(message.id, message.method, message.request);
  };
  port.on('message', onMessage);
  const subscriptions = (Object.keys(EVENTS) as PeerEventName[]).map((event) =>
    (peer[event] as Event<unknown>)((value) => post({ type: 'event', event, value })),
  );
  return toDisposable(() => {
    port.off('message', onMessage);
    subscriptions.forEach((subscription) => subscription.dispose());
    running.forEach((controller) => controller.abort());
  });
}

interface PendingCall {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: PeershelfError) => void;
  readonly onProgress: FetchOptions['onProgress'];
}

type RemoteCalls = { readonly [M in PeerMethod]: EngineApi[M] };

/**
 * The engine as its other side sees it. Calls reject with the engine's coded errors; when the engine
 * ends (`fail`), all that is pending rejects with `ENGINE_STOPPED`.
 */
export class EngineClient extends DisposableBase implements EngineEvents {
  private readonly emitters = Object.fromEntries(
    Object.keys(EVENTS).map((event) => [event, this.register(new Emitter<never>())]),
  ) as unknown as { readonly [E in PeerEventName]: Emitter<EventValue<E>> };
  private readonly pending = new Map<number, PendingCall>();
  private nextId = 1;
  private ended: PeershelfError | undefined;

  /** The calls of {@link EngineApi}. */
  readonly calls: RemoteCalls;
  readonly onDidChangeConnection = this.emitters.onDidChangeConnection.event;
  readonly onDidChangePublished = this.emitters.onDidChangePublished.event;
  readonly onDidChangeNetwork = this.emitters.onDidChangeNetwork.event;
  readonly onDidChangeTransfers = this.emitters.onDidChangeTransfers.event;
  readonly onDidChangeReachability = this.emitters.onDidChangeReachability.event;
  readonly onDidNotice = this.emitters.onDidNotice.event;
  readonly onDidChangeFoundSessions = this.emitters.onDidChangeFoundSessions.event;

  constructor(
    private readonly port: PortLike,
    private readonly log: LogSink,
  ) {
    super();
    this.calls = Object.fromEntries(
      (Object.keys(METHODS) as PeerMethod[]).map((method) => [
        method,
        (request?: unknown, options?: FetchOptions) => this.call(method, request, options),
      ]),
    ) as unknown as RemoteCalls;
    const onMessage = (message: FromEngine): void => this.receive(message);
    port.on('message', onMessage);
    this.register(toDisposable(() => port.off('message', onMessage)));
  }

  /** The engine is gone: nothing that is pending or called later can be answered. */
  fail(cause: unknown): void {
    this.ended ??= new PeershelfError('ENGINE_STOPPED', 'the engine has stopped', { cause });
    for (const call of this.pending.values()) call.reject(this.ended);
    this.pending.clear();
  }

  override dispose(): void {
    this.fail('disposed');
    super.dispose();
  }

  private call(method: PeerMethod, request: unknown, options: FetchOptions = {}): Promise<unknown> {
    const { signal, onProgress } = options;
    if (this.ended !== undefined) return Promise.reject(this.ended);
    if (signal?.aborted === true)
      return Promise.reject(new PeershelfError('CANCELLED', 'cancelled'));
    const id = this.nextId++;
    // The engine answers a cancelled call too, with CANCELLED, when it has cleaned up behind it.
    const onAbort = (): void => this.post({ type: 'cancel', id });
    signal?.addEventListener('abort', onAbort, { once: true });
    return new Promise<unknown>((resolve, reject) => {
      this.pending.set(id, { resolve, reject, onProgress });
      this.post({ type: 'call', id, method, request });
    }).finally(() => signal?.removeEventListener('abort', onAbort));
  }

  private post(message: ToEngine): void {
    this.port.postMessage(message);
  }

  private receive(message: FromEngine): void {
    switch (message.type) {
      case 'log':
        this.log(message.level, message.tag, message.message);
        return;
      case 'event':
        (this.emitters[message.event] as Emitter<unknown>).fire(message.value);
        return;
      case 'progress':
        this.pending.get(message.id)?.onProgress?.(message.value as never);
        return;
      case 'result':
        this.settle(message.id)?.resolve(message.value);
        return;
      case 'error':
        this.settle(message.id)?.reject(fromPlainError(message.error));
    }
  }

  private settle(id: number): PendingCall | undefined {
    const call = this.pending.get(id);
    this.pending.delete(id);
    return call;
  }
}
