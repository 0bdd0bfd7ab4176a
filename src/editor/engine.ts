import { Worker } from 'node:worker_threads';
import { delay, systemClock } from '../common/clock';
import { DisposableBase, DisposableStore } from '../common/disposable';
import { describeError, PeershelfError } from '../common/errors';
import { Emitter, type Event } from '../common/events';
import type { LogSink } from '../common/logger';
import { type EngineApi, EngineClient } from '../peer/enginePort';
import type { EngineOptions, Notice, PeerSnapshot } from '../peer/peerApi';
import type { FoundSession } from '../protocol/announcement';

/** `deactivate` has five seconds; the goodbye to the tracker takes one at most. */
const STOP_DEADLINE_MS = 3_000;

/** What the engine has told last; `serving` is no event of its own. */
export interface EngineState extends Omit<PeerSnapshot, 'serving'> {
  /** Found in the network, while they are looked for; text of others. */
  readonly foundSessions: readonly FoundSession[];
}

/**
 * Far more than an engine needs at the limits of its index. V8 lets garbage grow with what it is allowed
 * in all, which by default is a share of the machine's memory; and the host is shared with others.
 */
const MEMORY = { maxOldGenerationSizeMb: 1_024, maxYoungGenerationSizeMb: 16 };

const NOTHING: EngineState = {
  connection: { kind: 'disconnected' },
  reachability: { kind: 'unknown' },
  published: [],
  network: { peers: 0, files: 0, refreshedAtMs: undefined },
  transfers: [],
  foundSessions: [],
};

export interface EngineDependencies {
  /** Path of the engine's bundle. */
  readonly bundle: string;
  readonly options: () => EngineOptions;
  readonly log: LogSink;
}

interface RunningEngine {
  readonly worker: Worker;
  readonly client: EngineClient;
  readonly lifetime: DisposableStore;
}

/**
 * The engine worker as the editor sees it: started by the first call, and again after it has ended
 * unexpectedly. Keeps the last state that it told, so that views always have something to show.
 */
export class Engine extends DisposableBase {
  private running: RunningEngine | undefined;
  private stopped = false;
  private current: EngineState = NOTHING;
  private readonly changeEmitter = this.register(new Emitter<keyof EngineState>());
  private readonly noticeEmitter = this.register(new Emitter<Notice>());
  private readonly crashEmitter = this.register(new Emitter<unknown>());

  /** Fires with the part of the state that changed. */
  readonly onDidChange: Event<keyof EngineState> = this.changeEmitter.event;
  /** The engine did something by itself. */
  readonly onDidNotice: Event<Notice> = this.noticeEmitter.event;
  /** The worker ended although nobody asked it to. */
  readonly onDidCrash: Event<unknown> = this.crashEmitter.event;

  constructor(private readonly dependencies: EngineDependencies) {
    super();
  }

  get state(): EngineState {
    return this.current;
  }

  /** Whether a worker runs: nothing needs to be asked of one that does not. */
  get isRunning(): boolean {
    return this.running !== undefined;
  }

  /** The engine's calls; starts it if needed. @throws ENGINE_STOPPED after `stop`. */
  get calls(): Omit<EngineApi, 'stop'> {
    // A command that still runs while the window closes must not leave a worker behind.
    if (this.stopped) throw new PeershelfError('ENGINE_STOPPED', 'the engine was stopped for good');
    this.running ??= this.start();
    return this.running.client.calls;
  }

  /** Ends the worker for good. */
  async stop(): Promise<void> {
    this.stopped = true;
    await this.end();
  }

  /** Ends the worker; the next call starts one with the options as they are then. */
  async restart(): Promise<void> {
    await this.end();
    this.forget();
  }

  /** Gently, and by force after a deadline. */
  private async end(): Promise<void> {
    const { running } = this;
    this.running = undefined;
    if (running === undefined) return;
    const stopping = running.client.calls.stop().catch((error: unknown) => {
      this.dependencies.log('warn', 'engine', `stop: ${describeError(error)}`);
    });
    await Promise.race([stopping, delay(systemClock, STOP_DEADLINE_MS)]);
    running.lifetime.dispose();
    await running.worker.terminate();
  }

  private start(): RunningEngine {
    const { bundle, options, log } = this.dependencies;
    const worker = new Worker(bundle, { workerData: options(), resourceLimits: MEMORY });
    const lifetime = new DisposableStore();
    const client = lifetime.add(new EngineClient(worker, log));
    const running = { worker, client, lifetime };
    worker.on('error', (error) => this.onEnded(running, error));
    worker.on('exit', (code) => this.onEnded(running, `exit code ${code}`));
    const set =
      <K extends keyof EngineState>(part: K) =>
      (value: EngineState[K]) =>
        this.set(part, value);
    lifetime.add(client.onDidChangeConnection(set('connection')));
    lifetime.add(client.onDidChangePublished(set('published')));
    lifetime.add(client.onDidChangeNetwork(set('network')));
    lifetime.add(client.onDidChangeTransfers(set('transfers')));
    lifetime.add(client.onDidChangeReachability(set('reachability')));
    lifetime.add(client.onDidChangeFoundSessions(set('foundSessions')));
    lifetime.add(client.onDidNotice((notice) => this.noticeEmitter.fire(notice)));
    return running;
  }

  private onEnded(ended: RunningEngine, cause: unknown): void {
    ended.client.fail(cause);
    if (this.running !== ended) return;
    this.running = undefined;
    ended.lifetime.dispose();
    this.dependencies.log('error', 'engine', `the engine ended: ${describeError(cause)}`);
    this.forget();
    this.crashEmitter.fire(cause);
  }

  private forget(): void {
    for (const part of Object.keys(NOTHING) as (keyof EngineState)[]) this.set(part, NOTHING[part]);
  }

  private set<K extends keyof EngineState>(part: K, value: EngineState[K]): void {
    this.current = { ...this.current, [part]: value };
    this.changeEmitter.fire(part);
  }
}
