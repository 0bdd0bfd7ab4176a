/** First delay after a lost connection: a tracker that restarts is back within a second. */
const FIRST_DELAY_MS = 500;
/** Longest delay: a peer is back at most this long after its tracker. */
const MAX_DELAY_MS = 30_000;

/**
 * How long to wait before attempt number `attempt` (0 is the first retry): doubling, capped, and
 * spread over the upper half so that a classroom does not come back in one instant.
 * @param random a number from 0 to 1.
 */
export function reconnectDelayMs(attempt: number, random: number): number {
  const ceiling = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(attempt, 16));
  return Math.round(ceiling * (0.5 + random / 2));
}
