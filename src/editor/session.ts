import { delay, systemClock } from '../common/clock';
import { DisposableBase, DisposableStore } from '../common/disposable';
import { fromPlainError, PeershelfError } from '../common/errors';
import { Emitter, type Event } from '../common/events';
import type { ConnectRequest, Transfer } from '../peer/peerApi';
import { setContext } from './contributions';
import type { Engine } from './engine';
import type { TeamTarget } from './invites';
import type { Keyring } from './keyring';
import type { Membership, SessionTarget } from './membership';

/** A tracker looks for a new token every second, and needs a moment to drop its connections. */
const RENEWAL_DEADLINE_MS = 8_000;
const RENEWAL_RETRY_MS = 300;
/** Nobody is kept waiting for longer by what the window does by itself. */
const SETTLING_DEADLINE_MS = 20_000;

export interface SessionDependencies {
  readonly engine: Engine;
  readonly membership: Membership;
  readonly keyring: Keyring;
}

/** The session that this window is in, and how it comes into another one and out of all. */
export class Session extends DisposableBase {
  /** Counts joins and leaves: only the last one holds. */
  private wishes = 0;
  /** Joins that have not ended: who called them hears of what goes wrong. */
  private joining = 0;
  /** The session to go back to when the next one cannot be joined. */
  private standing: SessionTarget | undefined;
  private renewal: Promise<void> = Promise.resolve();
  private comingBack: Promise<void> = Promise.resolve();
  /** The last join that a user has wished for. */
  private lastJoin: Promise<void> = Promise.resolve();
  private readonly endEmitter = this.register(new Emitter<PeershelfError>());

  private readonly changeEmitter = this.register(new Emitter<void>());

  /** The window came into a session or out of one, or its tracker is reached or not. */
  readonly onDidChange: Event<void> = this.changeEmitter.event;
  /** The session has ended for this window although nobody here wished for it. */
  readonly onDidEnd: Event<PeershelfError> = this.endEmitter.event;

  constructor(private readonly dependencies: SessionDependencies) {
    super();
    const { engine } = dependencies;
    this.register(
      engine.onDidChange((part) => {
        if (part === 'connection') this.onConnectionChanged();
      }),
    );
    this.register(engine.onDidCrash(() => (this.standing = undefined)));
    this.updateContext();
  }

  get isJoined(): boolean {
    return this.dependencies.engine.state.connection.kind !== 'disconnected';
  }

  /** Whether there is anything to leave: also a session that cannot be joined any more. */
  get belongs(): boolean {
    return this.isJoined || this.dependencies.membership.belongs;
  }

  get isConnected(): boolean {
    return this.dependencies.engine.state.connection.kind === 'connected';
  }

  /** The team whose session this window is in, be its tracker reached or not. */
  get team(): TeamTarget | undefined {
    const { standing } = this;
    return this.isJoined && standing !== undefined && 'team' in standing ? standing : undefined;
  }

  /**
   * Joins and remembers it. When the first attempt fails, the window is where it was before.
   * @throws TRACKER_UNREACHABLE and others; CANCELLED when another join or leave came later.
   */
  join(target: SessionTarget): Promise<void> {
    this.lastJoin = this.joinNow(target);
    return this.lastJoin;
  }

  private async joinNow(target: SessionTarget): Promise<void> {
    const wish = ++this.wishes;
    try {
      await this.connect(target, wish);
    } catch (error) {
      if (wish === this.wishes) await this.goBack(target, error);
      throw error;
    }
    if (wish !== this.wishes) throw new PeershelfError('CANCELLED', 'another wish came later');
    this.standing = target;
    this.updateContext();
    await this.dependencies.membership.remember(target);
    this.updateContext();
  }

  /** Rejoins the session that `recall` finds, if it finds one. */
  comeBack(recall: () => Promise<SessionTarget | undefined>): Promise<void> {
    const wish = this.wishes;
    const come = async (): Promise<void> => {
      const target = await recall();
      // Keys may be long in coming: what the user has wished for meanwhile holds.
      if (target !== undefined && wish === this.wishes) await this.rejoin(target);
    };
    this.comingBack = come();
    return this.comingBack;
  }

  /** Rejoins what is remembered; if the tracker is not there, attempts go on in the background. */
  async rejoin(target: SessionTarget): Promise<void> {
    const wish = ++this.wishes;
    this.standing = target;
    try {
      await this.connect(target, wish, true);
    } catch (error) {
      if (!PeershelfError.is(error, 'TRACKER_UNREACHABLE')) throw error;
    }
  }

  /**
   * Joins the session of this window again, with a new key. Until its tracker has heard of the new
   * token, it takes also who has made it for a stranger; when it hears of it, it drops who is about to
   * join.
   */
  async joinRenewed(target: TeamTarget): Promise<void> {
    // The old key leads nowhere any more.
    this.standing = undefined;
    const deadlineMs = systemClock.monotonic() + RENEWAL_DEADLINE_MS;
    for (;;) {
      try {
        await this.join(target);
        return;
      } catch (error) {
        const isTooEarly =
          PeershelfError.is(error, 'NOT_A_MEMBER') ||
          PeershelfError.is(error, 'TRACKER_UNREACHABLE');
        if (!isTooEarly || systemClock.monotonic() > deadlineMs) throw error;
      }
      await delay(systemClock, RENEWAL_RETRY_MS);
    }
  }

