import { strict as assert } from 'node:assert';
import { bundleMembers } from '../../../src/protocol/statement';
import { readStatementReply } from '../../../src/protocol/statementMessages';
import { newKeyPair, newStatement } from '../../support/teams';

describe('the reply to STATEMENT', () => {
  const { bundle } = newStatement(newKeyPair());
  const countOf = (envelopes: unknown): number | undefined =>
    readStatementReply({ ...bundleMembers(bundle), envelopes })?.envelopeCount;

  it('says how many envelopes the tracker has', () => {
    assert.equal(countOf(3), 3);
    assert.equal(countOf(undefined), 0);
  });

  it('says none when it says anything else', () => {
    for (const value of [
      -1,
      1.5,
      1e300,
      Infinity,
      NaN,
      '7',
      [7],
      null,
      { toString: 1, valueOf: 1 },
    ])
      assert.equal(countOf(value), 0, JSON.stringify(value));
  });
});
