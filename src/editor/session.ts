import * as vscode from 'vscode';
import { DisposableBase } from '../common/disposable';
import { PeershelfError } from '../common/errors';
import type { Transfer } from '../peer/peerApi';
import { formatHostPort, type HostPort, parseHostPort } from '../protocol/address';
import { DEFAULT_TRACKER_PORT } from '../protocol/limits';
import { readSetting, setContext } from './contributions';
import type { Engine } from './engine';

const MEMBERSHIP_KEY = 'session';

/** What this workspace remembers: the tracker it joined, or that it left on purpose. */
type Membership = { readonly tracker: HostPort } | { readonly left: true };

/** Membership of this workspace in a session, remembered over restarts. */
export class Session extends DisposableBase {
  /** Counts joins and leaves: only the last one holds. */
  private wishes = 0;
  /** The session to go back to when the next one cannot be joined. */
  private standing: HostPort | undefined;
  private renewal: Promise<void> = Promise.resolve();

  constructor(
    private readonly engine: Engine,
    private readonly memento: vscode.Memento,
  ) {
    super();
    this.register(
      engine.onDidChange((part) => {
        if (part === 'connection') this.updateContext();
      }),
    );
    this.register(engine.onDidCrash(() => (this.standing = undefined)));
    this.updateContext();
  }

  get isJoined(): boolean {
    return this.engine.state.connection.kind !== 'disconnected';
  }

  get isConnected(): boolean {
    return this.engine.state.connection.kind === 'connected';
  }

  /** Whether this window is in the session of that tracker, be it reached or not. */
  isAt(tracker: HostPort): boolean {
    const { connection } = this.engine.state;
    return connection.kind !== 'disconnected' && isSame(connection.tracker, tracker);
  }

  /** The tracker that this workspace has joined itself, whatever the settings say. */
  get joinedBefore(): HostPort | undefined {
    const membership = this.memento.get<Membership>(MEMBERSHIP_KEY);
    return membership !== undefined && 'tracker' in membership ? membership.tracker : undefined;
  }

  /** The tracker that this workspace belongs to, or undefined. A workspace cannot choose it. */
  get remembered(): HostPort | undefined {
    const membership = this.memento.get<Membership>(MEMBERSHIP_KEY);
    if (membership !== undefined) return 'tracker' in membership ? membership.tracker : undefined;
    const address = readSetting('tracker').trim();
    return address === '' ? undefined : parseHostPort(address, DEFAULT_TRACKER_PORT);
  }

  /** The tracker to rejoin without being asked, or undefined. Never in Restricted Mode. */
  get automatic(): HostPort | undefined {
    if (!vscode.workspace.isTrusted || !readSetting('autoConnect')) return undefined;
    return this.remembered;
  }

  /**
   * Joins and remembers it. When the first attempt fails, the window is where it was before.
   * @throws TRACKER_UNREACHABLE and others; CANCELLED when another join or leave came later.
   */
  async join(tracker: HostPort): Promise<void> {
    const wish = ++this.wishes;
    try {
      await this.engine.calls.connect({ tracker });
    } catch (error) {
      if (wish === this.wishes) await this.goBack(tracker);
      throw error;
    }
    if (wish !== this.wishes) throw new PeershelfError('CANCELLED', 'another wish came later');
    this.standing = tracker;
    await this.memento.update(MEMBERSHIP_KEY, { tracker } satisfies Membership);
  }

  /** Rejoins what is remembered; if the tracker is not there, attempts go on in the background. */
  async rejoin(tracker: HostPort): Promise<void> {
    this.wishes += 1;
    this.standing = tracker;
    try {
      await this.engine.calls.connect({ tracker });
    } catch (error) {
      if (!PeershelfError.is(error, 'TRACKER_UNREACHABLE')) throw error;
    }
  }

  async leave(): Promise<void> {
    this.wishes += 1;
    this.standing = undefined;
    await this.memento.update(MEMBERSHIP_KEY, { left: true } satisfies Membership);
    if (this.engine.isRunning) await this.engine.calls.disconnect();
  }

  /**
   * Starts the engine anew when trust has been given: in Restricted Mode it keeps nothing published.
   * A transfer that has not ended is worth more; then the next start of the window does it.
   */
  renew(): Promise<void> {
    this.renewal = this.renewNow();
    return this.renewal;
  }

  /** Resolves when the session is what it will be after trust has been given. Never rejects. */
  async settled(): Promise<void> {
    await Promise.allSettled([this.renewal]);
  }

  private async renewNow(): Promise<void> {
    const { connection, transfers } = this.engine.state;
    if (!this.engine.isRunning || transfers.some(isUnderWay)) return;
    await this.engine.restart();
    if (connection.kind !== 'disconnected') await this.rejoin(connection.tracker);
  }

  private updateContext(): void {
    setContext('connection', this.engine.state.connection.kind);
    setContext('connected', this.isConnected);
  }

  /** After a failure: to the session before, which may take its time, or to none. */
  private async goBack(failed: HostPort): Promise<void> {
    const { standing } = this;
    if (standing === undefined) await this.engine.calls.disconnect();
    // Of the same tracker the attempts go on by themselves.
    else if (!isSame(standing, failed))
      this.rejoin(standing).catch(() => {
        // The state of the connection says it, and the log of the engine.
      });
  }

  /** As the user would write it. */
  get addressText(): string {
    const { connection } = this.engine.state;
    return connection.kind === 'disconnected' ? '' : formatHostPort(connection.tracker);
  }
}

/** A restart would break it off, whether it runs at this moment or not. */
function isUnderWay({ state }: Transfer): boolean {
  return state === 'running' || state === 'waiting' || state === 'paused';
}

function isSame(one: HostPort, other: HostPort): boolean {
  return formatHostPort(one) === formatHostPort(other);
}
