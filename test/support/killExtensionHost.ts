import { readdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { PeerWindow } from './peerWindows';

/** Ends the extension host of a window as a crash does: nothing says goodbye. */
export function killExtensionHost({ server }: PeerWindow): void {
  const folder = dirname(server.dataDir);
  const hosts = readdirSync('/proc').filter(
    (pid) =>
      /^\d+$/u.test(pid) &&
      read(pid, 'cmdline').includes('--type=extensionHost') &&
      read(pid, 'environ').includes(folder),
  );
  if (hosts.length === 0) throw new Error(`no extension host of ${folder}`);
  for (const pid of hosts) process.kill(Number(pid), 'SIGKILL');
}

/** Empty for a process that has just ended. */
function read(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}
