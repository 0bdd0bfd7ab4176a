// Evidence of a failed test in real VS Code: names of files, and the ends of logs.
import { readdir, readFile } from 'node:fs/promises';
import * as path from 'node:path';
import { FAILURES } from './paths';
import type { RunningServer } from './vscodeServer';

const KEPT_LOG_LINES = 300;
/** Names of the logs that tell about us: ours, and that of the extension host. */
const LOGS = /peershelf|exthost/iu;

/** Path below the folder of failures, without an ending, for what belongs to a title. */
export function evidenceFile(title: string): string {
  return path.join(FAILURES, title.replace(/[^\w.-]+/gu, '_'));
}

/** Paths of the server's output, of the extension host's log and of ours. */
export async function logFiles({ dataDir, logFile }: RunningServer): Promise<string[]> {
  const folder = path.join(dataDir, 'data', 'logs');
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  const logs = names.filter((name) => name.endsWith('.log') && LOGS.test(name)).sort();
  return [logFile, ...logs.map((name) => path.join(folder, name))];
}

/** The last lines of all of them. */
export async function readLogEnds(server: RunningServer): Promise<string> {
  const parts = (await logFiles(server)).map(async (file) => {
    const text = await readFile(file, 'utf8').catch((error: unknown) => String(error));
    const lines = text.trimEnd().split('\n').slice(-KEPT_LOG_LINES);
    return [`=== ${path.relative(server.dataDir, file)}`, ...lines].join('\n');
  });
  return `${(await Promise.all(parts)).join('\n\n')}\n`;
}
