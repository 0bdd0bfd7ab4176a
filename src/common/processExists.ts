import { readFileSync } from 'node:fs';
import { systemCode } from './errors';

/**
 * Whether a process with this number runs on this machine, whoever owns it. One that has ended and
 * whose end nobody has asked for (a container without an init process keeps such ones) does not run.
 */
export function processExists(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (systemCode(error) !== 'EPERM') return false;
  }
  return process.platform !== 'linux' || !hasEnded(pid);
}

/** As `/proc/PID/stat` has it, see proc(5): the state stands behind the program's name in brackets. */
function hasEnded(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return /^[ZXx]/u.test(stat.slice(stat.lastIndexOf(')') + 2));
  } catch (error) {
    // Not told here (`hidepid`): what the signal has said counts. It may also have ended just now.
    return systemCode(error) === 'ESRCH';
  }
}
