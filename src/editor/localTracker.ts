import { type ForkOptions, fork, type SpawnOptions } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync, rmSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { delay, every, systemClock } from '../common/clock';
import { DisposableBase, DisposableSlot } from '../common/disposable';
import { type ErrorCode, PeershelfError, systemCode } from '../common/errors';
import { writeJsonFile } from '../common/jsonFile';
import { makePrivateFolder, writePrivateFile } from '../common/privateFiles';
import { processExists } from '../common/processExists';
import { Emitter } from '../common/events';
import type { Logger } from '../common/logger';
import type { HostPort } from '../protocol/address';
import { isTeamId } from '../protocol/teamKeys';

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

/** A tracker that runs on this computer, and whose session it is. */
export interface RunningTracker extends HostPort {
  /** Id of the team. */
  readonly team: string;
}

/** What is kept of a tracker that was started here, for every window of this user. Nothing is secret. */
interface TrackerRecord extends RunningTracker {
  readonly pid: number;
  /** Name of the lease file: each tracker has its own, so that one word never ends another. */
  readonly lease: string;
}

type TrackerMessage =
  | ({ readonly type: 'ready'; readonly pid: number } & HostPort)
  | { readonly type: 'failed'; readonly code: ErrorCode; readonly message: string };

/** How a tracker is started. */
export interface TrackerStart extends RunningTracker {
  /** What makes it the tracker of the team: secret, and nothing of the team's own keys. */
  readonly verifier: string;
}

/** What a forked process is started with. */
type Fork = TrackerStart & Pick<TrackerRecord, 'lease'>;

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
  get adopted(): RunningTracker | undefined {
    return this.current;
  }

  /** A tracker that some window of this user started and that seems to run still. */
  get recorded(): RunningTracker | undefined {
    const record = this.readRecord();
    return record !== undefined && processExists(record.pid) ? record : undefined;
  }

  /** The last tracker, running or not: a session stays what it was, and where. */
  get last(): RunningTracker | undefined {
    return this.read(this.lastFile);
  }

  /** Keeps the recorded tracker alive from now on, if it is the one of this team. */
  adopt(team: string): void {
    const record = this.readRecord();
    if (record?.team !== team) return;
    if (record.lease === this.current?.lease) this.renew(record);
    else if (processExists(record.pid)) this.take(record);
  }

  /**
   * Starts the tracker of a team. Resolves when it listens.
   * @throws PORT_IN_USE and what else the tracker reports, TIMED_OUT.
   */
  async start(start: TrackerStart): Promise<HostPort> {
    makePrivateFolder(this.dependencies.folder);
    const previous = this.readRecord();
    const record = await this.startWithLease({ ...start, lease: `lease-${randomUUID()}` });
    const { host, team } = start;
    const { port } = record;
    // Whole or not at all: another window that read a part of it would put it aside as damaged.
    writeJsonFile(this.recordFile, record);
    writeJsonFile(this.lastFile, { host, port, team });
    if (previous !== undefined && !processExists(previous.pid)) this.removeLease(previous);
    this.take(record);
    this.dependencies.logger.info(`local tracker on ${host} port ${port}`);
    return { host, port };
  }

  /** Ends the tracker, whichever window started it. Resolves when it is gone, or after a deadline. */
  async stop(): Promise<void> {
    const record = this.current ?? this.readRecord();
    this.giveUp();
    if (record === undefined) return;
    writePrivateFile(this.leaseFile(record), STOP_WORD);
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
  private get lastFile(): string {
    return join(this.dependencies.folder, 'last.json');
  }

  private leaseFile({ lease }: Pick<TrackerRecord, 'lease'>): string {
    return join(this.dependencies.folder, lease);
  }

  private removeLease(record: Pick<TrackerRecord, 'lease'>): void {
    rmSync(this.leaseFile(record), { force: true });
  }

  private async startWithLease(start: Fork): Promise<TrackerRecord> {
    // Whoever writes it says who is a member.
    writePrivateFile(this.leaseFile(start), '');
    try {
      return await this.fork(start);
    } catch (error) {
      this.removeLease(start);
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
      if (!this.isStopped(record)) {
        utimesSync(file, now, now);
        return;
      }
    } catch (error) {
      // The window that stopped the tracker has removed it already.
      this.dependencies.logger.info(`the lease cannot be renewed: ${String(error)}`);
    }
    this.giveUp();
  }

  private isStopped(record: TrackerRecord): boolean {
    return readFileSync(this.leaseFile(record), 'utf8') === STOP_WORD;
  }

  private giveUp(): void {
    this.renewal.set(undefined);
    this.current = undefined;
    this.changeEmitter.fire();
  }

  private fork({ host, port, team, verifier, lease }: Fork): Promise<TrackerRecord> {
    const { folder } = this.dependencies;
    const args = [
      ...['--host', host, '--port', `${port}`, '--verifier-file', '-'],
      ...['--state-folder', folder],
      ...['--lease-file', this.leaseFile({ lease }), '--lease-seconds', `${LEASE_SECONDS}`],
    ];
    // `fork` hands on all that `spawn` takes; its type does not say so.
    const options: ForkOptions & Pick<SpawnOptions, 'windowsHide'> = {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore', 'ipc'],
      // The flags of the extension host are not meant for a plain program.
      execArgv: [],
      env: { ...process.env, ELECTRON_RUN_AS_NODE: '1' },
      windowsHide: true,
    };
    const child = fork(this.dependencies.bundle, args, options);
    // By its input, where no list of processes shows it. Whether it came through is seen below.
    child.stdin?.on('error', () => undefined).end(verifier);
    return new Promise((resolve, reject) => {
      const details = { port, first: port, argument: `${host}:${port}`, isLocal: true };
      const fail = (code: ErrorCode, message: string, cause?: unknown): void => {
        settle();
        child.kill();
        reject(new PeershelfError(code, message, { cause, details }));
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
          const { port: actual, pid } = answer;
          resolve({ host, port: actual, pid, team, lease });
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
    const running = this.read(this.recordFile);
    return running !== undefined && isTrackerRecord(running) ? running : undefined;
  }

  private read(file: string): RunningTracker | undefined {
    try {
      const value: unknown = JSON.parse(readFileSync(file, 'utf8'));
      return isRunningTracker(value) ? value : undefined;
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return undefined;
      this.dependencies.logger.warn(`${file} is damaged: ${String(error)}`);
      rmSync(file, { force: true });
      return undefined;
    }
  }
}

function isRunningTracker(value: unknown): value is RunningTracker {
  if (typeof value !== 'object' || value === null) return false;
  const { host, port, team } = value as Partial<Record<keyof RunningTracker, unknown>>;
  return typeof host === 'string' && Number.isInteger(port) && isTeamId(String(team));
}

function isTrackerRecord(value: RunningTracker): value is TrackerRecord {
  const { pid, lease } = value as Partial<Record<keyof TrackerRecord, unknown>>;
  return Number.isInteger(pid) && typeof lease === 'string' && /^lease-[\w-]+$/u.test(lease);
}
