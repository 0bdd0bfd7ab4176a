import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { spawnOwned } from '../scripts/host/ownedProcess';
import { formatHostPort, type HostPort } from '../src/protocol/address';
import type { BenchContext } from './harness';
import { freePort, waitUntilListening } from './servers';

const DEADLINE_MS = 30_000;

export const CLI = join(__dirname, '../dist/cli.js');
export const V1 = join(__dirname, '../test/support/v1.py');

/** Shares files by our command line until the run ends; resolves to its process number. */
export async function startSharing(
  context: BenchContext,
  tracker: HostPort,
  ...files: string[]
): Promise<number> {
  const args = [CLI, 'share', ...files, '--port', '0', '--tracker', formatHostPort(tracker)];
  const { child, stop } = spawnOwned(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  context.onEnd(stop);
  const output = child.stdout;
  if (output === null) throw new Error('the program has no output');
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('sharing did not start')), DEADLINE_MS);
    createInterface({ input: output }).on('line', (line) => {
      if (!line.startsWith('serving on ')) return;
      clearTimeout(timer);
      resolve();
    });
  });
  return child.pid ?? 0;
}

/** Shares a file by the program of the original system until the run ends. */
export async function startV1Sharing(
  context: BenchContext,
  tracker: HostPort,
  file: string,
): Promise<void> {
  const port = await freePort();
  const args = [V1, 'share', 'old', `${port}`, file, '--tracker', formatHostPort(tracker)];
  const { stop } = spawnOwned('python3', args, { stdio: 'ignore' });
  context.onEnd(stop);
  await waitUntilListening({ host: '127.0.0.1', port });
}
