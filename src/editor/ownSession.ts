import { PeershelfError } from '../common/errors';
import type { HostPort } from '../protocol/address';
import type { Engine } from './engine';
import type { TeamTarget } from './invites';
import type { Keyring } from './keyring';
import type { LocalTracker, RunningTracker } from './localTracker';
import type { Session } from './session';

export interface OwnSessionDependencies {
  readonly engine: Engine;
  readonly keyring: Keyring;
  readonly localTracker: LocalTracker;
  readonly session: Session;
}

/**
 * The session that this user starts on this computer: one, whose keys outlive its tracker, so that an
 * invite stays valid. The tracker gets what the engine says it may know, and never the keys.
 */
export class OwnSession {
  constructor(private readonly dependencies: OwnSessionDependencies) {}

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
  async renew(team: TeamTarget): Promise<void> {
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
