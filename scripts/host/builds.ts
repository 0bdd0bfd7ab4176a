import { spawn } from 'node:child_process';
import { readdir, rm } from 'node:fs/promises';
import * as path from 'node:path';
import { REPOSITORY } from './paths';

/** Script with the `run()` that VS Code calls inside the extension host. */
export const SUITE = path.join(REPOSITORY, 'dist-test', 'extension', 'suite.js');

const SUITE_SOURCE = path.join(REPOSITORY, 'test', 'extension', 'suite');

/** Bundles the extension as `npm run build` does, or as users get it. */
export function buildExtension({ production = false } = {}): Promise<void> {
  return esbuild(production ? ['--production'] : []);
}

/** Bundles the suite for the extension host. */
export async function buildTests(): Promise<void> {
  await rm(path.dirname(SUITE), { recursive: true, force: true });
  await esbuild(['--tests']);
}

/** Names of the suite's test files without their ending. */
export async function suiteFiles(): Promise<string[]> {
  const names = await readdir(SUITE_SOURCE);
  return names
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => path.basename(name, '.test.ts'))
    .sort();
}

function esbuild(args: string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const script = path.join(REPOSITORY, 'esbuild.mjs');
    const child = spawn(process.execPath, [script, ...args], { cwd: REPOSITORY, stdio: 'inherit' });
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) {
        resolve();
      } else {
        reject(new Error(`esbuild.mjs ${args.join(' ')} failed`));
      }
    });
  });
}
