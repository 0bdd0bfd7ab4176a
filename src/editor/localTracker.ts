import { type ForkOptions, fork, type SpawnOptions } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { delay, every, systemClock } from '../common/clock';
import { DisposableBase, DisposableSlot } from '../common/disposable';
import { type ErrorCode, PeershelfError, systemCode } from '../common/errors';
import { processExists } from '../common/processExists';
import { Emitter } from '../common/events';
import type { Logger } from '../common/logger';
import { type HostPort, isLoopback } from '../protocol/address';

/** How often a window says that it still wants the tracker. */
const RENEW_INTERVAL_MS = 15_000;
/** The tracker ends this long after the last renewal. */
const LEASE_SECONDS = 60;
const START_DEADLINE_MS = 10_000;
/** The tracker hears the word to stop within a second, and then tells its peers. */
const STOP_DEADLINE_MS = 5_000;
const STOP_POLL_MS = 50;
/** The word in the lease file that ends the tracker at once. */
const STOP_WORD = 'stop';

/** What is kept of a tracker that was started here, for every window of this user. */
interface TrackerRecord extends HostPort {
  readonly pid: number;
  /** Name of the lease file: each tracker has its own, so that one word never ends another. */
  readonly lease: string;
}

type TrackerMessage =
  | ({ readonly type: 'ready' } & Omit<TrackerRecord, 'lease'>)
  | { readonly type: 'failed'; readonly code: ErrorCode; readonly message: string };

export interface LocalTrackerDependencies {
  /** Path of the tracker's bundle. */
  readonly bundle: string;
  /** Folder for the record and the leases, common to all windows of this user. */
  readonly folder: string;
  readonly logger: Logger;
}

/**
 * The tracker that this computer runs: a process of its own, so that a busy editor does not slow it
 * and a reload does not end it. It lives as long as some window renews its lease, and a minute more;
 * a window that reloads adopts it again by renewing.
 */
export class LocalTracker extends DisposableBase {
  private readonly renewal = this.register(new DisposableSlot());
  private readonly changeEmitter = this.register(new Emitter<void>());
  private current: TrackerRecord | undefined;

  /** Fires when this window takes up or gives up a tracker. */
  readonly onDidChange = this.changeEmitter.event;

  constructor(private readonly dependencies: LocalTrackerDependencies) {
    super();
  }

  /** The tracker whose lease this window renews. */
  get adopted(): HostPort | undefined {
    return this.current;
  }

  /** A tracker that some window of this user started and that seems to run still. */
  get recorded(): HostPort | undefined {
    const record = this.readRecord();
    return record !== undefined && processExists(record.pid) ? record : undefined;
  }

  /** The port of the last tracker, running or not: a session stays where it was. */
  get lastPort(): number | undefined {
    try {
      const port = Number.parseInt(readFileSync(this.portFile, 'utf8'), 10);
      return Number.isInteger(port) ? port : undefined;
    } catch {
      return undefined;
    }
  }

  /** Keeps the recorded tracker alive from now on, if it is the one at `address`. */
  adopt(address: HostPort): void {
    const record = this.readRecord();
    if (record?.port !== address.port || !isSameHost(record.host, address.host)) return;
    if (processExists(record.pid)) this.take(record);
  }

  /**
   * Starts an open tracker. Resolves when it listens.
   * @throws PORT_IN_USE and what else the tracker reports, TIMED_OUT.
   */
  async start(host: string, port: number): Promise<HostPort> {
    mkdirSync(this.dependencies.folder, { recursive: true });
    const previous = this.readRecord();
    const record = await this.startWithLease(host, port, `lease-${randomUUID()}`);
    writeFileSync(this.recordFile, JSON.stringify(record));
    writeFileSync(this.portFile, `${record.port}`);
    if (previous !== undefined && !processExists(previous.pid)) this.removeLease(previous);
    this.take(record);
    this.dependencies.logger.info(`local tracker on ${host} port ${record.port}`);
    return { host, port: record.port };
  }

  /** Ends the tracker, whichever window started it. Resolves when it is gone, or after a deadline. */
  async stop(): Promise<void> {
    const record = this.current ?? this.readRecord();
    this.giveUp();
    if (record === undefined) return;
    writeFileSync(this.leaseFile(record), STOP_WORD);
    const deadlineMs = systemClock.monotonic() + STOP_DEADLINE_MS;
    while (processExists(record.pid) && systemClock.monotonic() < deadlineMs)
      await delay(systemClock, STOP_POLL_MS);
    // A tracker that hangs shall still find the word when it goes on; another may have its number.
    if (!processExists(record.pid)) this.removeLease(record);
    // Another window may have started a new one in the meantime.
    if (this.readRecord()?.lease === record.lease) rmSync(this.recordFile, { force: true });
  }

