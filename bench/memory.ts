import { spawn } from 'node:child_process';
import { readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatHostPort } from '../src/protocol/address';
import { type Benchmark } from './harness';
import { startTracker } from './servers';
import { CLI, startSharing } from './sharing';

const FILE_BYTES = 5 * 1024 ** 3;
const SMALL_BYTES = 1024;
const POLL_MS = 10;
const MEBIBYTE = 1024 ** 2;

/**
 * Peak memory of a publisher and of a fetcher for a file of 5 GiB, above what the same programs take
 * for a file of 1 KiB.
 */
export const memoryBenchmark: Benchmark = {
  name: 'memory',
  run: async (context) => {
    const small = join(context.folder, 'small');
    const large = join(context.folder, 'large');
    writeFileSync(small, Buffer.alloc(SMALL_BYTES));
    writeFileSync(large, '');
    truncateSync(large, FILE_BYTES);
    const tracker = await startTracker(context);
    const publisher = await startSharing(context, tracker, small, large);
    const fetch = async (name: string): Promise<number> => {
      const output = join(context.folder, `got-${name}`);
      const args = [CLI, 'fetch', name, '--tracker', formatHostPort(tracker), '--output', output];
      const peak = await peakMemoryOf(args);
      context.log(`${name}: ${statSync(output).size} bytes, fetcher ${peak / MEBIBYTE} MiB`);
      if (statSync(output).size !== statSync(join(context.folder, name)).size)
        throw new Error('the file is not whole');
      rmSync(output);
      return peak;
    };
    const smallFetch = await fetch('small');
    const before = readPeakMemory(publisher) ?? 0;
    const largeFetch = await fetch('large');
    const serving = ((readPeakMemory(publisher) ?? 0) - before) / MEBIBYTE;
    const fetching = (largeFetch - smallFetch) / MEBIBYTE;
    return {
      title: 'memory: growth of the peak while a file of 5 GiB is served and fetched',
      references: [],
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

/** Runs a program of ours to its end; resolves to the peak of its resident memory in bytes. */
function peakMemoryOf(args: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, args, { stdio: 'ignore' });
  let peak = 0;
  const timer = setInterval(() => {
    peak = readPeakMemory(child.pid ?? 0) ?? peak;
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

/** The system's own count of the most memory that a process has had, in bytes. */
function readPeakMemory(pid: number): number | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Number(/^VmHWM:\s+(\d+) kB$/mu.exec(status)?.[1]) * 1024 || undefined;
  } catch {
    return undefined; // It has just ended.
  }
}
