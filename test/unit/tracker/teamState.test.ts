import { strict as assert } from 'node:assert';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nullLogger } from '../../../src/common/logger';
import { type Statement, type VerifiedStatement } from '../../../src/protocol/statement';
import { TeamState } from '../../../src/tracker/teamState';
import { useCleanup } from '../../support/cleanup';
import { newKeyPair, newStatement } from '../../support/teams';
import { temporaryFolder } from '../../support/temporaryFolder';

const X = '11'.repeat(32);
const ENVELOPE = { to: X, key: 'A'.repeat(44), sealed: 'B'.repeat(64) };

describe('the statement of a tracker', () => {
  const cleanup = useCleanup();
  const owner = newKeyPair();
  const say = (sequence: number, part: Partial<Statement> = {}): VerifiedStatement =>
    newStatement(owner, { sequence, ...part });
  const stateOf = (initial: VerifiedStatement, file?: string): TeamState =>
    new TeamState({ logger: nullLogger, root: owner.publicKey, initial, file });
  const removal = { removed: [{ identity: X, charterNumber: 0, sequence: 2 }] };
  const secondEpoch = { epoch: 2, commitment: 'bc'.repeat(32), tokenHash: 'de'.repeat(32) };

  it('is replaced by a later one alone, and by none that lacks a removal', () => {
    const state = stateOf(say(1, { epoch: 2 }));
    assert.equal(state.admits(X), true);
    assert.equal(state.take(say(2, { ...removal, epoch: 2 }).bundle), 'taken');
    assert.equal(state.admits(X), false);
    const wrong = {
      'the same rank': say(2, { epoch: 2 }),
      older: say(1, { epoch: 2 }),
      'without the removal': say(3, { epoch: 2 }),
      'of a lower epoch': say(3, { ...removal, epoch: 1 }),
      'of a stranger': newStatement(newKeyPair(), { sequence: 9 }),
    };
    for (const [what, { bundle }] of Object.entries(wrong))
      assert.equal(state.take(bundle), 'refused', what);
    assert.equal(state.take(say(3, { ...removal, epoch: 2 }).bundle), 'taken');
  });

  it('has the envelopes of its epoch, and keeps both over restarts', () => {
    const file = join(temporaryFolder(cleanup), 'statement.json');
    const first = say(1);
    const state = stateOf(first, file);
    const rotated = say(2, { ...removal, ...secondEpoch });
    assert.equal(state.take(rotated.bundle, [ENVELOPE]), 'taken');
    // By an old verifier, as it lies where the tracker is started.
    const again = stateOf(first, file);
    assert.equal(again.current.hash, rotated.hash);
    assert.deepEqual(again.envelopeOf(X), ENVELOPE);
    assert.equal(again.take(say(3, { ...removal, ...secondEpoch }).bundle), 'taken');
    assert.equal(again.envelopeCount, 1, 'of one epoch they stay');
    const third = { epoch: 3, commitment: 'ef'.repeat(32) };
    assert.equal(again.take(say(4, { ...removal, ...third }).bundle), 'taken');
    assert.equal(again.envelopeCount, 0);
  });

  it('goes on from its verifier when what it kept is older, damaged or of another team', () => {
    const file = join(temporaryFolder(cleanup), 'statement.json');
    stateOf(say(1), file).take(say(2).bundle);
    const later = say(5, removal);
    assert.equal(stateOf(later, file).current.hash, later.hash);
    writeFileSync(file, readFileSync(file, 'utf8').slice(0, -9));
    assert.equal(stateOf(say(1), file).current.statement.sequence, 1);
    const stranger = newKeyPair();
    const other = newStatement(stranger, { sequence: 7 });
    new TeamState({ logger: nullLogger, root: stranger.publicKey, initial: other, file }).take(
      newStatement(stranger, { sequence: 8 }).bundle,
    );
    assert.equal(stateOf(say(1), file).current.statement.sequence, 1);
  });

  it('stays when the verifier of a restart lacks a removal, whatever its rank', () => {
    const rotated = say(2, { ...removal, ...secondEpoch });
    for (const sequence of [1, 2, 5]) {
      const file = join(temporaryFolder(cleanup), 'statement.json');
      stateOf(say(1), file).take(rotated.bundle, [ENVELOPE]);
      // By a copy of the owner's key from before the removal.
      const again = stateOf(say(sequence, { epoch: 3, commitment: 'ef'.repeat(32) }), file);
      assert.equal(again.current.hash, rotated.hash, `${sequence}`);
      assert.equal(again.admits(X), false);
      assert.deepEqual(again.envelopeOf(X), ENVELOPE);
    }
  });

  it('has its envelopes still when the verifier of a restart only renews the lease', () => {
    const file = join(temporaryFolder(cleanup), 'statement.json');
    stateOf(say(1), file).take(say(2, { ...removal, ...secondEpoch }).bundle, [ENVELOPE]);
    const renewed = say(3, { ...removal, ...secondEpoch });
    const again = stateOf(renewed, file);
    assert.equal(again.current.hash, renewed.hash);
    assert.deepEqual(again.envelopeOf(X), ENVELOPE);
  });
});
