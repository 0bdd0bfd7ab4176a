import { fork } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { every, systemClock } from '../common/clock';
import { DisposableBase, DisposableSlot } from '../common/disposable';
import { type ErrorCode, PeershelfError, systemCode } from '../common/errors';
import { processExists } from '../common/processExists';
import { Emitter } from '../common/events';
import type { Logger } from '../common/logger';
import type { HostPort } from '../protocol/address';

/** How often a window says that it still wants the tracker. */
const RENEW_INTERVAL_MS = 15_000;
/** The tracker ends this long after the last renewal. */
const LEASE_SECONDS = 60;
const START_DEADLINE_MS = 10_000;
/** The word in the lease file that ends the tracker at once. */
const STOP_WORD = 'stop';

/** What is kept of a tracker that was started here, for every window of this user. */
interface TrackerRecord extends HostPort {
  readonly pid: number;
}

type TrackerMessage =
  | ({ readonly type: 'ready' } & TrackerRecord)
  | { readonly type: 'failed'; readonly code: ErrorCode; readonly message: string };

export interface LocalTrackerDependencies {
  /** Path of the tracker's bundle. */
  readonly bundle: string;
  /** Folder for the record and the lease, common to all windows of this user. */
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
    return this.readRecord()?.port;
  }

  /** Keeps the recorded tracker alive from now on, if it is the one at `address`. */
  adopt(address: HostPort): void {
    const record = this.readRecord();
    if (record?.host !== address.host || record.port !== address.port) return;
    if (processExists(record.pid)) this.take(record);
  }

  /**
   * Starts an open tracker. Resolves when it listens.
   * @throws PORT_IN_USE and what else the tracker reports, TIMED_OUT.
   */
  async start(host: string, port: number): Promise<HostPort> {
    mkdirSync(this.dependencies.folder, { recursive: true });
    writeFileSync(this.leaseFile, '');
    const record = await this.fork(host, port);
    writeFileSync(this.recordFile, JSON.stringify(record));
    this.take(record);
    this.dependencies.logger.info(`local tracker on ${host} port ${record.port}`);
    return { host, port: record.port };
  }

  /** Ends the tracker, whichever window started it. */
  stop(): void {
    this.renewal.set(undefined);
    this.current = undefined;
    writeFileSync(this.leaseFile, STOP_WORD);
    this.changeEmitter.fire();
  }

  private get recordFile(): string {
    return join(this.dependencies.folder, 'record.json');
  }

  private get leaseFile(): string {
    return join(this.dependencies.folder, 'lease');
  }

  private take(record: TrackerRecord): void {
    this.current = record;
    this.renewal.set(every(systemClock, RENEW_INTERVAL_MS, () => this.renew()));
    this.renew();
    this.changeEmitter.fire();
  }

  /** Touches the lease without writing: another window may have written that the tracker shall end. */
  private renew(): void {
    const now = new Date();
    try {
      if (readFileSync(this.leaseFile, 'utf8') !== STOP_WORD) {
        utimesSync(this.leaseFile, now, now);
        return;
      }
    } catch (error) {
      this.dependencies.logger.warn(`the lease cannot be renewed: ${String(error)}`);
    }
    this.renewal.set(undefined);
    this.current = undefined;
    this.changeEmitter.fire();
  }

  private fork(host: string, port: number): Promise<TrackerRecord> {
    const args = [
      ...['--open', '--host', host, '--port', `${port}`],
      ...['--lease-file', this.leaseFile, '--lease-seconds', `${LEASE_SECONDS}`],
    ];
    const child = fork(this.dependencies.bundle, args, {
      detached: true,
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      // The flags of the extension host are not meant for a plain program.
      execArgv: [],
      env: { ...process.env, ELECTRON_RUN_AS_NODE: '1' },
    });
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
          resolve({ host: answer.host, port: answer.port, pid: answer.pid });
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

function isTrackerRecord(value: unknown): value is TrackerRecord {
  if (typeof value !== 'object' || value === null) return false;
  const { host, port, pid } = value as Partial<Record<keyof TrackerRecord, unknown>>;
  return typeof host === 'string' && Number.isInteger(port) && Number.isInteger(pid);
}
