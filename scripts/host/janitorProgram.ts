// Started by `Janitor` with an owner and the beginnings of paths. Cleans and answers at each byte of
// its standard input. Its end means that the process that started this one has ended: the second
// cleaning then finds what that process was still creating during the first.
import { readdir, rm } from 'node:fs/promises';
import * as path from 'node:path';
import { killOwned } from './processTree';

const KILL_GRACE_MS = 5_000;
/** On Windows, a program that has just ended keeps its files busy for a moment. */
const RETRIES = 20;

async function clean(owner: string, prefixes: readonly string[]): Promise<void> {
  await killOwned(owner, KILL_GRACE_MS);
  for (const prefix of prefixes) {
    const folder = path.dirname(prefix);
    for (const name of await readdir(folder).catch(() => []))
      if (name.startsWith(path.basename(prefix)))
        await rm(path.join(folder, name), { recursive: true, force: true, maxRetries: RETRIES });
  }
}

async function main(): Promise<void> {
  const [owner = '', ...prefixes] = process.argv.slice(2);
  process.stdout.on('error', () => undefined); // The process that asked may have ended.
  for await (const _request of process.stdin) {
    await clean(owner, prefixes);
    process.stdout.write('\n');
  }
  await clean(owner, prefixes);
}

void main();
