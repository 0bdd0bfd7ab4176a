import { closeSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { randomFillSync } from 'node:crypto';
import { join } from 'node:path';
import { formatHostPort } from '../src/protocol/address';
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
 * two ends of the original system. What counts is the whole run of the fetching program, from its
 * start until it has ended and the file is there. What each program says of itself is shown beside
 * it: from its connection to the publisher until the last byte is written, ours until the file has
 * its name, theirs without closing it.
 */
export const fetchV1Benchmark: Benchmark = {
  name: 'fetch-v1',
  run: async (context) => {
    const file = writeRandomFile(join(context.folder, NAME));
    const ours = await prepareOurs(context, file);
    const theirs = await prepareTheirs(context, file);
    const own: Record<string, number[]> = {};
    const series = await context.alternate([
      contender('peershelf', ours, (own['peershelf'] = [])),
      contender('v1.py', theirs, (own['v1.py'] = [])),
    ]);
    const speedUp = ratio('ours / v1.py', series[0], series[1]);
    const told = Object.entries(own).map(([name, values]) => ({
      name: `${name}, by its own clock`,
      unit: 'MB/s',
      values: values.slice(1),
    }));
    return {
      title: 'fetch-v1: 1 GiB of random bytes, version 1, to disk',
      references: ['baseline v1.py', (await runProgram('python3', ['--version'])).stdout.trim()],
      series: [...series, speedUp, ...told],
      goals: [{ name: 'ours / v1.py', value: median(speedUp.values), atLeast: 1 }],
    };
  },
};

/** A program that fetches the file, and how to read from its output how fast it was. */
interface Fetching {
  readonly output: string;
  readonly command: readonly string[];
  readonly readSpeed: (stdout: string) => number;
}

async function prepareOurs(context: BenchContext, file: string): Promise<Fetching> {
  const tracker = await startTracker(context);
  await startSharing(context, tracker, file);
  const output = join(context.folder, 'ours');
  const options = ['--json', '--tracker', formatHostPort(tracker), '--output', output];
  return {
    output,
    command: [process.execPath, CLI, 'fetch', NAME, ...options],
    readSpeed: (stdout) => {
      const { durationMs } = JSON.parse(stdout) as { durationMs: number };
      return FILE_BYTES / 1e6 / (durationMs / 1000);
    },
  };
}

async function prepareTheirs(context: BenchContext, file: string): Promise<Fetching> {
  const tracker = await startV1Tracker(context);
  await startV1Sharing(context, tracker, file);
  const output = join(context.folder, 'theirs');
  return {
    output,
    command: ['python3', V1, 'fetch', NAME, output, '--tracker', formatHostPort(tracker)],
    readSpeed: (stdout) => Number(/^(\d+) MB\/s$/mu.exec(stdout)?.[1]),
  };
}

function contender(name: string, fetching: Fetching, own: number[]): Contender {
  const { output, command, readSpeed } = fetching;
  const [file = '', ...args] = command;
  return {
    name,
    unit: 'MB/s',
    measure: async () => {
      rmSync(output, { force: true });
      const startMs = performance.now();
      const { stdout } = await runProgram(file, args);
      const seconds = (performance.now() - startMs) / 1000;
      own.push(readSpeed(stdout));
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