  /** How many files are offered. What was published in a session before is, as soon as it is joined. */
  async offered(): Promise<number> {
    const { published } = await this.dependencies.engine.calls.snapshot();
    return published.filter(({ state }) => state === 'offered').length;
  }

  /** Leaves the session, and forgets its invite. */
  async leave(): Promise<void> {
    const { membership } = this.dependencies;
    const left = this.team ?? membership.joinedBefore;
    await this.detach();
    if (left !== undefined && 'team' in left) await membership.forget(left.team);
  }

  /** Leaves the session, which can be rejoined. */
  async detach(): Promise<void> {
    const { engine, membership } = this.dependencies;
    this.wishes += 1;
    this.standing = undefined;
    await membership.leave();
    this.updateContext();
    if (engine.isRunning) await engine.calls.disconnect();
  }

  /**
   * Starts the engine anew when trust has been given: in Restricted Mode it keeps nothing published.
   * A transfer that has not ended is worth more; then the next start of the window does it.
   */
  renew(): Promise<void> {
    this.renewal = this.renewNow();
    return this.renewal;
  }

  /**
   * Resolves when the window has come as far as it comes by itself: into the session that it joins or
   * rejoins, connected to its tracker if that is wished for, or nowhere. Never rejects.
   */
  async settled(wish: 'joined' | 'connected'): Promise<void> {
    const isThere = (): boolean => (wish === 'joined' ? this.isJoined : this.isConnected);
    const waiting = new DisposableStore();
    const deadline = new Promise<void>((resolve) => {
      waiting.add(systemClock.after(SETTLING_DEADLINE_MS, resolve));
    });
    const arrival = new Promise<void>((resolve) => {
      waiting.add(this.onDidChange(() => isThere() && resolve()));
    });
    // A join that fails leads back to where the window was, or nowhere.
    await Promise.race([Promise.allSettled([this.renewal, this.lastJoin]), deadline]);
    if (!isThere()) await Promise.race([arrival, Promise.allSettled([this.comingBack]), deadline]);
    waiting.dispose();
  }

  private async renewNow(): Promise<void> {
    const { engine } = this.dependencies;
    const { standing } = this;
    const { connection, transfers } = engine.state;
    if (!engine.isRunning || transfers.some(isUnderWay)) return;
    await engine.restart();
    if (connection.kind !== 'disconnected' && standing !== undefined) await this.rejoin(standing);
  }

  /** @param isReturning whether the window comes back by itself, rather than by an invite just given. */
  private async connect(target: SessionTarget, wish: number, isReturning = false): Promise<void> {
    const { engine, keyring } = this.dependencies;
    this.joining += 1;
    try {
      const request: ConnectRequest =
        'tracker' in target
          ? { tracker: target.tracker }
          : {
              ...{ invite: target.invite, identity: await keyring.identity() },
              isReturning: isReturning || (await keyring.invite(target.team)) === target.invite,
            };
      if (wish !== this.wishes) throw new PeershelfError('CANCELLED', 'another wish came later');
      await engine.calls.connect(request);
    } finally {
      this.joining -= 1;
    }
  }

  private onConnectionChanged(): void {
    const { connection } = this.dependencies.engine.state;
    if (connection.kind === 'disconnected' && connection.error !== undefined && !this.joining) {
      this.standing = undefined;
      this.endEmitter.fire(fromPlainError(connection.error));
    }
    this.updateContext();
  }

  private updateContext(): void {
    setContext('connection', this.dependencies.engine.state.connection.kind);
    setContext('belongs', this.belongs);
    setContext('connected', this.isConnected);
    setContext('inTeam', this.team !== undefined);
    this.changeEmitter.fire();
  }

  /** After a failure: to the session before, which may take its time, or to none. */
  private async goBack(failed: SessionTarget, error: unknown): Promise<void> {
    const { standing } = this;
    // Of the same tracker the attempts go on by themselves, unless they are of no use.
    const isSame = JSON.stringify(standing) === JSON.stringify(failed);
    if (standing === undefined || (isSame && isForGood(error))) {
      this.standing = undefined;
      await this.dependencies.engine.calls.disconnect();
    } else if (!isSame) {
      this.comingBack = this.rejoin(standing);
      this.comingBack.catch(() => {
        // The state of the connection says it, and the log of the engine.
      });
    }
  }
}

/** Attempts to come into the session are of no use any more. */
function isForGood(error: unknown): boolean {
  return PeershelfError.is(error, 'INVITE_OUTDATED') || PeershelfError.is(error, 'MEMBER_REMOVED');
}

/** A restart would break it off, whether it runs at this moment or not. */
function isUnderWay({ state }: Transfer): boolean {
  return state === 'running' || state === 'waiting' || state === 'paused';
}
