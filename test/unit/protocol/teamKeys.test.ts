import { strict as assert } from 'node:assert';
import { createSecretKey, type KeyObject } from 'node:crypto';
import {
  commitmentOf,
  createTeamKey,
  deriveTeamKeys,
  hashTrackerToken,
  isTeamId,
  isTrackerToken,
} from '../../../src/protocol/teamKeys';
import { newTeam } from '../../support/teams';
import { TEAM_VECTOR } from '../../support/teamVector';

const hexOf = (key: KeyObject): string => key.export().toString('hex');

describe('team keys', () => {
  const { teamId, teamKey } = TEAM_VECTOR;
  const epoch = { id: teamId, charterNumber: 0, epoch: 3, key: createSecretKey(teamKey, 'hex') };
  const vector = deriveTeamKeys(epoch);

  it('are those of the test vector', () => {
    assert.equal(hexOf(vector.trackerToken), TEAM_VECTOR.trackerToken);
    assert.equal(hexOf(vector.membershipKey), TEAM_VECTOR.membershipKey);
    assert.equal(hexOf(vector.proofKey), TEAM_VECTOR.proofKey);
    assert.equal(hashTrackerToken(vector.trackerToken), TEAM_VECTOR.tokenHash);
    assert.equal(commitmentOf(epoch), TEAM_VECTOR.commitment);
  });

  it('differ between teams, and change with the key, the epoch and the charter of one', () => {
    const team = newTeam();
    assert.ok(isTeamId(team.id));
    const teams = [
      team,
      newTeam(),
      { ...team, key: createTeamKey() },
      { ...team, epoch: 2 },
      { ...team, charterNumber: 1 },
    ];
    const all = teams.flatMap((each) => Object.values(deriveTeamKeys(each)).map(hexOf));
    assert.equal(new Set(all).size, 15);
  });

  it('let a tracker know the token by its hash alone', () => {
    const token = vector.trackerToken.export();
    assert.ok(isTrackerToken(token, TEAM_VECTOR.tokenHash));
    const others = [token.subarray(1), Buffer.alloc(32), Buffer.alloc(0), vector.proofKey.export()];
    for (const other of others) assert.ok(!isTrackerToken(other, TEAM_VECTOR.tokenHash));
    for (const hash of ['', 'zz', TEAM_VECTOR.tokenHash.slice(2)])
      assert.ok(!isTrackerToken(token, hash));
  });
});
