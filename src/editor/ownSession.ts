import { every, systemClock } from '../common/clock';
import { DisposableBase } from '../common/disposable';
import { describeError, PeershelfError } from '../common/errors';
import type { Logger } from '../common/logger';
import { Turns } from '../common/turns';
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
   * would end for everybody. Brings the tracker what it may have lost, too. Never rejects.
   */
  renewLease(): Promise<void> {
    return this.turns.run(() => this.renewLeaseNow());
  }

  private async renewLeaseNow(): Promise<void> {
    const { engine, keyring, localTracker, logger } = this.dependencies;
    const running = localTracker.adopted;
    try {
      const record = running && (await keyring.record(running.team));
      if (running === undefined || record === undefined) return;
      const { renewedMs } = await engine.calls.describeSession({ record });
      if (systemClock.now() - renewedMs < LEASE_RENEWAL_MS) return;
      const renewed = await engine.calls.renewLease({ record });
      await keyring.keepRecord(running.team, renewed);
      const { host, port } = running;
      await engine.calls.bringStatement({ record: renewed, addresses: [{ host, port }] });
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
   * Gives the session a new key, and its tracker the new token: everyone is dropped. This window joins
   * again at once.
   * @throws SESSION_KEYS_MISSING when this user did not start it, or its tracker does not run.
   */
  renew(team: TeamTarget): Promise<void> {
    return this.turns.run(() => this.renewNow(team));
  }

  private async renewNow(team: TeamTarget): Promise<void> {
    const { engine, keyring, localTracker, session } = this.dependencies;
    const running = localTracker.recorded;
    const record = await keyring.record(team.team);
    if (record === undefined || running?.team !== team.team)
      throw new PeershelfError('SESSION_KEYS_MISSING', 'this session was not started here', {
        details: { session: team.name },
      });
    const renewed = await engine.calls.renewSession({ record });
    const { name } = await engine.calls.describeSession({ record: renewed });
    const { host, port } = running;
    const addresses = [{ host, port }];
    const invite = await engine.calls.makeInvite({ record: renewed, addresses });
    // Kept first: what a crash leaves undone is brought at the next start.
    await keyring.keepRecord(team.team, renewed);
    await engine.calls.bringStatement({ record: renewed, addresses });
    await session.joinRenewed({ team: team.team, name, invite });
  }
}
