import { abortable, throwIfAborted } from '../../common/abort';
import type { deferred } from '../../common/deferred';
import { PeershelfError } from '../../common/errors';
import type { ContentId } from '../../protocol/contentId';
import type { Transfer } from '../peerApi';
import type { Wish } from './transferHandle';

/** What users see, and how one that is told to end is on its way there. */
export type Stage = Transfer['state'] | 'cancelling' | 'stopping';

export const ENDED: readonly Stage[] = ['done', 'failed', 'cancelled'];

/** Where each stage may lead. Whatever is on its way may be faster than the wish to end it. */
export const NEXT: Readonly<Record<Stage, readonly Stage[]>> = {
  waiting: ['running', 'paused', 'cancelling', 'stopping', ...ENDED],
  running: ['paused', 'cancelling', 'stopping', ...ENDED],
  paused: ['waiting', 'cancelling', 'stopping', ...ENDED],
  cancelling: ENDED,
  stopping: ['cancelling', ...ENDED],
  done: [],
  failed: [],
  cancelled: [],
};

/** A transfer as its list keeps it. */
export interface Entry {
  transfer: Transfer;
  stage: Stage;
  /** Apart from the rest, as they change thousands of times a second. */
  bytes: number;
  totalBytes: number;
  readonly controller: AbortController;
  /** From the start or the last resumption to the next pause. */
  period: AbortController;
  /** Resolved when the last pause ends. */
  resumed: ReturnType<typeof deferred<undefined>>;
  /** When it began to run the last time, and with how much. */
  since: { readonly ms: number; readonly bytes: number };
  wish: Wish | undefined;
  content: ContentId | undefined;
  /** Nobody works on it: it is of an earlier run. */
  readonly isRestored: boolean;
  /** Somebody is about to start it again. */
  isStarting: boolean;
  /** Why it had to end, when that was not its user's wish. */
  reason: PeershelfError | undefined;
}

export function canRetry({ stage, wish, isStarting }: Entry): boolean {
  return wish !== undefined && !isStarting && (stage === 'failed' || stage === 'cancelled');
}

export function endFor(error: unknown): 'done' | 'failed' | 'cancelled' {
  if (error === undefined) return 'done';
  return PeershelfError.is(error, 'CANCELLED') ? 'cancelled' : 'failed';
}

/** Attempts again after each pause. @throws what the last attempt failed with, CANCELLED. */
export async function throughPauses<T>(
  entry: Entry,
  attempt: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const ended = entry.controller.signal;
  for (;;) {
    while (entry.stage === 'paused') await abortable(entry.resumed.promise, ended);
    throwIfAborted(ended);
    const { signal } = entry.period;
    try {
      return await attempt(signal);
    } catch (error) {
      // Whatever a pause has broken is tried again; what is wrong for good fails then.
      if (!signal.aborted || ended.aborted) throw error;
    }
  }
}
