import { closeSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { randomFillSync } from 'node:crypto';
import { join } from 'node:path';
import { formatHostPort, type HostPort } from '../src/protocol/address';
import {
  type BenchContext,
  type Benchmark,
  type Contender,
  median,
  ratio,
  runProgram,
} from './harness';
import { startTracker, startV1Tracker } from './servers';
import { CLI, startSharing, startV1Sharing, V1 } from './sharing';

const FILE_BYTES = 1024 ** 3;
const BLOCK_BYTES = 16 * 1024 ** 2;
const NAME = 'gigabyte.bin';

/**
 * One file by version 1 from one process to another on loopback, to disk: our two ends against the
 * two ends of the original system. Both measure a whole run of the fetching program, its start and
 * its question to the tracker included.
 */
export const fetchV1Benchmark: Benchmark = {
  name: 'fetch-v1',
  run: async (context) => {
    const file = writeRandomFile(join(context.folder, NAME));
    const ours = await prepareOurs(context, file);
    const theirs = await prepareTheirs(context, file);
    const series = await context.alternate([ours, theirs]);
    const speedUp = ratio('ours / v1.py', series[0], series[1]);
    return {
      title: 'fetch-v1: 1 GiB of random bytes, version 1, to disk',
      references: ['baseline v1.py', (await runProgram('python3', ['--version'])).stdout.trim()],
      series: [...series, speedUp],
      goals: [{ name: 'ours / v1.py', value: median(speedUp.values), atLeast: 1 }],
    };
  },
};

async function prepareOurs(context: BenchContext, file: string): Promise<Contender> {
  const tracker = await startTracker(context);
  await startSharing(context, tracker, file);
  const output = join(context.folder, 'ours');
  return contender('peershelf', output, [
    process.execPath,
    ...[CLI, 'fetch', NAME, '--tracker', formatHostPort(tracker), '--output', output],
  ]);
}

async function prepareTheirs(context: BenchContext, file: string): Promise<Contender> {
  const tracker: HostPort = await startV1Tracker(context);
  await startV1Sharing(context, tracker, file);
  const output = join(context.folder, 'theirs');
  return contender('v1.py', output, [
    'python3',
    ...[V1, 'fetch', NAME, output, '--tracker', formatHostPort(tracker)],
  ]);
}

function contender(
  name: string,
  output: string,
  [file = '', ...args]: readonly string[],
): Contender {
  return {
    name,
    unit: 'MB/s',
    measure: async () => {
      rmSync(output, { force: true });
      const startMs = performance.now();
      await runProgram(file, args);
      const seconds = (performance.now() - startMs) / 1000;
      if (statSync(output).size !== FILE_BYTES) throw new Error(`${name}: the file is not whole`);
      rmSync(output);
      return FILE_BYTES / 1e6 / seconds;
    },
  };
}

function writeRandomFile(path: string): string {
  const block = Buffer.alloc(BLOCK_BYTES);
  const descriptor = openSync(path, 'w');
  for (let written = 0; written < FILE_BYTES; written += BLOCK_BYTES)
    writeSync(descriptor, randomFillSync(block));
  closeSync(descriptor);
  return path;
}
