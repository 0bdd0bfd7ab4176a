import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { onAbort } from '../../common/abort';
import type { Clock } from '../../common/clock';
import { deferred } from '../../common/deferred';
import { DisposableSlot } from '../../common/disposable';
import { fromPlainError, PeershelfError } from '../../common/errors';
import type {
  FromHashWorker,
  HashResults,
  HashTask,
  StoreBlock,
  StoreFiles,
  ToHashWorker,
} from './hashTasks';

/** More would only wait for the disk. */
const MAX_WORKERS = 4;
/** Tasks at a worker at the same time: the second one is there when the first is done. */
const TASKS_PER_WORKER = 2;
/** Tasks that wait for a worker. */
const MAX_WAITING = 100_000;
/** Idle workers go: each takes some megabytes. */
const IDLE_MS = 30_000;

/** Hashes are garbage as soon as they are joined; without this it grows to 32 MB a thread. */
const MAX_YOUNG_MEGABYTES = 4;

interface Job {
  readonly task: HashTask;
  /** The pool does not know which result belongs to which task; `run` does. */
  readonly resolve: (result: never) => void;
  readonly reject: (error: unknown) => void;
}

interface Member {
  readonly worker: Worker;
  readonly running: Map<number, Job>;
}

export interface HashPoolOptions {
  /** Bundle of the hash worker. */
  readonly bundle: string;
  readonly clock: Clock;
  readonly workers?: number;
}

/**
 * Threads that hash and write, beside the engine. They start when there is work and end when there
 * has been none for a while. Received blocks go before files that are to be published, as a
 * publisher's connection waits behind them.
 */
export class HashPool {
  private readonly members = new Set<Member>();
  private readonly urgent: Job[] = [];
  private readonly ordinary: Job[] = [];
  private readonly idle = new DisposableSlot();
  private nextId = 0;
  private stopped = false;

  constructor(private readonly options: HashPoolOptions) {}

  /** Threads that work at the same time. */
  get size(): number {
    return this.options.workers ?? Math.min(MAX_WORKERS, availableParallelism());
  }

  /**
   * Runs one task; aborting takes it out while it waits for a thread.
   * @throws what the worker threw, CANCELLED, ENGINE_STOPPED, INTERNAL when a thread has died.
   */
  run<T extends HashTask>(task: T, signal?: AbortSignal): Promise<HashResults[T['kind']]> {
    if (this.stopped) return Promise.reject(stopped());
    const queue = isReceived(task) ? this.urgent : this.ordinary;
    if (queue.length >= MAX_WAITING)
      return Promise.reject(new PeershelfError('LIMIT_EXCEEDED', 'too many files are waiting'));
    const result = deferred<HashResults[T['kind']]>();
    const job: Job = { task, resolve: result.resolve, reject: result.reject };
    queue.push(job);
    const abort = onAbort(signal, () => {
      const index = queue.indexOf(job);
      if (index === -1) return; // It runs; it is short.
      queue.splice(index, 1);
      job.reject(new PeershelfError('CANCELLED', 'cancelled'));
    });
    this.dispatch();
    return result.promise.finally(() => abort.dispose());
  }

  /** Ends all threads. What is under way is rejected. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.idle.dispose();
    const members = [...this.members];
    for (const job of [...this.urgent.splice(0), ...this.ordinary.splice(0)]) job.reject(stopped());
    for (const member of members) this.drop(member, stopped());
    await Promise.all(members.map(({ worker }) => worker.terminate()));
  }

  private dispatch(): void {
    for (let job = this.next(); job !== undefined; job = this.next()) {
      const member = this.freeMember();
      if (member === undefined) return;
      this.waitingQueue().shift();
      this.give(member, job);
    }
    const isIdle = [...this.members].every(({ running }) => running.size === 0);
    this.idle.set(isIdle ? this.options.clock.after(IDLE_MS, () => this.rest()) : undefined);
  }

  private waitingQueue(): Job[] {
    return this.urgent.length > 0 ? this.urgent : this.ordinary;
  }

  private next(): Job | undefined {
    return this.waitingQueue()[0];
  }

  /** The member with the least to do, a new one if that is better; undefined when all are busy. */
  private freeMember(): Member | undefined {
    const [best] = [...this.members].sort((a, b) => a.running.size - b.running.size);
    if (best?.running.size === 0) return best;
    if (this.members.size < this.size) return this.start();
    return best !== undefined && best.running.size < TASKS_PER_WORKER ? best : undefined;
  }

  private start(): Member {
    const worker = new Worker(this.options.bundle, {
      resourceLimits: { maxYoungGenerationSizeMb: MAX_YOUNG_MEGABYTES },
    });
    worker.unref();
    const member: Member = { worker, running: new Map() };
    this.members.add(member);
    worker.on('message', (message: FromHashWorker) => this.settle(member, message));
    worker.on('error', (cause) => this.drop(member, died(cause)));
    worker.on('exit', () => this.drop(member, died('exit')));
    return member;
  }

  private give(member: Member, job: Job): void {
    const id = this.nextId++;
    member.running.set(id, job);
    member.worker.ref(); // Work keeps the process alive, an idle thread does not.
    const handedOver = isReceived(job.task) ? [job.task.memory] : [];
    member.worker.postMessage({ id, task: job.task } satisfies ToHashWorker, handedOver);
  }

  private settle(member: Member, message: FromHashWorker): void {
    const job = member.running.get(message.id);
    member.running.delete(message.id);
    if (member.running.size === 0) member.worker.unref();
    if ('error' in message) job?.reject(fromPlainError(message.error));
    else job?.resolve(message.result as never);
    this.dispatch();
  }

  private drop(member: Member, error: PeershelfError): void {
    if (!this.members.delete(member)) return;
    for (const job of member.running.values()) job.reject(error);
    member.running.clear();
    if (!this.stopped) this.dispatch();
  }

  private rest(): void {
    for (const member of this.members) {
      this.members.delete(member);
      void member.worker.terminate();
    }
  }
}

/** Somebody's connection waits for it. */
function isReceived(task: HashTask): task is StoreBlock | StoreFiles {
  return task.kind === 'store' || task.kind === 'files';
}

function stopped(): PeershelfError {
  return new PeershelfError('ENGINE_STOPPED', 'the engine has been stopped');
}

function died(cause: unknown): PeershelfError {
  return new PeershelfError('INTERNAL', 'a hash worker has died', { cause });
}
