import { readFileSync } from 'node:fs';
import type { TestProcess } from './startProcess';

/** Memory of a process, where the system says so; elsewhere nothing is measured. */
export function residentBytes({ child }: TestProcess): number {
  if (process.platform !== 'linux') return 0;
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/mu.exec(status)?.[1]) * 1024;
}
