import { execFile } from 'node:child_process';
import { cp } from 'node:fs/promises';
import * as path from 'node:path';
import { promisify } from 'node:util';
import type { Cleanup } from '../../scripts/host/cleanup';
import { REPOSITORY } from '../../scripts/host/paths';

const run = promisify(execFile);
const VSCE = path.join(REPOSITORY, 'node_modules/@vscode/vsce/vsce');
/** Installed things: the packager walks through all of them, only to leave them out. */
const NOT_COPIED = ['node_modules', '.vscode-test', '.git'];

/** A copy of the repository, with its bundles, that the packager is quick in. */
export async function copyForPackaging(cleanup: Cleanup): Promise<string> {
  const repository = await cleanup.temporaryFolder('peershelf-vsix-');
  await cp(REPOSITORY, repository, {
    recursive: true,
    filter: (source) => !NOT_COPIED.includes(path.relative(REPOSITORY, source)),
  });
  return repository;
}

/** Packs the bundles of such a copy, as users get them; gives the path of the package. */
export async function packExtension(cleanup: Cleanup, repository: string): Promise<string> {
  const vsix = path.join(await cleanup.temporaryFolder('peershelf-vsix-'), 'peershelf.vsix');
  await runPackager(repository, [
    ...['package', '--no-dependencies', '--allow-missing-repository'],
    ...['--no-rewrite-relative-links', '--out', vsix],
  ]);
  return vsix;
}

/** Runs a command of the packager; resolves to what it prints. */
export async function runPackager(repository: string, args: readonly string[]): Promise<string> {
  return (await run(process.execPath, [VSCE, ...args], { cwd: repository })).stdout;
}
