import { readFileSync } from 'node:fs';

export interface ProcessMemory {
  /** Bytes now. */
  readonly resident: number;
  /** The most bytes that it has had. */
  readonly peak: number;
}

/** Memory of a process as the system counts it; undefined when there is no such process any more. */
export function readMemory(pid: number): ProcessMemory | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const bytesOf = (field: string): number =>
      Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'mu').exec(status)?.[1]) * 1024;
    const memory = { resident: bytesOf('VmRSS'), peak: bytesOf('VmHWM') };
    // A process that has ended and was not waited for has a status without memory.
    return Number.isNaN(memory.peak) ? undefined : memory;
  } catch {
    return undefined; // It has ended.
  }
}