  private get recordFile(): string {
    return join(this.dependencies.folder, 'record.json');
  }

  /** Apart from the record, which goes when the tracker is stopped. */
  private get portFile(): string {
    return join(this.dependencies.folder, 'port');
  }

  private leaseFile({ lease }: Pick<TrackerRecord, 'lease'>): string {
    return join(this.dependencies.folder, lease);
  }

  private removeLease(record: Pick<TrackerRecord, 'lease'>): void {
    rmSync(this.leaseFile(record), { force: true });
  }

  private async startWithLease(host: string, port: number, lease: string): Promise<TrackerRecord> {
    writeFileSync(this.leaseFile({ lease }), '');
    try {
      return await this.fork(host, port, lease);
    } catch (error) {
      this.removeLease({ lease });
      throw error;
    }
  }

  private take(record: TrackerRecord): void {
    this.current = record;
    this.renewal.set(every(systemClock, RENEW_INTERVAL_MS, () => this.renew(record)));
    this.renew(record);
    this.changeEmitter.fire();
  }

  /** Touches the lease without writing: another window may have written that the tracker shall end. */
  private renew(record: TrackerRecord): void {
    const now = new Date();
    const file = this.leaseFile(record);
    try {
      if (readFileSync(file, 'utf8') !== STOP_WORD) {
        utimesSync(file, now, now);
        return;
      }
    } catch (error) {
      // The window that stopped the tracker has removed it already.
      this.dependencies.logger.info(`the lease cannot be renewed: ${String(error)}`);
    }
    this.giveUp();
  }

  private giveUp(): void {
    this.renewal.set(undefined);
    this.current = undefined;
    this.changeEmitter.fire();
  }

  private fork(host: string, port: number, lease: string): Promise<TrackerRecord> {
    const args = [
      ...['--open', '--host', host, '--port', `${port}`],
      ...['--lease-file', this.leaseFile({ lease }), '--lease-seconds', `${LEASE_SECONDS}`],
    ];
    // `fork` hands on all that `spawn` takes; its type does not say so.
    const options: ForkOptions & Pick<SpawnOptions, 'windowsHide'> = {
      detached: true,
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      // The flags of the extension host are not meant for a plain program.
      execArgv: [],
      env: { ...process.env, ELECTRON_RUN_AS_NODE: '1' },
      windowsHide: true,
    };
    const child = fork(this.dependencies.bundle, args, options);
    return new Promise((resolve, reject) => {
      const fail = (code: ErrorCode, message: string, cause?: unknown): void => {
        settle();
        child.kill();
        reject(new PeershelfError(code, message, { cause, details: { port, first: port } }));
      };
      const deadline = systemClock.after(START_DEADLINE_MS, () =>
        fail('TIMED_OUT', 'the tracker did not start in time'),
      );
      const onError = (cause: Error): void => fail('INTERNAL', 'the tracker did not start', cause);
      const onExit = (code: number | null): void =>
        fail('INTERNAL', `the tracker ended with ${code ?? 'a signal'}`);
      const onMessage = (message: unknown): void => {
        const answer = message as TrackerMessage;
        if (answer.type === 'failed') fail(answer.code, answer.message);
        else {
          settle();
          resolve({ host: answer.host, port: answer.port, pid: answer.pid, lease });
        }
      };
      const settle = (): void => {
        deadline.dispose();
        child.off('error', onError).off('exit', onExit).off('message', onMessage);
        child.on('error', () => undefined);
        if (child.connected) child.disconnect();
        child.unref();
      };
      child.on('error', onError).on('exit', onExit).on('message', onMessage);
    });
  }

  private readRecord(): TrackerRecord | undefined {
    try {
      const record: unknown = JSON.parse(readFileSync(this.recordFile, 'utf8'));
      return isTrackerRecord(record) ? record : undefined;
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return undefined;
      this.dependencies.logger.warn(`the tracker's record is damaged: ${String(error)}`);
      rmSync(this.recordFile, { force: true });
      return undefined;
    }
  }
}

/** Whether both mean the same place, seen from this computer. */
function isSameHost(one: string, other: string): boolean {
  return one === other || (isLoopback(one) && isLoopback(other));
}

function isTrackerRecord(value: unknown): value is TrackerRecord {
  if (typeof value !== 'object' || value === null) return false;
  const { host, port, pid, lease } = value as Partial<Record<keyof TrackerRecord, unknown>>;
  if (typeof host !== 'string' || !Number.isInteger(port) || !Number.isInteger(pid)) return false;
  return typeof lease === 'string' && /^lease-[\w-]+$/u.test(lease);
}
