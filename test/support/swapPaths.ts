import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import type { Cleanup } from '../../scripts/host/cleanup';
import { startProcess } from './startProcess';
import { temporaryFolder } from './temporaryFolder';

const SOURCE = join(__dirname, 'swapPaths.c');

/** A program that exchanges two paths in a loop, as fast as the system does it. */
export interface PathSwapper {
  /** Begins to exchange two paths; resolves when it has done so. Ends with the test at the latest. */
  start(left: string, right: string): Promise<{ stop(): Promise<void> }>;
}

/**
 * Compiles the program, or says why it cannot be had here: exchanging two names in one step is a call
 * of Linux, and takes a compiler.
 * @param forAll keeps the program; `cleanup` ends it after each test.
 */
export function buildPathSwapper(forAll: Cleanup, cleanup: Cleanup): PathSwapper | string {
  if (process.platform !== 'linux') return 'only Linux exchanges two names in one step';
  const program = join(temporaryFolder(forAll), 'swap');
  const { status, error, stderr } = spawnSync('gcc', ['-O2', '-o', program, SOURCE]);
  if (error !== undefined) return 'there is no gcc';
  if (status !== 0) throw new Error(stderr.toString());
  return {
    start: async (left, right) => {
      const swapping = startProcess(cleanup, program, [left, right]);
      await swapping.printed(/swapping/u);
      return {
        stop: async () => {
          swapping.child.kill('SIGKILL');
          await swapping.exited;
        },
      };
    },
  };
}

/** Says in one line why a test is left out, where a run is looked at. */
export function notTestedHere(what: string, why: string): void {
  process.stderr.write(`NOT TESTED HERE: ${what}: ${why}\n`);
}
