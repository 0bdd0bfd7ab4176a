import * as vscode from 'vscode';
import { DisposableBase } from '../common/disposable';
import { PeershelfError } from '../common/errors';
import { formatHostPort, type HostPort, parseHostPort } from '../protocol/address';
import { DEFAULT_TRACKER_PORT } from '../protocol/limits';
import { readSetting, setContext } from './contributions';
import type { Engine } from './engine';

const MEMBERSHIP_KEY = 'session';

/** What this workspace remembers: the tracker it joined, or that it left on purpose. */
type Membership = { readonly tracker: HostPort } | { readonly left: true };

/** Membership of this workspace in a session, remembered over restarts. */
export class Session extends DisposableBase {
  constructor(
    private readonly engine: Engine,
    private readonly memento: vscode.Memento,
  ) {
    super();
    this.register(
      engine.onDidChange((part) => {
        if (part === 'connection') setContext('connection', engine.state.connection.kind);
      }),
    );
    setContext('connection', engine.state.connection.kind);
  }

  get isJoined(): boolean {
    return this.engine.state.connection.kind !== 'disconnected';
  }

  get isConnected(): boolean {
    return this.engine.state.connection.kind === 'connected';
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
   * Joins and remembers it. When the first attempt fails, the window is in no session again.
   * @throws TRACKER_UNREACHABLE and others.
   */
  async join(tracker: HostPort): Promise<void> {
    try {
      await this.engine.calls.connect({ tracker });
    } catch (error) {
      await this.engine.calls.disconnect();
      throw error;
    }
    await this.memento.update(MEMBERSHIP_KEY, { tracker } satisfies Membership);
  }

  /** Rejoins what is remembered; if the tracker is not there, attempts go on in the background. */
  async rejoin(tracker: HostPort): Promise<void> {
    try {
      await this.engine.calls.connect({ tracker });
    } catch (error) {
      if (!PeershelfError.is(error, 'TRACKER_UNREACHABLE')) throw error;
    }
  }

  async leave(): Promise<void> {
    await this.memento.update(MEMBERSHIP_KEY, { left: true } satisfies Membership);
    if (this.engine.isRunning) await this.engine.calls.disconnect();
  }

  /** As the user would write it. */
  get addressText(): string {
    const { connection } = this.engine.state;
    return connection.kind === 'disconnected' ? '' : formatHostPort(connection.tracker);
  }
}
