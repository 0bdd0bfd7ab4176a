import { execFile } from 'node:child_process';
import { cp } from 'node:fs/promises';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { REPOSITORY } from '../../scripts/host/paths';

export { packExtension } from '../../scripts/host/release';

const run = promisify(execFile);
const VSCE = path.join(REPOSITORY, 'node_modules/@vscode/vsce/vsce');
/** Installed things, and what tests leave: the packager walks through all of them, only to leave them out. */
const NOT_COPIED = ['node_modules', '.vscode-test', 'dist-test', '.git'];

/** Copies the repository, with its bundles, to a folder that the packager is quick in. */
export async function copyForPackaging(folder: string): Promise<void> {
  await cp(REPOSITORY, folder, {
    recursive: true,
    filter: (source) => !NOT_COPIED.includes(path.relative(REPOSITORY, source)),
  });
}

/** Runs a command of the packager; resolves to what it prints. */
export async function runPackager(repository: string, args: readonly string[]): Promise<string> {
  return (await run(process.execPath, [VSCE, ...args], { cwd: repository })).stdout;
}
