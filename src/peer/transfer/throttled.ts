import type { Clock } from '../../common/clock';
import type { TransferProgress } from '../peerApi';

/** Progress is told at most this often, but for the end. */
export const PROGRESS_INTERVAL_MS = 100;

/** Takes so many bytes out of a total as often as they change, and tells them now and then. */
export type Progress = (bytes: number, totalBytes: number) => void;

/** The first of many calls, one each interval, and the one with which everything is there. */
export function throttled(
  clock: Clock,
  tell: ((progress: TransferProgress) => void) | undefined,
): Progress {
  let lastMs = Number.NEGATIVE_INFINITY;
  let lastBytes = -1;
  return (bytes, totalBytes) => {
    const nowMs = clock.monotonic();
    // Empty files move nothing, however many come at the end.
    const isEnd = bytes >= totalBytes && bytes !== lastBytes;
    if (!isEnd && nowMs - lastMs < PROGRESS_INTERVAL_MS) return;
    lastMs = nowMs;
    lastBytes = bytes;
    tell?.({ bytes, totalBytes });
  };
}
