import * as assert from 'node:assert/strict';
import { ERROR_CODES, PeershelfError } from '../../../src/common/errors';
import { errorMessage } from '../../../src/editor/errorMessages';
import { CONTROL_REASONS } from '../../../src/protocol/controlReasons';
import { NAME_PROBLEMS } from '../../../src/protocol/names';

/** Everything that any error mentions, each as somebody hostile would choose it. */
const HOSTILE = '[x](command:workbench.action.quit)$(error)\u202e\n';
const DETAILS = Object.fromEntries(
  ['path', 'name', 'displayName', 'address', 'hostname', 'problem', 'reason', 'port'].map((key) => [
    key,
    HOSTILE,
  ]),
);

describe('what is said about an error', () => {
  for (const code of ERROR_CODES) {
    it(`${code}: names the cause and the next step, with details and without`, () => {
      for (const details of [{}, DETAILS]) {
        const text = errorMessage(new PeershelfError(code, 'for developers', { details }));
        assert.match(text, /[.…]$/u);
        assert.doesNotMatch(text, /undefined|\{\d\}/u);
        const steps = text.split(/[.;,:] /u);
        assert.ok(steps.length >= 2, text);
      }
    });

    it(`${code}: shows text of others as text`, () => {
      const text = errorMessage(new PeershelfError(code, HOSTILE, { details: DETAILS }));
      assert.doesNotMatch(text, /\]\(|\$\(|\u202e|\n/u);
    });
  }

  it('says what is wrong with a name, and why a tracker refuses, in sentences of its own', () => {
    const named = { name: 'a\\b', problem: NAME_PROBLEMS.backslash };
    assert.equal(
      errorMessage(new PeershelfError('INVALID_NAME', 'x', { details: named })),
      'a\\b cannot be the name of a shared file. It has a backslash. Rename the file, or ask its publisher to do so.',
    );
    const said = (reason: string): string =>
      errorMessage(new PeershelfError('TRACKER_REFUSED', 'x', { details: { reason } }));
    assert.match(said(CONTROL_REASONS.tooManyFiles), /refused: too many files are published\./u);
    assert.match(said(CONTROL_REASONS.badCursor), /refused: "bad cursor"\./u);
    assert.match(said('constructor'), /refused: "constructor"\./u);
  });

  it('shows no sentence of the engine about an argument, only what it is', () => {
    const details = { argument: 'peershelf.port "x"' };
    const said = errorMessage(
      new PeershelfError('INVALID_ARGUMENT', 'for developers', { details }),
    );
    assert.match(said, /not valid: peershelf\.port "x"\./u);
    assert.doesNotMatch(
      errorMessage(new PeershelfError('INVALID_ARGUMENT', 'for developers')),
      /developers/u,
    );
  });
});
