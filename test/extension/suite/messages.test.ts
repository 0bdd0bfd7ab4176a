import * as assert from 'node:assert/strict';
import { ERROR_CODES, PeershelfError } from '../../../src/common/errors';
import { errorMessage } from '../../../src/editor/errorMessages';

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
});
