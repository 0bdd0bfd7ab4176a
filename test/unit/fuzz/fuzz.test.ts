import fc from 'fast-check';
import { FUZZ_TARGETS } from '../../fuzz/targets';

/** Of each target: a few seconds for all of them. `npm run fuzz` is for more. */
const CASES = 50;
/** Another one each time, so that many short runs see more than one long one. */
const SEED = Math.floor(Math.random() * 2 ** 31);

describe(`whatever is read from outside (seed ${SEED})`, () => {
  for (const { name, property } of FUZZ_TARGETS)
    it(`is refused or means what it says: ${name}`, async () => {
      await fc.assert(property(), { numRuns: CASES, seed: SEED });
    }).timeout(30_000);
});
