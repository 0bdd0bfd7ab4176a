import { cp, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import * as path from 'node:path';
import { build } from 'esbuild';
import type { Cleanup } from '../host/cleanup';
import { REPOSITORY } from '../host/paths';

/** In the repository: packages are found in the `node_modules` above it. */
const PLACE = path.join(REPOSITORY, 'dist-test');

/** Folders that tests read, beside the files at the top of the repository. */
const FOLDERS = ['src', 'test', 'scripts', 'dist', 'docs', 'l10n', 'media', '.github'] as const;
const TRANSPILED = ['src', 'test', 'scripts'] as const;

/**
 * Makes a copy of the repository in which each module also stands as CommonJS, so that Node can load it
 * without a compiler of its own. `dist` must have been built. The copy is gone after `cleanup`.
 * @returns the root of the copy.
 */
export async function makeTree(cleanup: Cleanup): Promise<string> {
  await mkdir(PLACE, { recursive: true });
  const tree = await mkdtemp(path.join(PLACE, 'windows-'));
  cleanup.add(() => rm(tree, { recursive: true, force: true }));
  const entries = await readdir(REPOSITORY, { withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map(({ name }) => name);
  for (const name of [...FOLDERS, ...files])
    await cp(path.join(REPOSITORY, name), path.join(tree, name), { recursive: true });
  await build({
    entryPoints: TRANSPILED.map((folder) => `${folder}/**/*.ts`),
    absWorkingDir: REPOSITORY,
    outbase: '.',
    outdir: tree,
    format: 'cjs',
    platform: 'node',
    target: 'node22',
    sourcemap: 'inline',
    sourcesContent: false,
    logLevel: 'warning',
  });
  return tree;
}
