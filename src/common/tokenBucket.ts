export interface TokenBucketOptions {
  readonly ratePerSecond: number;
  /** Tokens that a full bucket holds. */
  readonly burst: number;
}

/** What a request takes, in units of which a rate of one per second gives one per millisecond. */
const REQUEST_UNITS = 1_000;

/** Lets `burst` requests through at once and `ratePerSecond` on average. Starts full. */
export class TokenBucket {
  private units: number;

  constructor(
    private readonly options: TokenBucketOptions,
    private filledAtMs: number,
  ) {
    this.units = options.burst * REQUEST_UNITS;
  }

  /** Takes one token, if there is one. `nowMs` never decreases. */
  take(nowMs: number): boolean {
    const { ratePerSecond, burst } = this.options;
    const refilled = this.units + (nowMs - this.filledAtMs) * ratePerSecond;
    this.units = Math.min(burst * REQUEST_UNITS, refilled);
    this.filledAtMs = nowMs;
    if (this.units < REQUEST_UNITS) return false;
    this.units -= REQUEST_UNITS;
    return true;
  }
}
