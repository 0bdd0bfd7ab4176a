import { every, systemClock } from '../common/clock';
import { DisposableBase } from '../common/disposable';
import { describeError, PeershelfError } from '../common/errors';
import type { Logger } from '../common/logger';
import { Turns } from '../common/turns';
import type { KnownMember, SessionDescription } from '../peer/peerApi';
import type { HostPort } from '../protocol/address';
import type { Engine } from './engine';
import type { TeamTarget } from './invites';
import type { Keyring } from './keyring';
import type { LocalTracker, RunningTracker } from './localTracker';
import type { Session } from './session';

/** Age at which a lease is renewed: it holds for two weeks. */
const LEASE_RENEWAL_MS = 24 * 3_600_000;
/** Time between two looks at the age. */
const LEASE_LOOK_MS = 3_600_000;

/** Members who leave a session, and those who go on by themselves. */
export interface Removal {
  readonly removed: readonly string[];
  readonly members: readonly Pick<KnownMember, 'identity' | 'sealingPoint'>[];
}

/** A session of this owner, in line with what its tracker has heard. */
interface HeardSession {
  readonly record: string;
  readonly addresses: readonly HostPort[];
}

export interface OwnSessionDependencies {
  readonly engine: Engine;
  readonly keyring: Keyring;
  readonly localTracker: LocalTracker;
  readonly session: Session;
  readonly logger: Logger;
}

/**
 * The session that this user starts on this computer: one, whose keys outlive its tracker, so that an
 * invite stays valid. The tracker gets what the engine says it may know, and never the keys.
 */
export class OwnSession extends DisposableBase {
  /** Of changes of the record: one that overtook another would lose a key. */
  private readonly turns = new Turns();

  constructor(private readonly dependencies: OwnSessionDependencies) {
    super();
    this.register(every(systemClock, LEASE_LOOK_MS, () => void this.renewLease()));
    this.register(dependencies.localTracker.onDidChange(() => void this.renewLease()));
  }

  /**
   * Starts the tracker of the last session, or of a new one. Joins nothing.
   * @param name of a new one.
   * @throws PORT_IN_USE and what else the tracker reports.
   */
  async start(address: HostPort, name: string): Promise<TeamTarget> {
    const { engine, keyring, localTracker } = this.dependencies;
    const { last } = localTracker;
    const kept = last && (await keyring.record(last.team));
    const record = kept ?? (await engine.calls.createSession({ name }));
    const { team, verifier, name: sessionName } = await engine.calls.describeSession({ record });
    await keyring.keepRecord(team, record);
    const listening = await localTracker.start({ ...address, team, verifier });
    const invite = await engine.calls.makeInvite({ record, addresses: [listening] });
    return { team, name: sessionName, invite };
  }

  /**
   * Renews the lease of the session whose tracker this window keeps alive: without an owner's program it
   * would end for everybody. Brings the tracker what it lacks also when no renewal is due: a window that
   * ended between keeping a statement and sending it has left a removal undone. Never rejects.
   */
  renewLease(): Promise<void> {
    return this.turns.run(() => this.renewLeaseNow());
  }

  private async renewLeaseNow(): Promise<void> {
    const { engine, localTracker, logger } = this.dependencies;
    const running = localTracker.adopted;
    try {
      const heard = running && (await this.hear(running));
      if (running === undefined || heard === undefined) return;
      const { record } = heard;
      const { renewedMs } = await engine.calls.describeSession({ record });
      if (systemClock.now() - renewedMs < LEASE_RENEWAL_MS) return;
      await this.settle(running.team, {
        ...heard,
        record: await engine.calls.renewLease({ record }),
      });
    } catch (error) {
      // The next one is a day ahead, and the lease holds for many.
      logger.warn(`the lease of the session is not renewed: ${describeError(error)}`);
    }
  }

  /** The session of a tracker that runs here already, or undefined when its keys are not kept. */
  async sessionOf({ team, host, port }: RunningTracker): Promise<TeamTarget | undefined> {
    const { engine, keyring } = this.dependencies;
    const record = await keyring.record(team);
    if (record === undefined) return undefined;
    const { name } = await engine.calls.describeSession({ record });
    return {
      team,
      name,
      invite: await engine.calls.makeInvite({ record, addresses: [{ host, port }] }),
    };
  }

