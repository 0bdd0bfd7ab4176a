import type { ChildProcess } from 'node:child_process';
import * as path from 'node:path';
import type { Cleanup } from './cleanup';
import { exitWithParent, spawnOwned } from './ownedProcess';
import { REPOSITORY } from './paths';

const START_TIMEOUT_MS = 15_000;

/** Starts an open tracker on a free port of this computer and resolves with its `host:port`. */
export async function startTracker(cleanup: Cleanup): Promise<string> {
  const program = path.join(REPOSITORY, 'dist', 'cli.js');
  const arguments_ = ['tracker', '--open', '--host', '127.0.0.1', '--port', '0'];
  const { child, stop } = spawnOwned(
    process.execPath,
    [...exitWithParent(program), program, ...arguments_],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  cleanup.add(stop);
  return listening(child);
}

function listening(child: ChildProcess): Promise<string> {
  let output = '';
  return new Promise((resolve, reject) => {
    const fail = (reason: string): void => reject(new Error(`tracker: ${reason}\n${output}`));
    const timer = setTimeout(() => fail('did not say that it listens'), START_TIMEOUT_MS);
    child.stdout?.on('data', (data: Buffer) => {
      output += data.toString();
      const address = /^listening on (\S+)$/m.exec(output)?.[1];
      if (address !== undefined) {
        clearTimeout(timer);
        resolve(address);
      }
    });
    child.on('error', (error) => fail(error.message));
    child.on('close', (code, signal) => fail(`ended with ${signal ?? String(code)}`));
  });
}
