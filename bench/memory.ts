import { spawn } from 'node:child_process';
import { rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { GIBIBYTE, writeSparseFile } from './files';
import { type BenchContext, type Benchmark, PROGRAM_ENVIRONMENT } from './harness';
import { readMemory } from './processMemory';
import { startTracker } from './servers';
import { type Command, fetchCommand, startSharing } from './sharing';

const FILE_BYTES = 8 * GIBIBYTE;
const SMALL_BYTES = 1024;
const POLL_MS = 10;
const MEBIBYTE = 1024 ** 2;

/**
 * Peak memory of a publisher and of a fetcher for a large file, above what the same programs take for
 * a small one. Each size has a publisher of its own: hashing the large file is part of its growth.
 */
export const memoryBenchmark: Benchmark = {
  name: 'memory',
  run: async (context) => {
    const small = await measure(context, 'small', SMALL_BYTES);
    const large = await measure(context, 'large', FILE_BYTES);
    const serving = (large.serving - small.serving) / MEBIBYTE;
    const fetching = (large.fetching - small.fetching) / MEBIBYTE;
    return {
      title: 'memory: growth of the peak while a file of 8 GiB is hashed and served, and fetched',
      references: ['the same programs with a file of 1 KiB'],
      series: [
        { name: 'serving', unit: 'MiB', values: [serving] },
        { name: 'fetching', unit: 'MiB', values: [fetching] },
      ],
      goals: [
        { name: 'serving, MiB', value: serving, atMost: 64 },
        { name: 'fetching, MiB', value: fetching, atMost: 64 },
      ],
    };
  },
};

interface Peaks {
  readonly serving: number;
  readonly fetching: number;
}

/** Publishes and fetches a file once. */
async function measure(
  { cleanup, folder, log }: BenchContext,
  name: string,
  sizeBytes: number,
): Promise<Peaks> {
  const source = writeSparseFile(join(folder, name), sizeBytes);
  const output = join(folder, `got-${name}`);
  const tracker = await startTracker(cleanup);
  const home = join(folder, `publisher-${name}`);
  const publisher = await startSharing(cleanup, { session: tracker, paths: [source], home });
  const hashing = readMemory(publisher)?.peak ?? 0;
  const fetching = await peakMemoryOf(
    fetchCommand({ session: tracker, name, output, home: join(folder, `fetcher-${name}`) }),
  );
  if (statSync(output).size !== sizeBytes) throw new Error('the file is not whole');
  rmSync(output);
  const serving = readMemory(publisher)?.peak ?? 0;
  const told = { 'published with': hashing, 'served with': serving, 'fetched with': fetching };
  const parts = Object.entries(told).map(([what, peak]) => `${what} ${peak / MEBIBYTE} MiB`);
  log(`${sizeBytes} bytes: ${parts.join(', ')}`);
  return { serving, fetching };
}

/** Runs a program of ours to its end; resolves to the peak of its resident memory in bytes. */
function peakMemoryOf({ file, args, env }: Command): Promise<number> {
  const child = spawn(file, args, {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...PROGRAM_ENVIRONMENT, ...env },
  });
  let peak = 0;
  const timer = setInterval(() => {
    peak = readMemory(child.pid ?? 0)?.peak ?? peak;
  }, POLL_MS);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => {
      clearInterval(timer);
      if (code === 0) resolve(peak);
      else reject(new Error(`fetch failed with ${code}`));
    });
  });
}