  /**
   * An invite to the current epoch of a session whose owner's key is kept here and whose tracker runs
   * here; undefined for another one.
   * @param expiresMs time (epoch) from which on nobody joins by it.
   * @throws as `renew`.
   */
  invite(team: TeamTarget, expiresMs?: number): Promise<TeamTarget | undefined> {
    return this.turns.run(async () => {
      const heard = await this.hearOwn(team);
      if (heard === undefined) return undefined;
      const { calls } = this.dependencies.engine;
      const ends = expiresMs === undefined ? {} : { expiresMs };
      return { ...team, invite: await calls.makeInvite({ ...heard, ...ends }) };
    });
  }

  /** Whether this user may make invites that end, and others. */
  canInvite({ team }: TeamTarget): boolean {
    return this.dependencies.localTracker.recorded?.team === team;
  }

  /**
   * Gives the session a new key, and its tracker the new token: everyone is dropped. This window joins
   * again at once.
   * @throws SESSION_KEYS_MISSING when this user did not start it, or its tracker does not run; OWNER_BEHIND,
   * OWNER_WITHDRAWN, TRACKER_UNREACHABLE.
   */
  renew(team: TeamTarget): Promise<void> {
    return this.turns.run(() => this.renewNow(team));
  }

  private async renewNow(team: TeamTarget): Promise<void> {
    const heard = await this.hearOwn(team);
    if (heard === undefined)
      throw new PeershelfError('SESSION_KEYS_MISSING', 'this session was not started here', {
        details: { session: team.name },
      });
    const record = await this.dependencies.engine.calls.renewSession({ record: heard.record });
    await this.goOn(team, { ...heard, record });
  }

  /**
   * The session as its owner has it, in line with what its tracker has heard; undefined when no owner's
   * key is kept here, or the tracker does not run here.
   * @throws as `renew`.
   */
  describe(team: TeamTarget): Promise<SessionDescription | undefined> {
    return this.turns.run(async () => {
      const heard = await this.hearOwn(team);
      return heard && this.dependencies.engine.calls.describeSession({ record: heard.record });
    });
  }

  /**
   * Removes members: they are outsiders from now on, and the session has a new key. This window joins
   * again at once, with the new invite. Resolves to the members who go on by themselves.
   * @throws as `renew`.
   */
  remove(team: TeamTarget, removal: Removal): Promise<readonly string[]> {
    return this.turns.run(async () => {
      const { calls } = this.dependencies.engine;
      // Asked again: the owner's choice may have taken its time.
      const heard = await this.hearOwn(team);
      if (heard === undefined)
        throw new PeershelfError('SESSION_KEYS_MISSING', 'no key of an owner is kept here', {
          details: { session: team.name },
        });
      const record = await calls.removeMembers({ record: heard.record, ...removal });
      await this.goOn(team, { ...heard, record });
      return (await calls.describeSession({ record })).goingOn;
    });
  }

  private async hearOwn({ team }: TeamTarget): Promise<HeardSession | undefined> {
    const running = this.dependencies.localTracker.recorded;
    return running?.team === team ? this.hear(running) : undefined;
  }

  /** Undefined for a session whose owner's key is not kept here. */
  private async hear({ team, host, port }: RunningTracker): Promise<HeardSession | undefined> {
    const { engine, keyring } = this.dependencies;
    const kept = await keyring.record(team);
    if (kept === undefined) return undefined;
    const addresses = [{ host, port }];
    const identity = await keyring.identity();
    const record = await engine.calls.synchroniseSession({ record: kept, addresses, identity });
    const heard = { record, addresses };
    await this.settle(team, heard);
    return heard;
  }

  /** Keeps the record before its statement is sent: what a crash leaves undone is brought at the next start. */
  private async settle(team: string, { record, addresses }: HeardSession): Promise<void> {
    const { engine, keyring } = this.dependencies;
    await keyring.keepRecord(team, record);
    await engine.calls.bringStatement({ record, addresses });
  }

  /** Settles a new epoch, and goes on in it with its invite. */
  private async goOn({ team }: TeamTarget, heard: HeardSession): Promise<void> {
    const { engine, session } = this.dependencies;
    const { name } = await engine.calls.describeSession({ record: heard.record });
    const invite = await engine.calls.makeInvite(heard);
    await this.settle(team, heard);
    await session.joinRenewed({ team, name, invite });
  }
}
