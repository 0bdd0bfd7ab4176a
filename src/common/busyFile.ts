import { renameSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { systemCode } from './errors';

/**
 * Codes of Windows while another process has the file open: a second window that reads the same
 * record, a virus scanner or an indexer that has just seen a new file. The state passes by itself.
 */
const BUSY_CODES: ReadonlySet<string> = new Set(['EACCES', 'EBUSY', 'EPERM']);

/**
 * Pauses between the attempts of a caller that cannot wait otherwise, 127 ms in all. The thread stands
 * still meanwhile, and with it every transfer of the engine, so this covers a process of ours that reads
 * a record (well below a millisecond) and the usual scan of a small file, but no longer ones. Whatever
 * is written this way is either written again with its next change or reported.
 */
const BLOCKING_PAUSES_MS: readonly number[] = [1, 2, 4, 8, 16, 32, 64];

/**
 * A caller that holds up nobody waits longer, two seconds in all: a scanner takes that long for a large
 * file that was just fetched, and a program that keeps a file open for good is told soon enough.
 */
const PATIENT_PAUSES_MS: readonly number[] = [
  ...BLOCKING_PAUSES_MS,
  ...Array<number>(19).fill(100),
];

/** Platform and waits of the retries; tests hand in their own. */
export interface RetrySystem {
  readonly platform: NodeJS.Platform;
  /** Stops the thread. */
  block(delayMs: number): void;
  /** @throws an `AbortError` when `signal` aborts. */
  pause(delayMs: number, signal: AbortSignal | undefined): Promise<void>;
}

export const realSystem: RetrySystem = {
  platform: process.platform,
  block: (delayMs) => {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, delayMs);
  },
  pause: async (delayMs, signal) => {
    await pause(delayMs, undefined, signal === undefined ? {} : { signal });
  },
};

/**
 * Runs a file call again while Windows says that the file is busy; blocks the thread for at most
 * 127 ms. Elsewhere those codes mean a missing permission, which waiting does not give.
 * @throws what the last attempt threw.
 */
export function retryWhileBusy<T>(attempt: () => T, system: RetrySystem = realSystem): T {
  for (const delayMs of BLOCKING_PAUSES_MS) {
    try {
      return attempt();
    } catch (error) {
      if (!isBusy(error, system)) throw error;
      system.block(delayMs);
    }
  }
  return attempt();
}

/** As `retryWhileBusy`, but for two seconds and without blocking; ends when `signal` aborts. */
export async function retryWhileBusyPatiently<T>(
  attempt: () => T,
  signal?: AbortSignal,
  system: RetrySystem = realSystem,
): Promise<T> {
  for (const delayMs of PATIENT_PAUSES_MS) {
    try {
      return attempt();
    } catch (error) {
      if (!isBusy(error, system)) throw error;
      await system.pause(delayMs, signal);
    }
  }
  return attempt();
}

/** Renames a file, also over another one; waits as `retryWhileBusy` does. */
export function moveFile(from: string, to: string): void {
  retryWhileBusy(() => renameSync(from, to));
}

function isBusy(error: unknown, { platform }: RetrySystem): boolean {
  return platform === 'win32' && BUSY_CODES.has(systemCode(error) ?? '');
}
