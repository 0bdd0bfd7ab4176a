// npm run bench -- NAME… [--rounds N]: measures, prints a table, writes bench/results/.
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  BenchContext,
  type Benchmark,
  formatReport,
  isReached,
  runProgram,
  writeReport,
} from './harness';
import { activationBenchmark } from './activation';
import { fetchBenchmark } from './fetch';
import { fetchTeamBenchmark } from './fetchTeam';
import { fetchV1Benchmark } from './fetchV1';
import { folderBenchmark } from './folder';
import { hashBenchmark } from './hash';
import { joinBenchmark } from './join';
import { listingBenchmark } from './listing';
import { memoryBenchmark } from './memory';
import { responsivenessBenchmark } from './responsiveness';
import { sourcesBenchmark } from './sources';
import { trackerBenchmark } from './tracker';
import { trackerTeamBenchmark } from './trackerTeam';

const BENCHMARKS: readonly Benchmark[] = [
  activationBenchmark,
  fetchBenchmark,
  fetchTeamBenchmark,
  fetchV1Benchmark,
  folderBenchmark,
  hashBenchmark,
  joinBenchmark,
  listingBenchmark,
  memoryBenchmark,
  responsivenessBenchmark,
  sourcesBenchmark,
  trackerBenchmark,
  trackerTeamBenchmark,
];
/** Fewer pairs say too little on a machine that does other things too. */
const MIN_ROUNDS = 5;

const USAGE = `usage: npm run bench -- NAME… [--rounds N]\nbenchmarks: ${BENCHMARKS.map(({ name }) => name).join(', ')}`;

/** Exit codes: 0 all goals reached, 1 a goal missed, 2 wrong usage or nothing could be measured. */
async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { rounds: { type: 'string', default: '0' } },
  });
  const rounds = Number(values.rounds);
  const chosen = positionals.map((name) => BENCHMARKS.find((each) => each.name === name));
  if (chosen.length === 0 || chosen.includes(undefined) || Number.isNaN(rounds)) {
    console.error(USAGE);
    return 2;
  }
  // What is measured is what is shipped.
  await runProgram(process.execPath, [join(__dirname, '..', 'esbuild.mjs'), '--production']);
  let missed = 0;
  for (const benchmark of chosen) if (benchmark && !(await runOne(benchmark, rounds))) missed += 1;
  return missed === 0 ? 0 : 1;
}

/** Whether all goals were reached. */
async function runOne(benchmark: Benchmark, rounds: number): Promise<boolean> {
  const context = new BenchContext(rounds > 0 ? rounds : (benchmark.rounds ?? MIN_ROUNDS), (line) =>
    console.error(line),
  );
  try {
    const report = await benchmark.run(context);
    console.log(`\n${formatReport(report)}`);
    console.log(`\nwritten to ${writeReport(benchmark.name, report)}\n`);
    return report.goals.every(isReached);
  } finally {
    await context.cleanup.run();
  }
}

void main()
  .catch((error: unknown) => {
    console.error(error);
    return 2;
  })
  .then((code) => {
    process.exitCode = code;
  });
