import { join } from 'node:path';
import { runProgram } from './harness';

/** Builds the bundles as they are shipped. */
export async function buildProduction(): Promise<void> {
  await runProgram(process.execPath, [join(__dirname, '../esbuild.mjs'), '--production']);
}
