import { join } from 'node:path';
import { Cleanup } from '../scripts/host/cleanup';
import { startHasher } from '../test/support/hashFiles';
import { GIBIBYTE, writeRandomFile } from './files';
import {
  type BenchContext,
  type Benchmark,
  type Contender,
  median,
  megabytesPerSecond,
  programVersion,
  ratio,
  runProgram,
  timed,
} from './harness';

/**
 * How fast the content of a file is found out, per core and with two, against the usual SHA-256 of
 * the same file; and how long it takes once the file is known. The file is in the page cache.
 */
export function createHashBenchmark(fileBytes: number): Benchmark {
  return {
    name: 'hash',
    run: async (context) => {
      const openssl = await programVersion('openssl', ['version']);
      const file = writeRandomFile(join(context.folder, 'large.bin'), fileBytes);
      const series = await context.alternate([
        coldContender(context, file, { fileBytes, workers: 1 }),
        opensslContender(file, fileBytes),
        coldContender(context, file, { fileBytes, workers: 2 }),
        await warmContender(context, file),
      ]);
      const [one, reference, two] = series;
      const toOpenssl = ratio('one worker : openssl', one, reference);
      return {
        title: `hash: content id of a file of ${fileBytes / GIBIBYTE} GiB`,
        references: [openssl],
        series: [...series, toOpenssl, ratio('two workers : one worker', two, one)],
        goals: [{ name: toOpenssl.name, value: median(toOpenssl.values), atLeast: 0.85 }],
      };
    },
  };
}

export const hashBenchmark = createHashBenchmark(4 * GIBIBYTE);

/** Threads and what they remember are new each time. */
function coldContender(
  { folder }: BenchContext,
  file: string,
  { fileBytes, workers }: { readonly fileBytes: number; readonly workers: number },
): Contender {
  let turns = 0;
  return {
    name: workers === 1 ? 'cold, one worker' : `cold, ${workers} workers`,
    unit: 'MB/s',
    measure: async () => {
      turns += 1;
      const home = join(folder, `cold-${workers}-${turns}`);
      const seconds = await timedHash(file, { home, workers });
      return megabytesPerSecond(fileBytes, seconds);
    },
  };
}

/** A process that starts later finds what another one has hashed. */
async function warmContender({ folder }: BenchContext, file: string): Promise<Contender> {
  const home = join(folder, 'warm');
  await timedHash(file, { home, workers: 2 });
  return {
    name: 'warm',
    unit: 'ms',
    measure: async () => 1000 * (await timedHash(file, { home, workers: 2, isKnown: true })),
  };
}

interface HashTurn {
  /** Folder of the cache. */
  readonly home: string;
  readonly workers: number;
  /** Whether the cache must do, without reading the file. */
  readonly isKnown?: boolean;
}

async function timedHash(file: string, { home, workers, isKnown }: HashTurn): Promise<number> {
  const turn = new Cleanup();
  const { hasher, pool } = startHasher(turn, home, { workers });
  try {
    const seconds = await timed(() => hasher.hash(file));
    if (isKnown === true && pool.tasks > 0) throw new Error('the cache did not know the file');
    return seconds;
  } finally {
    await turn.run();
  }
}

function opensslContender(file: string, fileBytes: number): Contender {
  return {
    name: 'openssl dgst -sha256',
    unit: 'MB/s',
    measure: async () => {
      const seconds = await timed(() => runProgram('openssl', ['dgst', '-sha256', file]));
      return megabytesPerSecond(fileBytes, seconds);
    },
  };
}
