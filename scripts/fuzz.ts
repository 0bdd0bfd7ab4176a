// Many more generated inputs than `npm test` has: npm run fuzz -- --cases N [--seed S] [--only NAME]
// Prints a seed for each target; with the same seed, number and name the same inputs come again.
import { parseArgs } from 'node:util';
import fc from 'fast-check';
import type { FuzzTarget } from '../test/fuzz/fuzzTarget';
import { FUZZ_TARGETS } from '../test/fuzz/targets';

/** Cases between two lines of progress; each batch has a seed of its own. */
const BATCH_CASES = 10_000;

interface Options {
  readonly cases: number;
  readonly seed: number;
  readonly targets: readonly FuzzTarget[];
}

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      cases: { type: 'string', default: '100000' },
      seed: { type: 'string' },
      only: { type: 'string' },
    },
  });
  const targets = FUZZ_TARGETS.filter(({ name }) => (values.only ?? name) === name);
  const cases = Number(values.cases);
  const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 30));
  if (targets.length === 0 || !Number.isSafeInteger(cases) || !Number.isSafeInteger(seed))
    throw new Error(`one of: ${FUZZ_TARGETS.map(({ name }) => name).join(', ')}`);
  return { cases, seed, targets };
}

/** Resolves to whether nothing was found. */
async function run(target: FuzzTarget, cases: number, firstSeed: number): Promise<boolean> {
  const startMs = performance.now();
  let done = 0;
  for (let seed = firstSeed; done < cases; seed += 1) {
    const numRuns = Math.min(BATCH_CASES, cases - done);
    const details = await fc.check(target.property(), { numRuns, seed });
    done += details.numRuns;
    if (details.failed) {
      console.log(`${target.name}: FAILED, seed ${seed}, ${done} cases`);
      console.log(fc.defaultReportMessage(details));
      console.log(details.errorInstance);
      return false;
    }
  }
  const seconds = ((performance.now() - startMs) / 1_000).toFixed(0);
  console.log(`${target.name}: ${done} cases from seed ${firstSeed}, ${seconds} s`);
  return true;
}

async function main(): Promise<void> {
  const { cases, seed, targets } = readOptions();
  const shares = targets.reduce((sum, { share }) => sum + share, 0);
  let failed = 0;
  let total = 0;
  for (const target of targets) {
    const own = Math.ceil((cases * target.share) / shares);
    total += own;
    if (!(await run(target, own, seed))) failed += 1;
  }
  console.log(`${total} cases, seed ${seed}, ${failed} targets failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}

void main();
